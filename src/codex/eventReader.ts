import { createParser, type EventSourceParser } from "eventsource-parser";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { readDeltaEvent } from "./deltaEvent.ts";

/** Reads the events of a Codex answer out of its bytes. */
export interface EventReader {
  /** The next bytes, cut anywhere. */
  push(bytes: Uint8Array): void;
  /** The stream has ended: an event without its blank line still counts where it is whole. */
  finish(): void;
}

/** One event larger than this (in UTF-16 units) is no answer: a generated image has some megabytes. */
const MAX_EVENT_CHARACTERS = 64 * 1024 * 1024;

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
 *
 * @param isIgnored by its type, whether an event may be left out unread; it is not asked about events that do not begin with their type.
 */
export function createEventReader(
  onEvent: (event: JsonObject) => void,
  isIgnored: (type: string) => boolean = () => false,
  maxEventCharacters: number = MAX_EVENT_CHARACTERS,
): EventReader {
  // Bytes become text in one go per delivery: searching in text is several times as fast as in bytes.
  const decoder = new TextDecoder();
  let rest = "";
  let terminated = false;
  let parser: EventSourceParser | undefined;

  function take(data: string): void {
    const event = readDeltaEvent(data) ?? parse(data, isIgnored);
    if (event !== undefined) onEvent(event);
  }

  function giveUp(): void {
    terminated = true;
    rest = "";
    onEvent(TOO_LARGE);
  }

  function feed(text: string): void {
    if (terminated) return;
    // OpenAI ends its lines in LF; for every other stream there is a parser that knows the standard in full.
    if (parser === undefined && text.includes("\r")) {
      parser = createParser({
        maxBufferSize: maxEventCharacters,
        onEvent: ({ data }) => take(data),
        onError: (error) => {
          if (error.type === "max-buffer-size-exceeded") giveUp();
        },
      });
      const before = rest;
      rest = "";
      parser.feed(before + text);
    } else if (parser === undefined) feedLines(text);
    else parser.feed(text);
  }

  function feedLines(text: string): void {
    const all = rest === "" ? text : rest + text;
    let from = 0;
    // What is left of earlier has no blank line in it but for one that its last line feed begins.
    let end = all.indexOf("\n\n", Math.max(0, rest.length - 1));
    while (end !== -1) {
      if (end - from > maxEventCharacters) return giveUp();
      const data = dataOf(all, from, end);
      if (data !== undefined) take(data);
      from = end + 2;
      end = all.indexOf("\n\n", from);
    }
    rest = from === 0 ? all : all.slice(from);
    if (rest.length > maxEventCharacters) giveUp();
  }

  return {
    push: (bytes) => feed(decoder.decode(bytes, { stream: true })),
    finish() {
      feed(decoder.decode());
      feed("\n\n");
    },
  };
}

/** The data of the event in this stretch of text; undefined where it has none. */
function dataOf(text: string, from: number, end: number): string | undefined {
  // A name and one line of data, as OpenAI writes events: nothing has to be taken apart.
  const start = text.startsWith("event:", from) ? text.indexOf("\n", from) + 1 : from;
  const nextLine = text.indexOf("\n", start);
  if (text.startsWith("data: ", start) && (nextLine === -1 || nextLine >= end)) return text.slice(start + 6, end);
  const lines = text.slice(from, end).split("\n");
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
