import { ByteWriter } from "../wire/byteWriter.ts";
import { joinBytes } from "../wire/joinBytes.ts";
import { viewOf } from "../wire/knownBytes.ts";
import type { JsonObject } from "../wire/json.ts";
import { type ChatAnswerOptions, createChatStream } from "./chatStream.ts";
import type { AnswerState } from "./answerSink.ts";
import type { ChunkFrame } from "./chatChunks.ts";
import { BROKEN_OFF, type CodexFailure } from "./codexFailure.ts";
import { type DeltaShape, learnShape } from "./deltaShape.ts";
import { createEventReader } from "./eventReader.ts";

/** A Codex answer's bytes on their way to a caller of chat completions that streams. What it returns is empty where there is nothing to say. */
export interface ChatByteStream {
  /** Takes bytes, cut anywhere; returns what the caller gets for them. */
  push(bytes: Uint8Array): Uint8Array;
  /** The upstream's stream has ended: the rest of the answer, or the error event where there was no final event. */
  finish(): Uint8Array;
  /** The answer is broken off: the error event, nothing where the answer has ended already. */
  cut(failure: CodexFailure): Uint8Array;
  /** Whether anything of the answer itself was returned. */
  readonly begun: boolean;
  readonly progress: AnswerState;
  readonly failure: CodexFailure | undefined;
}

/** Is told what is read, with its length in UTF-16 units. */
export interface ChatByteListener {
  event(event: JsonObject, length: number): void;
  /** So many more deltas like the last event, which are not shown. */
  deltas(count: number): void;
}

/** Says nothing that a chat answer is made of, and some of them are large. */
const IGNORED = new Set([
  "response.in_progress",
  "response.queued",
  "response.content_part.added",
  "response.content_part.done",
  "response.image_generation_call.partial_image",
]);

const NOTHING = new Uint8Array(0);
const SILENT: ChatByteListener = { event: () => undefined, deltas: () => undefined };

/**
 * Makes the translation of one answer, from bytes to bytes. In a run of deltas every one but the first is not parsed: its JSON text is put
 * into the chunk as the upstream wrote it.
 */
export function createChatByteStream(options: ChatAnswerOptions, listener: ChatByteListener = SILENT): ChatByteStream {
  const stream = createChatStream(options);
  const out = new ByteWriter();
  /** How the upstream writes deltas, learnt of the last one that was parsed. */
  let shape: DeltaShape | undefined;
  let frame: EncodedFrame | undefined;

  const reader = createEventReader(
    (event, length, bytes, start = 0, end = 0) => {
      listener.event(event, length);
      out.text(stream.push(event));
      if (stream.frame === undefined || bytes === undefined) return;
      frame = frame?.of === stream.frame ? frame : encodedFrame(stream.frame);
      if (shape?.matches(bytes, viewOf(bytes), start) !== true) shape = learnShape(bytes, start, end);
    },
    {
      isIgnored: (type) => IGNORED.has(type),
      take(bytes, from) {
        // Only right behind a delta: what any other event changes is known to the stream alone.
        if (stream.frame === undefined || shape === undefined || frame === undefined) return from;
        let at = from;
        const view = viewOf(bytes);
        let deltas = 0;
        let units = 0;
        while (shape.matches(bytes, view, at)) {
          out.bytes(at === from ? frame.first : frame.between);
          for (const middle of frame.middle) {
            out.stretch(bytes, shape.start, shape.end);
            out.bytes(middle);
          }
          out.stretch(bytes, shape.start, shape.end);
          units += shape.units;
          deltas += 1;
          at = shape.next;
        }
        if (deltas > 0) {
          out.bytes(frame.last);
          stream.framed(units);
          listener.deltas(deltas);
        }
        return at;
      },
    },
  );

  return {
    push(bytes) {
      // Behind the final event nothing counts, and its socket may stay open.
      if (stream.progress !== "open") return NOTHING;
      reader.push(bytes);
      return out.take();
    },
    finish() {
      if (stream.progress === "open") reader.finish();
      out.text(stream.cut(BROKEN_OFF));
      return out.take();
    },
    cut(failure) {
      out.text(stream.cut(failure));
      return out.take();
    },
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

interface EncodedFrame {
  readonly of: ChunkFrame;
  readonly first: Uint8Array;
  readonly middle: readonly Uint8Array[];
  readonly last: Uint8Array;
  /** The last of a chunk and the first of the next. */
  readonly between: Uint8Array;
}

function encodedFrame(of: ChunkFrame): EncodedFrame {
  const encoder = new TextEncoder();
  const parts = of.map((text) => encoder.encode(text));
  const first = parts[0] ?? NOTHING;
  const last = parts.at(-1) ?? NOTHING;
  return { of, first, middle: parts.slice(1, -1), last, between: joinBytes([last, first]) };
}
