import { readdirSync, readFileSync } from "node:fs";
import { createParser } from "eventsource-parser";
import { createChatByteStream, type ChatByteStream } from "../../src/codex/chatByteStream.ts";
import { createChatCompletion, type ChatCompletion } from "../../src/codex/chatCompletion.ts";
import type { ChatAnswerOptions } from "../../src/codex/chatStream.ts";
import { BROKEN_OFF } from "../../src/codex/codexFailure.ts";
import { createEventReader } from "../../src/codex/eventReader.ts";
import { joinBytes } from "../../src/wire/joinBytes.ts";

const FIXTURES = new URL("../fixtures/codexEvents/", import.meta.url);
const RECORDED = new URL("../fixtures/openaiEvents/", import.meta.url);
const encoder = new TextEncoder();

/** The names of the streams in `test/fixtures/codexEvents`. */
export const fixtureNames = streamsIn(FIXTURES);

/** The names of the streams in `test/fixtures/openaiEvents`. */
export const recordedNames = streamsIn(RECORDED);

function streamsIn(folder: URL): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sse"))
    .map((file) => file.slice(0, -".sse".length));
}

/** A stream as the backend sends it. */
export function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`${name}.sse`, FIXTURES));
}

/** A stream as OpenAI's Responses API was recorded with it. */
export function recorded(name: string): Uint8Array {
  return readFileSync(new URL(`${name}.sse`, RECORDED));
}

/** Events as the backend writes them. */
export function sse(events: readonly object[]): Uint8Array {
  return encoder.encode(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
}

/** What a chat answer is made with, usage asked for. */
export function answerOptions(changes: Partial<ChatAnswerOptions> = {}): ChatAnswerOptions {
  return {
    id: "chatcmpl-test",
    createdAt: 1_763_640_000,
    model: "gpt-5.5-high",
    includeUsage: true,
    toCaller: (name) => name,
    ...changes,
  };
}

/** Pieces of these sizes, the last size again and again. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let from = 0, index = 0; from < bytes.length; index += 1) {
    const size = sizes[Math.min(index, sizes.length - 1)] ?? bytes.length;
    pieces.push(bytes.subarray(from, from + size));
    from += size;
  }
  return pieces;
}

/** A stream's translation, with what its caller got. */
export interface Streamed extends ChatByteStream {
  readonly text: string;
}

/** Translates a whole stream. */
export function streamed(
  bytes: Uint8Array,
  options: ChatAnswerOptions = answerOptions(),
  sizes: readonly number[] = [bytes.length],
): Streamed {
  const stream = createChatByteStream(options);
  // Copies, as a relay's deliveries are gone when the next one comes.
  const pieces = cut(bytes, sizes).map((piece) => stream.push(piece.slice()));
  const text = new TextDecoder().decode(joinBytes([...pieces, stream.finish()]));
  return Object.assign(Object.create(stream) as ChatByteStream, { text });
}

/** Aggregates a whole stream. */
export function completed(bytes: Uint8Array, options: ChatAnswerOptions = answerOptions()): ChatCompletion {
  const completion = createChatCompletion(options);
  const reader = createEventReader((event) => completion.push(event));
  reader.push(bytes);
  reader.finish();
  completion.cut(BROKEN_OFF);
  return completion;
}

/** A chunk, or an error event; fields as tests ask for them. */
export interface Chunk {
  readonly id?: string;
  readonly object?: string;
  readonly created?: number;
  readonly model?: string;
  readonly service_tier?: string;
  readonly usage?: object | null;
  readonly error?: Readonly<Record<"message" | "type" | "code" | "param", string | null>>;
  readonly choices?: readonly {
    readonly index: number;
    readonly delta: Delta;
    readonly logprobs: null;
    readonly finish_reason: string | null;
  }[];
}

interface ToolDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
  readonly custom?: { readonly name?: string; readonly input?: string };
}

interface Delta {
  readonly role?: string;
  readonly content?: string | null;
  readonly refusal?: string;
  readonly reasoning_content?: string;
  readonly reasoning?: string;
  readonly tool_calls?: readonly ToolDelta[];
  readonly annotations?: readonly object[];
  readonly images?: readonly object[];
}

/** What a caller reads out of a stream: its events, and whether `[DONE]` was the last of them. */
export function readChunks(text: string): { readonly chunks: readonly Chunk[]; readonly done: boolean } {
  const data: string[] = [];
  createParser({ onEvent: (event) => void data.push(event.data) }).feed(text);
  const done = data.at(-1) === "[DONE]";
  return { chunks: (done ? data.slice(0, -1) : data).map((each) => JSON.parse(each) as Chunk), done };
}

/** A tool call as a caller puts it together. */
export interface AssembledCall {
  id: string;
  type: string;
  name: string;
  input: string;
}

/** What a caller puts together from a stream's deltas. */
export interface Assembled {
  content: string;
  refusal: string;
  reasoning: string;
  calls: AssembledCall[];
  annotations: object[];
  images: object[];
  finishReasons: string[];
  usages: object[];
  errors: NonNullable<Chunk["error"]>[];
}

/** Puts a stream's deltas together, as clients do. */
export function assemble(text: string): Assembled {
  const whole: Assembled = {
    content: "",
    refusal: "",
    reasoning: "",
    calls: [],
    annotations: [],
    images: [],
    finishReasons: [],
    usages: [],
    errors: [],
  };
  for (const chunk of readChunks(text).chunks) {
    if (chunk.error !== undefined) whole.errors.push(chunk.error);
    if (chunk.usage !== undefined && chunk.usage !== null) whole.usages.push(chunk.usage);
    for (const { delta, finish_reason } of chunk.choices ?? []) {
      if (finish_reason !== null) whole.finishReasons.push(finish_reason);
      whole.content += delta.content ?? "";
      whole.refusal += delta.refusal ?? "";
      whole.reasoning += delta.reasoning_content ?? "";
      whole.annotations.push(...(delta.annotations ?? []));
      whole.images.push(...(delta.images ?? []));
      for (const call of delta.tool_calls ?? []) addCall(whole.calls, call);
    }
  }
  return whole;
}

function addCall(calls: AssembledCall[], delta: ToolDelta): void {
  const input = delta.function?.arguments ?? delta.custom?.input ?? "";
  const known = calls[delta.index];
  if (known !== undefined) {
    known.input += input;
    return;
  }
  const name = delta.function?.name ?? delta.custom?.name ?? "";
  calls[delta.index] = { id: delta.id ?? "", type: delta.type ?? "", name, input };
}

/** What an aggregated completion holds, in the same form. */
export function assembledResult(completion: ChatCompletion): Assembled {
  const { choices, usage } = completion.result() as {
    readonly choices: readonly [
      { readonly message: Delta & { content: string | null }; readonly finish_reason: string },
    ];
    readonly usage?: object;
  };
  const { message, finish_reason } = choices[0];
  return {
    content: message.content ?? "",
    refusal: message.refusal ?? "",
    reasoning: message.reasoning_content ?? "",
    calls: (message.tool_calls ?? []).map((call) => ({
      id: call.id ?? "",
      type: call.type ?? "",
      name: call.function?.name ?? call.custom?.name ?? "",
      input: call.function?.arguments ?? call.custom?.input ?? "",
    })),
    annotations: [...(message.annotations ?? [])],
    images: [...(message.images ?? [])],
    finishReasons: [finish_reason],
    usages: usage === undefined ? [] : [usage],
    errors: [],
  };
}
