import { startsAt } from "./startsAt.ts";

const decoder = new TextDecoder();
const LITERALS = [null, false, true].map((value) => ({ value, bytes: new TextEncoder().encode(String(value)) }));

/** The literal that these bytes are; undefined where they are none. Most wanted values are, and need no parser. */
export function literalAt(bytes: Uint8Array, from: number, end: number): boolean | null | undefined {
  if (end - from < 4 || end - from > 5) return undefined;
  for (const literal of LITERALS) {
    if (literal.bytes.length === end - from && startsAt(bytes, from, end, literal.bytes)) return literal.value;
  }
  return undefined;
}

/** The value that these bytes are; undefined where they are none, or too many to have been kept. */
export function parseJson(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}
