import type { Span } from "../wire/jsonPicker.ts";

const SPACE = 0x20;
const COLON = 0x3a;
const COMMA = 0x2c;
const encoder = new TextEncoder();

/**
 * The bytes to cut out of an object so that a member is gone: its name, its value and the comma that joins it to the rest.
 * Undefined where the name is not written plainly in front of the value.
 */
export function memberRange(bytes: Uint8Array, name: string, value: Span): Span | undefined {
  const quoted = encoder.encode(`"${name}"`);
  const colon = backOverSpace(bytes, value.start) - 1;
  if (bytes[colon] !== COLON) return undefined;
  const start = backOverSpace(bytes, colon) - quoted.length;
  if (start < 0 || !quoted.every((byte, index) => bytes[start + index] === byte)) return undefined;
  const before = backOverSpace(bytes, start) - 1;
  if (bytes[before] === COMMA) return { start: before, end: value.end };
  let end = value.end;
  while (end < bytes.length && (bytes[end] ?? 0) <= SPACE) end += 1;
  return { start, end: bytes[end] === COMMA ? end + 1 : value.end };
}

function backOverSpace(bytes: Uint8Array, from: number): number {
  let position = from;
  while (position > 0 && (bytes[position - 1] ?? 0) <= SPACE) position -= 1;
  return position;
}
