import { ByteCapture } from "./byteCapture.ts";
import { memberNode, type PathNode, pathTree } from "./jsonPaths.ts";
import { literalAt, parseJson } from "./jsonValue.ts";

/**
 * Picks a few values out of a JSON document that arrives in pieces, in bounded memory and without building the rest:
 * a request's `model` before its megabytes of messages, an answer's `usage` behind its megabytes of image.
 */
export interface JsonPicker {
  /** Reads on. Malformed text is not an error here: what cannot be found is absent. */
  push(bytes: Uint8Array, start?: number, end?: number): void;
  /** Whether the document's last brace was seen. */
  readonly complete: boolean;
  /** The last value at this path (a repeated key means its last value, as in `JSON.parse`); undefined when absent or oversized. */
  value(path: string): unknown;
  /** Whether any value at this path was neither null nor oversized; for paths through arrays. */
  some(path: string): boolean;
  /** Where the last value at this path stands in the document, in bytes. */
  span(path: string): Span | undefined;
  /** Where the document's opening brace stands, in bytes; undefined when it is not an object. */
  readonly openingBrace: number | undefined;
  /** Forgets everything, for the next document. */
  reset(): void;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A picked value above this size is dropped: usage objects, ids and error messages are far below. */
const MAX_VALUE_BYTES = 256 * 1024;
/** A key above this size is none that anybody asks for. */
const MAX_KEY_BYTES = 256;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const SPACE = 0x20;

type State =
  | "value"
  | "key_or_end"
  | "key"
  | "colon"
  | "after_value"
  | "string"
  | "nested"
  | "nested_string"
  | "scalar"
  | "end";

interface Frame {
  readonly node: PathNode;
  readonly kind: "object" | "array";
}

interface Picked extends Span {
  readonly value: unknown;
  /** Whether this value or an earlier one at its path was neither null nor oversized. */
  readonly some: boolean;
}

/**
 * Makes a picker for these paths: keys joined by dots, `[]` behind a key for its elements. A path may not lead
 * through a value that is itself picked.
 */
export function createJsonPicker(paths: readonly string[]): JsonPicker {
  return new Picker(pathTree(paths));
}

/** A class and no closures: two pickers are made for each request, and one lives as long as a stream. */
class Picker implements JsonPicker {
  readonly #root: PathNode;
  readonly #picked = new Map<string, Picked>();
  readonly #frames: Frame[] = [];
  #state: State = "value";
  #node: PathNode | undefined;
  #escaped = false;
  #nesting = 0;
  #offset = 0;
  #openingBrace: number | undefined;
  readonly #key = new ByteCapture(MAX_KEY_BYTES);
  readonly #value = new ByteCapture(MAX_VALUE_BYTES);
  #valueStart = 0;

  constructor(root: PathNode) {
    this.#root = root;
    this.#node = root;
  }

  get complete(): boolean {
    return this.#state === "end";
  }

  get openingBrace(): number | undefined {
    return this.#openingBrace;
  }

  value(path: string): unknown {
    return this.#picked.get(path)?.value;
  }

  some(path: string): boolean {
    return this.#picked.get(path)?.some === true;
  }

  span(path: string): Span | undefined {
    return this.#picked.get(path);
  }

  reset(): void {
    // Even an empty map gets a new table when it is cleared.
    if (this.#picked.size > 0) this.#picked.clear();
    this.#frames.length = 0;
    this.#state = "value";
    this.#node = this.#root;
    this.#escaped = false;
    this.#nesting = 0;
    this.#offset = 0;
    this.#openingBrace = undefined;
    this.#key.stop();
    this.#value.stop();
  }

  push(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const base = this.#offset - start;
    this.#offset += end - start;
    let position = start;
    this.#key.goOn(start);
    this.#value.goOn(start);
    while (position < end) {
      const byte = bytes[position] ?? 0;
      switch (this.#state) {
        case "value":
          position = byte <= SPACE ? position + 1 : this.#beginValue(bytes, position, byte, base);
          break;
        case "key_or_end":
          position += 1;
          if (byte === QUOTE) {
            this.#state = "key";
            this.#key.begin(position);
          } else if (byte === CLOSE_BRACE) this.#endContainer(bytes, position, base);
          break;
        case "colon":
          if (byte === COLON) this.#state = "value";
          position += 1;
          break;
        case "after_value": {
          const frame = this.#frames.at(-1);
          position += 1;
          if (byte === COMMA && frame !== undefined) {
            if (frame.kind === "object") this.#state = "key_or_end";
            else this.#beginElement(frame.node);
          } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#endContainer(bytes, position, base);
          break;
        }
        case "key":
        case "string":
        case "nested_string": {
          const behind = this.#skipString(bytes, position, end);
          position = behind === -1 ? end : behind;
          if (behind === -1) break;
          if (this.#state === "key") this.#finishKey(bytes, behind - 1);
          else if (this.#state === "string") this.#finishValue(bytes, behind, base);
          else this.#state = "nested";
          break;
        }
        case "nested":
          position = this.#skipNested(bytes, position, end, base);
          break;
        case "scalar":
          if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte <= SPACE)
            this.#finishValue(bytes, position, base);
          else position += 1;
          break;
        case "end":
          return;
      }
    }
    this.#key.keep(bytes, end);
    this.#value.keep(bytes, end);
  }

  #finishValue(bytes: Uint8Array, end: number, base: number): void {
    const path = this.#node?.path;
    if (path !== undefined && this.#value.running) {
      const literal = literalAt(bytes, this.#value.wholeFrom ?? end, end);
      const value = literal === undefined ? parseJson(this.#value.end(bytes, end)) : literal;
      this.#value.stop();
      const some = (value !== undefined && value !== null) || this.some(path);
      this.#picked.set(path, { value, some, start: this.#valueStart, end: base + end });
    }
    this.#state = this.#frames.length === 0 ? "end" : "after_value";
  }

  #beginContainer(kind: Frame["kind"], container: PathNode): void {
    this.#frames.push({ node: container, kind });
    if (kind === "object") this.#state = "key_or_end";
    else this.#beginElement(container);
  }

  #beginElement(container: PathNode): void {
    this.#node = container.elements;
    this.#state = "value";
  }

  #endContainer(bytes: Uint8Array, end: number, base: number): void {
    this.#frames.pop();
    this.#finishValue(bytes, end, base);
  }

  /** Returns the position to go on from. */
  #beginValue(bytes: Uint8Array, position: number, byte: number, base: number): number {
    if (byte === OPEN_BRACE && this.#frames.length === 0) this.#openingBrace = base + position;
    if (this.#node !== undefined && this.#node.path === undefined) {
      if (byte === OPEN_BRACE) return (this.#beginContainer("object", this.#node), position + 1);
      if (byte === OPEN_BRACKET && this.#node.elements !== undefined)
        return (this.#beginContainer("array", this.#node), position + 1);
    }
    if (byte === CLOSE_BRACKET && this.#frames.at(-1)?.kind === "array")
      return (this.#endContainer(bytes, position + 1, base), position + 1);
    if (this.#node?.path !== undefined) {
      this.#value.begin(position);
      this.#valueStart = base + position;
    }
    if (byte === QUOTE) {
      this.#state = "string";
      return position + 1;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      this.#state = "nested";
      this.#nesting = 0;
      return position;
    }
    this.#state = "scalar";
    return position;
  }

  #finishKey(bytes: Uint8Array, end: number): void {
    this.#state = "colon";
    const object = this.#frames.at(-1)?.node;
    const from = this.#key.wholeFrom;
    // Nearly every key lies in the bytes at hand, and a view of them for each would be the dearest part of reading a document.
    if (object !== undefined && from !== undefined) {
      this.#node = memberNode(object, bytes, from, end);
      this.#key.stop();
      return;
    }
    const key = this.#key.end(bytes, end);
    this.#node = key === undefined || object === undefined ? undefined : memberNode(object, key, 0, key.length);
  }

  /** Goes to the end of a string, or of the bytes. Returns the position behind the closing quote, or -1. */
  #skipString(bytes: Uint8Array, from: number, end: number): number {
    let position = this.#escaped ? from + 1 : from;
    while (position < end) {
      const byte = bytes[position];
      if (byte === QUOTE) {
        this.#escaped = false;
        return position + 1;
      }
      position += byte === BACKSLASH ? 2 : 1;
    }
    this.#escaped = position > end;
    return -1;
  }

  /** Goes over an object or array that is kept or ignored as a whole, to its end or that of the bytes. */
  #skipNested(bytes: Uint8Array, from: number, end: number, base: number): number {
    let depth = this.#nesting;
    let position = from;
    while (position < end) {
      const byte = bytes[position];
      position += 1;
      if (byte === QUOTE) {
        const behind = this.#skipString(bytes, position, end);
        if (behind === -1) {
          this.#state = "nested_string";
          position = end;
        } else position = behind;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        depth -= 1;
        if (depth === 0) {
          this.#finishValue(bytes, position, base);
          break;
        }
      }
    }
    this.#nesting = depth;
    return position;
  }
}
