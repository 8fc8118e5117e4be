import type { CallKind, FinishReason } from "./answerSink.ts";
import type { JsonObject } from "../wire/json.ts";

/** What every chunk of an answer shares. */
export interface ChunkIdentity {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly model: string;
  /** Whether a chunk with usage follows: all others then carry `usage: null`. */
  readonly includeUsage: boolean;
  /** Whether a call is told as the legacy `function_call`. */
  readonly legacyCalls?: boolean;
}

/** A chunk without its delta: the delta's JSON text, without its quotes, belongs between each two of these. */
export type ChunkFrame = readonly string[];

/** Writes an answer's chunks as events; what is the same in all of them is serialised once. */
export interface ChatChunks {
  role(content: "" | null): string;
  readonly text: ChunkFrame;
  readonly refusal: ChunkFrame;
  readonly reasoning: ChunkFrame;
  call(index: number, kind: CallKind, id: string, name: string, input: string): string;
  /** Undefined where the caller is told nothing of it. */
  callInput(index: number, kind: CallKind): ChunkFrame | undefined;
  /** Any other delta. */
  other(delta: JsonObject): string;
  finish(reason: FinishReason, serviceTier: string | undefined): string;
  usage(usage: JsonObject, serviceTier: string | undefined): string;
}

/** The last event of a chat stream that came to its end. */
export const CHAT_DONE = "data: [DONE]\n\n";

/** Makes the writer of one answer's chunks. */
export function createChatChunks(identity: ChunkIdentity): ChatChunks {
  const { id, createdAt, model, includeUsage, legacyCalls = false } = identity;
  const shared = JSON.stringify({ id, object: "chat.completion.chunk", created: createdAt, model }).slice(0, -1);
  const start = `data: ${shared},"choices":[{"index":0,"delta":`;
  const usage = includeUsage ? ',"usage":null' : "";
  const end = `,"logprobs":null,"finish_reason":null}]${usage}}\n\n`;

  /** There is room for one call only, and no more were asked for. */
  function legacyCall(index: number, call: JsonObject): string {
    return index === 0 ? `${start}${JSON.stringify({ function_call: call })}${end}` : "";
  }

  return {
    role: (content) => `${start}${JSON.stringify({ role: "assistant", content })}${end}`,
    text: [`${start}{"content":"`, `"}${end}`],
    refusal: [`${start}{"refusal":"`, `"}${end}`],
    // Some clients know the one name, some the other, and none adds them up.
    reasoning: [`${start}{"reasoning_content":"`, '","reasoning":"', `"}${end}`],
    call(index, kind, callId, name, input) {
      if (legacyCalls) return legacyCall(index, { name, arguments: input });
      const call = { index, id: callId, type: kind, ...callBody(kind, name, input) };
      return `${start}${JSON.stringify({ tool_calls: [call] })}${end}`;
    },
    callInput(index, kind) {
      if (legacyCalls) return index === 0 ? [`${start}{"function_call":{"arguments":"`, `"}}${end}`] : undefined;
      const body = kind === "function" ? '"function":{"arguments":"' : '"custom":{"input":"';
      return [`${start}{"tool_calls":[{"index":${index},${body}`, `"}}]}${end}`];
    },
    other: (delta) => `${start}${JSON.stringify(delta)}${end}`,
    finish(reason, serviceTier) {
      const choices = `"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"${reasonShown(reason, legacyCalls)}"}]`;
      return `data: ${shared},${choices}${tierField(serviceTier)}${usage}}\n\n`;
    },
    usage: (counts, serviceTier) =>
      `data: ${shared},"choices":[]${tierField(serviceTier)},"usage":${JSON.stringify(counts)}}\n\n`,
  };
}

/** A chunk with its delta. */
export function framed(frame: ChunkFrame, delta: string): string {
  return frame.join(JSON.stringify(delta).slice(1, -1));
}

/** A finish reason as the caller knows it. */
export function reasonShown(reason: FinishReason, legacyCalls: boolean): FinishReason | "function_call" {
  return legacyCalls && reason === "tool_calls" ? "function_call" : reason;
}

/** A call's name and input in the shape of its kind. */
export function callBody(kind: CallKind, name: string, input: string): JsonObject {
  return kind === "function" ? { function: { name, arguments: input } } : { custom: { name, input } };
}

function tierField(serviceTier: string | undefined): string {
  return serviceTier === undefined ? "" : `,"service_tier":${JSON.stringify(serviceTier)}`;
}
