import type { JsonObject } from "../wire/json.ts";
import { type ChatAnswerOptions, type ChatStream, createChatStream } from "./chatStream.ts";
import { BROKEN_OFF } from "./codexFailure.ts";
import { createEventReader } from "./eventReader.ts";

/** A Codex answer's bytes on their way to a caller of chat completions that streams. */
export interface ChatByteStream extends Omit<ChatStream, "push"> {
  /** Takes bytes, cut anywhere; returns what the caller gets for them, "" for nothing. */
  push(bytes: Uint8Array): string;
  /** The upstream's stream has ended: the rest of the answer, or the error event where there was no final event. */
  finish(): string;
}

/** Says nothing that a chat answer is made of, and some of them are large. */
const IGNORED = new Set([
  "response.in_progress",
  "response.queued",
  "response.content_part.added",
  "response.content_part.done",
  "response.image_generation_call.partial_image",
]);

/** Makes the translation of one answer, from bytes to text. `onEvent` is shown each event that is read. */
export function createChatByteStream(
  options: ChatAnswerOptions,
  onEvent: (event: JsonObject) => void = () => undefined,
): ChatByteStream {
  const stream = createChatStream(options);
  let out = "";
  const reader = createEventReader(
    (event) => {
      onEvent(event);
      out += stream.push(event);
    },
    (type) => IGNORED.has(type),
  );

  return {
    push(bytes) {
      // Behind the final event nothing counts, and its socket may stay open.
      if (stream.progress !== "open") return "";
      out = "";
      reader.push(bytes);
      return out;
    },
    finish() {
      out = "";
      if (stream.progress === "open") reader.finish();
      return out + stream.cut(BROKEN_OFF);
    },
    cut: (failure) => stream.cut(failure),
    get begun() {
      return stream.begun;
    },
    get progress() {
      return stream.progress;
    },
    get failure() {
      return stream.failure;
    },
  };
}
