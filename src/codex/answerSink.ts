import type { JsonObject } from "../wire/json.ts";
import type { CodexFailure } from "./codexFailure.ts";

/** Why an answer ended, in the words of chat completions. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

/** What kind of tool a call is for. */
export type CallKind = "function" | "custom";

/** How an answer stands. */
export type AnswerState = "open" | "complete" | "incomplete" | "failed";

/** How an answer ended. */
export interface AnswerEnd {
  readonly reason: FinishReason;
  /** In the shape of chat completions; undefined where the upstream reported none. */
  readonly usage: JsonObject | undefined;
  readonly serviceTier: string | undefined;
}

/** Takes an answer's parts in the order in which a caller gets them. */
export interface AnswerSink {
  /** The model that the upstream names, before anything else. */
  model(name: string): void;
  text(delta: string): void;
  refusal(delta: string): void;
  reasoning(delta: string): void;
  /** A call begins; `index` counts an answer's calls, `input` is what is known of its input already. */
  call(index: number, kind: CallKind, id: string, name: string, input: string): void;
  callInput(index: number, kind: CallKind, delta: string): void;
  annotation(annotation: JsonObject): void;
  /** A generated picture, as a data URL. */
  image(url: string): void;
  /** Told once, unless it is `failed` that is told. */
  ended(end: AnswerEnd): void;
  failed(failure: CodexFailure): void;
}
