/** A value in a table. */
export type Cell = string | number | null;

/**
 * A table as RFC 4180 has it: comma, CRLF, quotes doubled. Texts that a spreadsheet would run as a formula get an apostrophe in
 * front (owasp.org, "CSV Injection"); numbers stay numbers. Null is an empty field.
 */
export function csv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

function field(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
