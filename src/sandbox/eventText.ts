/** One server-sent event; with a name where the API names its events. */
export function eventText(crlf: boolean, data: unknown, name?: string): string {
  const end = crlf ? "\r\n" : "\n";
  const line = `data: ${typeof data === "string" ? data : JSON.stringify(data)}${end}${end}`;
  return name === undefined ? line : `event: ${name}${end}${line}`;
}
