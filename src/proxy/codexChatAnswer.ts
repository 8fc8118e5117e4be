import { createAnswerItems } from "../codex/answerItems.ts";
import { createChatByteStream } from "../codex/chatByteStream.ts";
import { createChatCompletion } from "../codex/chatCompletion.ts";
import { type ChatAnswerOptions } from "../codex/chatStream.ts";
import { BROKEN_OFF, type CodexFailure } from "../codex/codexFailure.ts";
import { createEventReader } from "../codex/eventReader.ts";
import type { JsonObject } from "../wire/json.ts";
import { CHAT_KEEP_ALIVE } from "../wire/streamEvents.ts";
import {
  type CodexAnswerOptions,
  encoded,
  EVENT_STREAM,
  JSON_TYPE,
  NOTHING,
  type Shaping,
  STOPPED,
} from "./codexShaping.ts";

/** Chat chunks, made of a Responses stream. */
export function chatStream(options: CodexAnswerOptions): Shaping {
  const listener = itemListener(options);
  const stream = createChatByteStream(chatOptions(options), { event: listener.event, deltas: options.onDeltas });
  let written = false;

  function out(bytes: Uint8Array): Uint8Array {
    // Nothing is sent yet: the failure becomes an HTTP answer.
    if (bytes.length === 0 || (stream.failure !== undefined && !written)) return NOTHING;
    written = true;
    return bytes;
  }

  return {
    push(bytes) {
      const made = stream.push(bytes);
      if (stream.progress !== "open") listener.finish(stream.failure);
      return out(made);
    },
    end(outcome) {
      const made = outcome === "stopped" ? stream.cut(STOPPED) : stream.finish();
      listener.finish(stream.failure);
      return { lastBytes: out(made), how: stream.failure === undefined ? "end" : "destroy" };
    },
    silence() {
      if (stream.progress !== "open") return undefined;
      written = true;
      return encoded(CHAT_KEEP_ALIVE);
    },
    get refusal() {
      return written ? undefined : stream.failure;
    },
    get isOver() {
      return stream.progress !== "open";
    },
    contentType: EVENT_STREAM,
  };
}

/** A chat completion in one piece, made of a Responses stream. */
export function chatObject(options: CodexAnswerOptions): Shaping {
  const listener = itemListener(options);
  const completion = createChatCompletion(chatOptions(options));
  const reader = createEventReader((event, length) => {
    listener.event(event, length);
    completion.push(event);
  });
  return {
    push(bytes) {
      reader.push(bytes);
      return NOTHING;
    },
    end(outcome) {
      if (outcome === "stopped") completion.cut(STOPPED);
      reader.finish();
      completion.cut(BROKEN_OFF);
      listener.finish(completion.failure);
      if (completion.failure !== undefined) return undefined;
      return { lastBytes: encoded(JSON.stringify(completion.result())), how: "end" };
    },
    silence: () => undefined,
    get refusal() {
      return completion.failure;
    },
    get isOver() {
      return completion.progress !== "open";
    },
    contentType: JSON_TYPE,
  };
}

function chatOptions({ call, includeUsage, toCaller, legacyCalls }: CodexAnswerOptions): ChatAnswerOptions {
  const createdAt = Math.floor(call.startedAt / 1000);
  // The model in the answer is the one that answered, whatever name it was asked by.
  return { id: `chatcmpl-${call.id}`, createdAt, model: undefined, includeUsage, toCaller, legacyCalls };
}

/** Keeps the items for the conversation's memory, and tells of the limits. */
function itemListener(options: CodexAnswerOptions): {
  readonly event: (event: JsonObject, length: number) => void;
  readonly finish: (failure: CodexFailure | undefined) => void;
} {
  const items = createAnswerItems();
  let told = false;
  return {
    event(event, length) {
      options.onEvent(event);
      if (event["type"] === "response.output_item.done") items.add(event, length);
      else if (event["type"] === "codex.rate_limits") options.onLimits(event);
    },
    finish(failure) {
      if (told) return;
      told = true;
      if (failure === undefined) options.onItems(items.inOrder());
    },
  };
}
