import { joinBytes } from "../wire/joinBytes.ts";
import { createJsonPicker, type JsonPicker } from "../wire/jsonPicker.ts";
import { createSseScanner } from "../wire/sseScanner.ts";
import { memberRange } from "./memberRange.ts";

/**
 * Takes out of a chat stream what we asked for on our own account: the extra chunk that carries usage, and the `"usage":null`
 * of all others. What the caller gets is what it would have got by its own request.
 */
export interface UsageChunkFilter {
  /** Returns the bytes that may go on; an event that is not whole yet is kept back. */
  push(bytes: Uint8Array): Uint8Array;
  /** What was kept back when the stream ended. */
  rest(): Uint8Array;
}

/** An event above this size is no usage chunk and passes as it is. */
const MAX_HELD_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const PATHS = ["usage", "choices"];
const NOTHING = new Uint8Array(0);

/** A filter for one stream. */
export function createUsageChunkFilter(): UsageChunkFilter {
  let held = NOTHING;
  /** The event is too large: what comes of it goes on. */
  let passing = false;
  let insideLine = false;
  /** The event that was taken out ended in a CR; an LF that comes next belongs to it. */
  let dropLineFeed = false;

  function push(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) return bytes;
    const all = held.length === 0 ? bytes : joinBytes([held, bytes]);
    const out: Uint8Array[] = [];
    let from = dropLineFeed && all[0] === LINE_FEED ? 1 : 0;
    dropLineFeed = false;
    for (let end = eventEnd(all, from, insideLine); end !== -1; end = eventEnd(all, from, false)) {
      const event = all.subarray(from, end);
      const kept = passing ? event : keptOf(event);
      if (kept !== undefined) out.push(kept);
      else dropLineFeed = end === all.length && all[end - 1] === CARRIAGE_RETURN;
      passing = insideLine = false;
      from = end;
    }
    if (passing || all.length - from > MAX_HELD_BYTES) {
      // Of a CR at the end it is not known yet whether an LF belongs to it.
      const to = all.at(-1) === CARRIAGE_RETURN ? all.length - 1 : all.length;
      if (to > from) {
        out.push(all.subarray(from, to));
        insideLine = all[to - 1] !== LINE_FEED;
      }
      passing = true;
      from = to;
    }
    held = all.slice(from);
    return joinBytes(out);
  }

  return {
    push,
    rest() {
      const last = held;
      held = NOTHING;
      // A stream may end without the blank line: what we asked for is no more the caller's for that.
      return passing ? last : (keptOf(last) ?? NOTHING);
    },
  };
}

/** The position behind the next blank line, or -1. Lines end in LF, CRLF or CR. */
function eventEnd(bytes: Uint8Array, from: number, insideLine: boolean): number {
  let lineStart = insideLine ? -1 : from;
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN) continue;
    const blank = at === lineStart;
    if (byte === CARRIAGE_RETURN && bytes[at + 1] === LINE_FEED) at += 1;
    if (blank) return at + 1;
    lineStart = at + 1;
  }
  return -1;
}

/** A stretch of an event's data: where it stands in the data and where in the event. */
interface Piece {
  readonly inData: number;
  readonly inEvent: number;
  readonly bytes: Uint8Array;
}

/** What the caller gets of an event; undefined for nothing. */
function keptOf(event: Uint8Array): Uint8Array | undefined {
  const picker = createJsonPicker(PATHS);
  const pieces: Piece[] = [];
  let size = 0;
  createSseScanner({
    data(bytes, start, end) {
      picker.push(bytes, start, end);
      pieces.push({ inData: size, inEvent: bytes === event ? start : -1, bytes: bytes.subarray(start, end) });
      size += end - start;
    },
    event() {},
  }).push(event);
  const choices = picker.value("choices");
  if (picker.some("usage") && picker.complete && Array.isArray(choices) && choices.length === 0) return undefined;
  return withoutNullUsage(event, picker, pieces);
}

function withoutNullUsage(event: Uint8Array, picker: JsonPicker, pieces: readonly Piece[]): Uint8Array {
  const value = picker.span("usage");
  if (value === undefined || picker.value("usage") !== null) return event;
  const range = memberRange(joinBytes(pieces.map((piece) => piece.bytes)), "usage", value);
  if (range === undefined) return event;
  // A member that goes over several lines stays: to cut it out would take the names of the lines' fields along.
  const piece = pieces.find((one) => one.inData <= range.start && range.end <= one.inData + one.bytes.length);
  if (piece === undefined || piece.inEvent === -1) return event;
  const start = piece.inEvent + range.start - piece.inData;
  return joinBytes([event.subarray(0, start), event.subarray(start + range.end - range.start)]);
}
