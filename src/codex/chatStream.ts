import type { JsonObject } from "../wire/json.ts";
import { createAnswerEvents } from "./answerEvents.ts";
import type { AnswerState } from "./answerSink.ts";
import { CHAT_DONE, type ChatChunks, type ChunkFrame, createChatChunks, framed } from "./chatChunks.ts";
import { type CodexFailure, failureBody } from "./codexFailure.ts";

/** What a chat answer needs to know of its request. */
export interface ChatAnswerOptions {
  /** The completion's id, `chatcmpl-…`. */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  /** The model's name to show; undefined for the one that the upstream names. */
  readonly model: string | undefined;
  /** `stream_options.include_usage`. */
  readonly includeUsage: boolean;
  /** Gives a tool the name that its caller knows it by. */
  readonly toCaller: (toolName: string) => string;
  /** The caller reads a call as the legacy `function_call`. */
  readonly legacyCalls?: boolean;
}

/** A Codex answer on its way to a caller of chat completions that streams. */
export interface ChatStream {
  /**
   * Takes one event; returns what the caller gets for it, "" for nothing. A failure is told as an error event, without finish reason and `[DONE]`;
   * where `begun` is still false then, it may become an HTTP answer instead.
   */
  push(event: JsonObject): string;
  /** The upstream broke off: the error event, "" where the answer has ended already. */
  cut(failure: CodexFailure): string;
  /**
   * The chunk of one more delta like the last event's: what may take the place of `push` for an event that differs from the last one in its delta
   * only. Undefined where the last event was no delta.
   */
  readonly frame: ChunkFrame | undefined;
  /** Deltas of this many UTF-16 units were told with the frame. */
  framed(units: number): void;
  /** Whether anything of the answer itself was returned. */
  readonly begun: boolean;
  readonly progress: AnswerState;
  readonly failure: CodexFailure | undefined;
}

/** Shown where neither the caller nor the upstream names a model: the field must not be missing. */
export const UNNAMED_MODEL = "unknown";

/** Makes the translation of one answer. */
export function createChatStream(options: ChatAnswerOptions): ChatStream {
  let out = "";
  let chunks: ChatChunks | undefined;
  let served: string | undefined;
  let frame: ChunkFrame | undefined;
  /** The frame of the call whose input was told last. */
  let input: { readonly index: number; readonly frame: ChunkFrame | undefined } | undefined;

  function tellDelta(of: ChunkFrame | undefined, delta: string): void {
    frame = of;
    if (of !== undefined) out += framed(of, delta);
  }

  /** The role waits for the first word, so that a failure before it can still be an HTTP status. Adds to `out`: not to be called within a sum of it. */
  function opened(content: "" | null): ChatChunks {
    if (chunks === undefined) {
      chunks = createChatChunks({ ...options, model: options.model ?? served ?? UNNAMED_MODEL });
      out += chunks.role(content);
    }
    return chunks;
  }

  const events = createAnswerEvents(
    {
      model(name) {
        served = name;
      },
      text(delta) {
        tellDelta(opened("").text, delta);
      },
      refusal(delta) {
        tellDelta(opened(null).refusal, delta);
      },
      reasoning(delta) {
        tellDelta(opened(null).reasoning, delta);
      },
      call(index, kind, id, name, input) {
        const writer = opened(null);
        out += writer.call(index, kind, id, name, input);
      },
      callInput(index, kind, delta) {
        // Asked for once for a run of deltas: they are all of one call.
        if (input?.index !== index) input = { index, frame: opened(null).callInput(index, kind) };
        tellDelta(input.frame, delta);
      },
      annotation(annotation) {
        const writer = opened("");
        out += writer.other({ annotations: [annotation] });
      },
      image(url) {
        const writer = opened(null);
        out += writer.other({ images: [{ type: "image_url", image_url: { url } }] });
      },
      ended({ reason, usage, serviceTier }) {
        const writer = opened("");
        out += writer.finish(reason, serviceTier);
        if (options.includeUsage && usage !== undefined) out += writer.usage(usage, serviceTier);
        out += CHAT_DONE;
      },
      failed(failure) {
        out += `data: ${JSON.stringify(failureBody(failure))}\n\n`;
      },
    },
    { toCaller: options.toCaller, fallbackCallId: `call_${options.id}_`, startedAt: options.createdAt * 1000 },
  );

  function taken(): string {
    const text = out;
    out = "";
    return text;
  }

  return {
    push(event) {
      frame = undefined;
      events.push(event);
      return taken();
    },
    get frame() {
      return frame;
    },
    framed(units) {
      if (frame === chunks?.text) events.textTold(units);
    },
    cut(failure) {
      events.cut(failure);
      return taken();
    },
    get begun() {
      return chunks !== undefined;
    },
    get progress() {
      return events.progress;
    },
    get failure() {
      return events.failure;
    },
  };
}
