import { createParser, type EventSourceParser } from "eventsource-parser";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { joinBytes } from "../wire/joinBytes.ts";
import { readDeltaEvent } from "./deltaEvent.ts";

/** Reads the events of a Codex answer out of its bytes. */
export interface EventReader {
  /** The next bytes, cut anywhere. */
  push(bytes: Uint8Array): void;
  /** The stream has ended: an event without its blank line still counts where it is whole. */
  finish(): void;
}

/** What a reader may be told besides. */
export interface EventReaderOptions {
  /** By its type, whether an event may be left out unread; it is not asked about events that do not begin with their type. */
  readonly isIgnored?: (type: string) => boolean;
  /**
   * Takes events unread, as many as it knows, the first of which begins at `from`; returns where it stopped. It is shown whole events only
   * (the last one may be cut), and stops before what it does not know.
   */
  readonly take?: (bytes: Uint8Array, from: number) => number;
  readonly maxEventBytes?: number;
}

/** Is shown an event with the length of its data in UTF-16 units, and the bytes that it was read of where they stand in one piece. */
export type OnEvent = (event: JsonObject, length: number, bytes?: Uint8Array, start?: number, end?: number) => void;

/** One event larger than this is no answer: a generated image has some megabytes. */
const MAX_EVENT_BYTES = 64 * 1024 * 1024;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

const TOO_LARGE: JsonObject = {
  type: "error",
  code: "upstream_event_too_large",
  message: "The upstream sent an event beyond all measure, so its answer was given up: send the request again.",
};

/** Begins with its type, as OpenAI writes events. */
const LEADING_TYPE = /^\{"type":"([^"\\]*)"/;

/**
 * Makes a reader for one stream. What is no JSON object (`[DONE]`, a broken line) is left out. The deltas of texts and of arguments come with
 * `type`, `item_id`, `output_index` and `delta` only, all others in full. An event that is too large is told of as an `error` event, after
 * which nothing more comes.
 */
export function createEventReader(onEvent: OnEvent, options: EventReaderOptions = {}): EventReader {
  const { isIgnored = () => false, take = (_, from) => from, maxEventBytes = MAX_EVENT_BYTES } = options;
  const decoder = new TextDecoder();
  /** The beginning of an event whose end has not come, in the pieces in which it came. */
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let terminated = false;
  let parser: EventSourceParser | undefined;

  function read(data: string, bytes?: Uint8Array, start?: number, end?: number): void {
    const event = readDeltaEvent(data) ?? parse(data, isIgnored);
    if (event !== undefined) onEvent(event, data.length, bytes, start, end);
  }

  function giveUp(): void {
    terminated = true;
    held = [];
    onEvent(TOO_LARGE, 0);
  }

  function hold(bytes: Uint8Array, from: number): void {
    // A copy (a Node Buffer's `slice` is none): the bytes belong to whoever delivered them.
    held.push(new Uint8Array(bytes.subarray(from)));
    heldBytes += bytes.length - from;
    if (heldBytes > maxEventBytes) giveUp();
  }

  /** What was held, with the first bytes that came behind it. */
  function released(bytes: Uint8Array, to: number): Uint8Array {
    const whole = joinBytes([...held, bytes.subarray(0, to)]);
    held = [];
    heldBytes = 0;
    return whole;
  }

  /** Returns false where the stream is given up. */
  function readOne(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start > maxEventBytes) {
      giveUp();
      return false;
    }
    const data = dataOf(decoder.decode(bytes.subarray(start, end)));
    if (data !== undefined) read(data, bytes, start, end);
    return true;
  }

  /** OpenAI ends its lines in LF; for every other stream there is a parser that knows the standard in full. */
  function turnToParser(rest: Uint8Array): void {
    parser = createParser({
      maxBufferSize: maxEventBytes,
      onEvent: ({ data }) => read(data),
      onError: (error) => {
        if (error.type === "max-buffer-size-exceeded") giveUp();
      },
    });
    parser.feed(decoder.decode(rest, { stream: true }));
  }

  function pushLines(bytes: Uint8Array): void {
    let from = 0;
    if (heldBytes > 0) {
      const isSplit = bytes[0] === LINE_FEED && held.at(-1)?.at(-1) === LINE_FEED;
      const end = isSplit ? 1 : endOfEvent(bytes, 0);
      if (hasReturn(bytes, 0, end)) {
        turnToParser(released(bytes, bytes.length));
        return;
      }
      if (end === -1) {
        hold(bytes, 0);
        return;
      }
      const whole = released(bytes, end);
      if (take(whole, 0) === 0 && !readOne(whole, 0, whole.length)) return;
      from = end;
    }
    for (;;) {
      from = take(bytes, from);
      if (from === bytes.length) return;
      const end = endOfEvent(bytes, from);
      if (hasReturn(bytes, from, end)) {
        turnToParser(bytes.subarray(from));
        return;
      }
      if (end === -1) {
        hold(bytes, from);
        return;
      }
      if (!readOne(bytes, from, end)) return;
      from = end;
    }
  }

  return {
    push(bytes) {
      if (terminated || bytes.length === 0) return;
      if (parser === undefined) pushLines(bytes);
      else parser.feed(decoder.decode(bytes, { stream: true }));
    },
    finish() {
      if (terminated) return;
      if (parser !== undefined) parser.feed(`${decoder.decode()}\n\n`);
      else if (heldBytes > 0) {
        const rest = released(new Uint8Array(0), 0);
        readOne(rest, 0, rest.length);
      }
    },
  };
}

/** Where the event ends that is at work at `from`, behind its blank line; -1 where that has not come. */
function endOfEvent(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(LINE_FEED, from);
  while (at !== -1 && bytes[at + 1] !== LINE_FEED) at = bytes.indexOf(LINE_FEED, at + 1);
  return at === -1 ? -1 : at + 2;
}

function hasReturn(bytes: Uint8Array, from: number, end: number): boolean {
  const at = bytes.indexOf(CARRIAGE_RETURN, from);
  return at !== -1 && (end === -1 || at < end);
}

/** The data of an event; undefined where it has none. */
function dataOf(text: string): string | undefined {
  const end = text.endsWith("\n\n") ? text.length - 2 : text.length;
  // A name and one line of data, as OpenAI writes events: nothing has to be taken apart.
  const start = text.startsWith("event:") ? text.indexOf("\n") + 1 : 0;
  const nextLine = text.indexOf("\n", start);
  if (text.startsWith("data: ", start) && (nextLine === -1 || nextLine >= end)) return text.slice(start + 6, end);
  const lines = text.slice(0, end).split("\n");
  const data = lines.filter((line) => line === "data" || line.startsWith("data:"));
  if (data.length === 0) return undefined;
  return data.map((line) => line.slice(line.startsWith("data: ") ? 6 : 5)).join("\n");
}

function parse(data: string, isIgnored: (type: string) => boolean): JsonObject | undefined {
  const type = LEADING_TYPE.exec(data)?.[1];
  if (type !== undefined && isIgnored(type)) return undefined;
  try {
    const event: unknown = JSON.parse(data);
    return isJsonObject(event) ? event : undefined;
  } catch {
    return undefined;
  }
}
