/**
 * The way in which an upstream writes its delta events. Nearly all of a stream are events that differ from the one before in three values
 * only, and comparing the rest with bytes that are known costs a fraction of parsing it.
 */
export interface DeltaShape {
  /** Whether one whole event of this shape, up to behind its blank line, begins here. Sets the fields below. */
  matches(bytes: Uint8Array, from: number): boolean;
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

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const UNICODE_ESCAPE = 0x75;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
/** UTF-8: bytes from here on belong to characters of several bytes, … */
const FIRST_CONTINUATION = 0x80;
/** … from here on begin one, … */
const FIRST_LEAD = 0xc0;
/** … and from here on begin one that takes two UTF-16 units. */
const FIRST_LEAD_OF_FOUR = 0xf0;
const HEX_DIGITS = 4;
const ESCAPED = codesOf('"\\/bfnrt');
/** What else numbers are written with. */
const SIGNS = codesOf("+-.");

/**
 * Learns the shape of an event, given with its blank line. Undefined for one that has no delta, or anything in it that is not as OpenAI
 * writes its events: several lines of data, an object, a list with something in it, an escape outside of the delta.
 */
export function learnShape(bytes: Uint8Array, from: number, to: number): DeltaShape | undefined {
  const holes = findHoles(bytes, from, to);
  if (holes === undefined || !holes.some(({ hole }) => hole === "delta")) return undefined;
  // Copies (a Node Buffer's `slice` is none): they must not keep alive what was delivered with them.
  const copy = (start: number, end = to): Uint8Array => new Uint8Array(bytes.subarray(start, end));
  const rest = holes.map(({ hole, end }, index) => ({ hole, literal: copy(end, holes[index + 1]?.start) }));
  return new LearntShape(copy(from, holes[0]?.start), rest);
}

/** What differs, and what follows on it unchanged. */
interface Part {
  readonly hole: Hole;
  readonly literal: Uint8Array;
}

class LearntShape implements DeltaShape {
  start = 0;
  end = 0;
  units = 0;
  next = 0;
  readonly #beginning: Uint8Array;
  readonly #parts: readonly Part[];

  constructor(beginning: Uint8Array, parts: readonly Part[]) {
    this.#beginning = beginning;
    this.#parts = parts;
  }

  matches(bytes: Uint8Array, from: number): boolean {
    let at = endOfLiteral(bytes, from, this.#beginning);
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
      at = endOfLiteral(bytes, at, literal);
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

/** Where these bytes end, if they stand at `from`; else -1. */
function endOfLiteral(bytes: Uint8Array, from: number, literal: Uint8Array): number {
  const { length } = literal;
  if (from + length > bytes.length) return -1;
  for (let offset = 0; offset < length; offset += 1) if (bytes[from + offset] !== literal[offset]) return -1;
  return from + length;
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
function findHoles(bytes: Uint8Array, from: number, to: number): FoundHole[] | undefined {
  let at = from;
  while (at < to && byteAt(bytes, at) !== OPENING_BRACE) at += 1;
  const holes: FoundHole[] = [];
  do {
    const key = skipSpace(bytes, at + 1);
    const keyEnd = byteAt(bytes, key) === QUOTE ? endOfPlainText(bytes, key + 1) : -1;
    if (keyEnd === -1) return undefined;
    const colon = skipSpace(bytes, keyEnd + 1);
    if (byteAt(bytes, colon) !== COLON) return undefined;
    const value = skipSpace(bytes, colon + 1);
    const valueEnd = endOfValue(bytes, value);
    if (valueEnd === -1) return undefined;
    const hole = holeOf(bytes, key + 1, keyEnd);
    if (hole !== undefined) {
      if (holes.some((other) => other.hole === hole)) return undefined;
      const isText = byteAt(bytes, value) === QUOTE;
      if (isText !== (hole !== "digits")) return undefined;
      holes.push({ hole, start: isText ? value + 1 : value, end: isText ? valueEnd - 1 : valueEnd });
    }
    at = skipSpace(bytes, valueEnd);
  } while (byteAt(bytes, at) === COMMA);
  const isWhole = byteAt(bytes, at) === CLOSING_BRACE && at + 3 === to;
  return isWhole && byteAt(bytes, at + 1) === LINE_FEED && byteAt(bytes, at + 2) === LINE_FEED ? holes : undefined;
}

function holeOf(bytes: Uint8Array, start: number, end: number): Hole | undefined {
  let name = "";
  for (let at = start; at < end; at += 1) name += String.fromCharCode(byteAt(bytes, at));
  return HOLES.get(name);
}

/** Where a plain value ends; -1 for every other. */
function endOfValue(bytes: Uint8Array, from: number): number {
  const first = byteAt(bytes, from);
  if (first === OPENING_BRACKET) return byteAt(bytes, from + 1) === CLOSING_BRACKET ? from + 2 : -1;
  if (first === QUOTE) {
    for (let at = from + 1; at < bytes.length; at += 1) {
      const byte = byteAt(bytes, at);
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) return at + 1;
    }
    return -1;
  }
  let at = from;
  while (isWordByte(byteAt(bytes, at))) at += 1;
  return at === from ? -1 : at;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (byteAt(bytes, at) === SPACE) at += 1;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || isBetween(lowerCase(byte), "a", "f");
}

/** What numbers, `true`, `false` and `null` consist of. */
function isWordByte(byte: number): boolean {
  return isDigit(byte) || isBetween(lowerCase(byte), "a", "z") || SIGNS.has(byte);
}

/** Of a letter; of anything else no letter. */
function lowerCase(byte: number): number {
  return byte | 0x20;
}

function isBetween(byte: number, first: string, last: string): boolean {
  return byte >= first.charCodeAt(0) && byte <= last.charCodeAt(0);
}

function codesOf(characters: string): ReadonlySet<number> {
  return new Set(Array.from(characters, (character) => character.charCodeAt(0)));
}
