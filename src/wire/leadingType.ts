import { startsAt } from "./startsAt.ts";

/**
 * OpenAI's own events begin with their type, which then tells without reading the rest. Told by bytes: to make a string of each type
 * would cost more than the whole reading of a delta.
 */

const TYPE_PREFIX = new TextEncoder().encode('{"type":"');
const DELTA_SUFFIX = new TextEncoder().encode(".delta");
const QUOTE = 0x22;
/** Longer than any event type. */
const MAX_TYPE_BYTES = 96;

/** Where the type ends that an event's data begins with; -1 where it begins otherwise, or is cut within. */
export function endOfLeadingType(bytes: Uint8Array, start: number, end: number): number {
  if (!startsAt(bytes, start, end, TYPE_PREFIX)) return -1;
  const from = start + TYPE_PREFIX.length;
  const to = bytes.indexOf(QUOTE, from);
  return to === -1 || to >= end || to - from > MAX_TYPE_BYTES ? -1 : to;
}

/** The type as a text. */
export function leadingType(bytes: Uint8Array, start: number, typeEnd: number): string {
  return String.fromCharCode(...bytes.subarray(start + TYPE_PREFIX.length, typeEnd));
}

/** Whether a type that ends there is a delta's, as nearly all are. */
export function isDeltaType(bytes: Uint8Array, typeEnd: number): boolean {
  return startsAt(bytes, typeEnd - DELTA_SUFFIX.length, typeEnd, DELTA_SUFFIX);
}
