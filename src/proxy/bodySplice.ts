import { createJsonPicker } from "../wire/jsonPicker.ts";

/**
 * Changes to a JSON body that leave every other byte of it alone: no parsing and printing again, which would lose number
 * spellings, repeated keys and order.
 */

const encoder = new TextEncoder();

/** Puts a member in, or replaces the (last) one of that name. Returns undefined where the body is no JSON object. */
export function spliceMember(body: Uint8Array, name: string, value: unknown): Uint8Array | undefined {
  const picker = createJsonPicker([name]);
  picker.push(body);
  if (picker.openingBrace === undefined || !picker.complete) return undefined;
  const span = picker.span(name);
  if (span !== undefined) return replace(body, span.start, span.end, encoder.encode(JSON.stringify(value)));
  const behind = picker.openingBrace + 1;
  const comma = isEmptyObject(body, behind) ? "" : ",";
  const member = `${JSON.stringify(name)}:${JSON.stringify(value)}${comma}`;
  return replace(body, behind, behind, encoder.encode(member));
}

/** Asks for the usage of a chat stream, keeping the caller's other stream options as they are written. */
export function spliceIncludeUsage(body: Uint8Array): Uint8Array | undefined {
  const picker = createJsonPicker(["stream_options"]);
  picker.push(body);
  const span = picker.span("stream_options");
  const options =
    span === undefined ? undefined : spliceMember(body.subarray(span.start, span.end), "include_usage", true);
  if (span === undefined || options === undefined) return spliceMember(body, "stream_options", { include_usage: true });
  return replace(body, span.start, span.end, options);
}

function isEmptyObject(body: Uint8Array, behindBrace: number): boolean {
  let position = behindBrace;
  while ((body[position] ?? 0x7d) <= 0x20) position += 1;
  return body[position] === 0x7d;
}

function replace(body: Uint8Array, start: number, end: number, inserted: Uint8Array): Uint8Array {
  const spliced = new Uint8Array(start + inserted.length + body.length - end);
  spliced.set(body.subarray(0, start), 0);
  spliced.set(inserted, start);
  spliced.set(body.subarray(end), start + inserted.length);
  return spliced;
}
