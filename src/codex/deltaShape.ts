import { KnownBytes } from "../wire/knownBytes.ts";

/**
 * The way in which an upstream writes its delta events. Nearly all of a stream are events that differ from the one before in three values
 * only, and comparing the rest with bytes that are known costs a fraction of parsing it.
 */
export interface DeltaShape {
  /**
   * Whether one whole event of this shape, up to behind its blank line, begins here. Sets the fields below.
   *
   * @param view of `bytes`
   */
  matches(bytes: Uint8Array, view: DataView, from: number): boolean;
  /** Where the delta's JSON text begins, behind its quote. */
  readonly start: number;
  /** Where its closing quote stands. */
  readonly end: number;
  /** Length of the delta in UTF-16 units, as JavaScript counts. */
  readonly units: number;
  /** Where the next event begins. */
  readonly next: number;
}

/** What stands between two stretches that are the same in all events: the delta, digits, or a text that nobody reads. */
type Hole = "delta" | "digits" | "text";

/** The members that differ. `obfuscation` is random: it hides from listeners on the line how long deltas are. */
const HOLES: ReadonlyMap<string, Hole> = new Map([
  ["delta", "delta"],
  ["sequence_number", "digits"],
  ["obfuscation", "text"],
]);

const SPACE = 0x20;
const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const LETTER_A = 0x61;
const LETTER_F = 0x66;
const UNICODE_ESCAPE = 0x75;
/** UTF-8: bytes from here on belong to characters of several bytes, … */
const FIRST_CONTINUATION = 0x80;
/** … from here on begin one, … */
const FIRST_LEAD = 0xc0;
/** … and from here on begin one that takes two UTF-16 units. */
const FIRST_LEAD_OF_FOUR = 0xf0;
const HEX_DIGITS = 4;
const ESCAPED = new Set(Array.from('"\\/bfnrt', (character) => character.charCodeAt(0)));

/** A member with a plain value, and what ends it. */
const MEMBER = / *"([^"\\]*)" *: *(?:"((?:[^"\\]|\\.)*)"|\[\]|([\w.+-]+)) *(?:,|\}\n\n$)/dy;
/** A longer event is not one of many. */
const MAX_LEARNT_BYTES = 16 * 1024;
/** Gives each byte one character, so that places in the text are places in the bytes. */
const latin1 = new TextDecoder("latin1");

/**
 * Learns the shape of an event, given with its blank line. Undefined for one that has no delta, or anything in it that is not as OpenAI
 * writes its events: several lines of data, an object, a list with something in it, an escape outside of the delta.
 */
export function learnShape(bytes: Uint8Array, from: number, to: number): DeltaShape | undefined {
  const event = bytes.subarray(from, to);
  const holes = event.length > MAX_LEARNT_BYTES ? undefined : findHoles(event);
  if (holes === undefined || !holes.some(({ hole }) => hole === "delta")) return undefined;
  const known = (start: number, end?: number): KnownBytes => new KnownBytes(event.subarray(start, end));
  const rest = holes.map(({ hole, end }, index) => ({ hole, literal: known(end, holes[index + 1]?.start) }));
  return new LearntShape(known(0, holes[0]?.start), rest);
}

/** What differs, and what follows on it unchanged. */
interface Part {
  readonly hole: Hole;
  readonly literal: KnownBytes;
}

class LearntShape implements DeltaShape {
  start = 0;
  end = 0;
  units = 0;
  next = 0;
  readonly #beginning: KnownBytes;
  readonly #parts: readonly Part[];

  constructor(beginning: KnownBytes, parts: readonly Part[]) {
    this.#beginning = beginning;
    this.#parts = parts;
  }

  matches(bytes: Uint8Array, view: DataView, from: number): boolean {
    let at = this.#beginning.endIn(bytes, view, from);
    for (const { hole, literal } of this.#parts) {
      if (at === -1) return false;
      switch (hole) {
        case "digits":
          at = endOfDigits(bytes, at);
          break;
        case "text":
          at = endOfPlainText(bytes, at);
          break;
        case "delta":
          this.start = at;
          at = this.#readDelta(bytes, at);
          this.end = at;
          break;
      }
      if (at === -1) return false;
      at = literal.endIn(bytes, view, at);
    }
    this.next = at;
    return at !== -1;
  }

  /** Returns where the closing quote stands; -1 where the text is empty, cut, or not what JSON allows. */
  #readDelta(bytes: Uint8Array, from: number): number {
    let units = 0;
    for (let at = from; at < bytes.length; at += 1) {
      const byte = byteAt(bytes, at);
      if (byte === QUOTE) {
        this.units = units;
        return at === from ? -1 : at;
      }
      if (byte < SPACE) return -1;
      if (byte === BACKSLASH) {
        at = endOfEscape(bytes, at + 1);
        if (at === -1) return -1;
        units += 1;
      } else if (byte < FIRST_CONTINUATION || byte >= FIRST_LEAD) units += byte < FIRST_LEAD_OF_FOUR ? 1 : 2;
    }
    return -1;
  }
}

/** Where the last byte of an escape stands, given what is behind the backslash; -1 where it is none. */
function endOfEscape(bytes: Uint8Array, at: number): number {
  const byte = byteAt(bytes, at);
  if (byte !== UNICODE_ESCAPE) return ESCAPED.has(byte) ? at : -1;
  for (let digit = 1; digit <= HEX_DIGITS; digit += 1) if (!isHexDigit(byteAt(bytes, at + digit))) return -1;
  return at + HEX_DIGITS;
}

function endOfDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isDigit(byteAt(bytes, at))) at += 1;
  return at === from ? -1 : at;
}

/** Where the closing quote of a text without escapes stands; -1 where there is none such. */
function endOfPlainText(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = byteAt(bytes, at);
    if (byte === QUOTE) return at;
    if (byte < SPACE || byte === BACKSLASH) return -1;
  }
  return -1;
}

/** The byte there; -1 behind the last one. */
function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? -1;
}

interface FoundHole {
  readonly hole: Hole;
  readonly start: number;
  readonly end: number;
}

/** Walks through an event's members; undefined where the event is not of the plain kind. */
function findHoles(event: Uint8Array): FoundHole[] | undefined {
  const text = latin1.decode(event);
  const member = new RegExp(MEMBER);
  member.lastIndex = text.indexOf("{") + 1;
  const holes: FoundHole[] = [];
  while (member.lastIndex < text.length) {
    const found = member.exec(text);
    if (found?.indices === undefined) return undefined;
    const [, , stringAt, wordAt] = found.indices;
    const hole = HOLES.get(found[1] ?? "");
    if (hole === undefined) continue;
    const at = hole === "digits" ? wordAt : stringAt;
    if (at === undefined || holes.some((other) => other.hole === hole)) return undefined;
    holes.push({ hole, start: at[0], end: at[1] });
  }
  return holes;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isHexDigit(byte: number): boolean {
  // Lower-case where it is a letter.
  const letter = byte | 0x20;
  return isDigit(byte) || (letter >= LETTER_A && letter <= LETTER_F);
}
