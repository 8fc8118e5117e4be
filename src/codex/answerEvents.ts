import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { createAnswerCalls } from "./answerCalls.ts";
import { createAnswerReasoning } from "./answerReasoning.ts";
import type { AnswerSink, AnswerState, CallKind, FinishReason } from "./answerSink.ts";
import { createAnswerTexts } from "./answerTexts.ts";
import { chatUsage } from "./chatUsage.ts";
import { failureOfEvent } from "./codexError.ts";
import { type CodexFailure, EMPTY_ANSWER, TOO_LARGE_ANSWER } from "./codexFailure.ts";
import { countOf, fieldsOf, listOf, textOf } from "./eventFields.ts";

/** Reads the events of one Codex answer and tells a sink what they say. */
export interface AnswerEvents {
  /** Takes any event: what is unknown or misshapen is left out, and nothing is read behind the end. */
  push(event: JsonObject): void;
  /** Another delta of this many UTF-16 units was told, of the message that the last event was a delta of. */
  textTold(units: number): void;
  /** The upstream broke off; says whether that is news. */
  cut(failure: CodexFailure): boolean;
  readonly progress: AnswerState;
  readonly failure: CodexFailure | undefined;
}

/** What the reading of an answer needs to know. */
export interface AnswerEventsOptions {
  readonly toCaller: (toolName: string) => string;
  /** What the ids of calls begin with to which the upstream gave none. */
  readonly fallbackCallId: string;
  /** When the answer began, in milliseconds since the epoch. */
  readonly startedAt: number;
}

/** A picture's format becomes part of a data URL. */
const IMAGE_FORMAT = /^[a-z0-9]{1,8}$/;

/** Makes the reader of one answer. */
export function createAnswerEvents(target: AnswerSink, options: AnswerEventsOptions): AnswerEvents {
  let progress: AnswerState = "open";
  let failure: CodexFailure | undefined;
  let told = false;
  let modelTold = false;
  const images = new Set<string>();
  const sink = noting(target, () => {
    told = true;
  });
  const texts = createAnswerTexts(sink);
  const reasoning = createAnswerReasoning(sink);
  const calls = createAnswerCalls(sink, options.toCaller, options.fallbackCallId);

  function fail(reason: CodexFailure): void {
    progress = "failed";
    failure = reason;
    target.failed(reason);
  }

  function end(response: JsonObject, state: "complete" | "incomplete"): void {
    // The final event lists what streamed, or nothing; it is all there is where no item streamed.
    if (!told)
      for (const [index, item] of listOf(response["output"]).entries())
        if (!itemDone({ output_index: index }, item)) {
          fail(TOO_LARGE_ANSWER);
          return;
        }
    calls.finish();
    // What was told may have been more than the sink takes.
    if (failure !== undefined) return;
    const usage = chatUsage(response["usage"]);
    if (state === "complete" && !told && (countOf(usage?.["completion_tokens"]) ?? 0) === 0) {
      fail(EMPTY_ANSWER);
      return;
    }
    progress = state;
    const reason = finishReason(response, state, calls.count);
    target.ended({ reason, usage, serviceTier: textOf(response["service_tier"]) });
  }

  function itemDone(event: JsonObject, item: JsonObject): boolean {
    const type = item["type"];
    if (type === "message") return texts.itemDone(event, item);
    if (type === "reasoning") return reasoning.itemDone(event, item);
    if (type === "image_generation_call") tellImage(item);
    const kind = callKind(type);
    return kind === undefined || calls.itemDone(event, item, kind);
  }

  function itemBegins(event: JsonObject, item: JsonObject): boolean {
    const type = item["type"];
    if (type === "message") return texts.begin(event, item);
    if (type === "reasoning") return reasoning.begin(event, item);
    const kind = callKind(type);
    return kind === undefined || calls.begin(event, item, kind);
  }

  function tellImage(item: JsonObject): void {
    const result = textOf(item["result"]);
    const id = textOf(item["id"]);
    if (result === undefined || (id !== undefined && images.has(id))) return;
    if (id !== undefined) images.add(id);
    const format = textOf(item["output_format"]);
    sink.image(`data:image/${format !== undefined && IMAGE_FORMAT.test(format) ? format : "png"};base64,${result}`);
  }

  /** Returns false where there is more of something than any answer has. */
  function read(event: JsonObject): boolean {
    switch (event["type"]) {
      case "response.output_text.delta":
        return texts.delta(event, "text");
      case "response.function_call_arguments.delta":
        return calls.delta(event, "function");
      case "response.custom_tool_call_input.delta":
        return calls.delta(event, "custom");
      case "response.reasoning_summary_text.delta":
        return reasoning.delta(event, "summary");
      case "response.reasoning_text.delta":
        return reasoning.delta(event, "text");
      case "response.refusal.delta":
        return texts.delta(event, "refusal");
      case "response.output_text.done":
        return texts.partDone(event, "text");
      case "response.refusal.done":
        return texts.partDone(event, "refusal");
      case "response.reasoning_summary_text.done":
        return reasoning.partDone(event, "summary");
      case "response.reasoning_text.done":
        return reasoning.partDone(event, "text");
      case "response.reasoning_summary_part.added":
        reasoning.paragraph();
        return true;
      case "response.function_call_arguments.done":
        return calls.inputDone(event, "function");
      case "response.custom_tool_call_input.done":
        return calls.inputDone(event, "custom");
      case "response.output_text.annotation.added":
        return texts.annotation(event);
      case "response.output_item.added":
        return !isJsonObject(event["item"]) || itemBegins(event, event["item"]);
      case "response.output_item.done":
        return !isJsonObject(event["item"]) || itemDone(event, event["item"]);
      default:
        readState(event);
        return true;
    }
  }

  function readState(event: JsonObject): void {
    const response = fieldsOf(event["response"]);
    const model = textOf(response["model"]);
    if (!modelTold && model !== undefined) {
      modelTold = true;
      target.model(model);
    }
    const state = stateOf(event["type"], response["status"]);
    if (state === "failed") fail(failureOfEvent(event, options.startedAt));
    else if (state !== "open") end(response, state);
  }

  return {
    push(event) {
      if (progress === "open" && !read(event) && progress === "open") fail(TOO_LARGE_ANSWER);
    },
    textTold(units) {
      texts.told(units);
    },
    cut(reason) {
      if (progress !== "open") return false;
      fail(reason);
      return true;
    },
    get progress() {
      return progress;
    },
    get failure() {
      return failure;
    },
  };
}

/** What an event's type says of the whole answer. */
function stateOf(type: unknown, status: unknown): AnswerState {
  switch (type) {
    case "response.completed":
      return "complete";
    case "response.incomplete":
      return "incomplete";
    case "response.failed":
    case "response.cancelled":
    case "response.error":
    case "error":
      return "failed";
    // The last event over WebSocket, which says by the response's status how it ended.
    case "response.done":
      if (status === "incomplete") return "incomplete";
      return status === "failed" || status === "cancelled" ? "failed" : "complete";
    default:
      return "open";
  }
}

function finishReason(response: JsonObject, state: "complete" | "incomplete", calls: number): FinishReason {
  if (state === "incomplete")
    return fieldsOf(response["incomplete_details"])["reason"] === "content_filter" ? "content_filter" : "length";
  return calls > 0 ? "tool_calls" : "stop";
}

/** The upstream runs all other calls itself: a caller that got one as a tool call would answer it. */
function callKind(type: unknown): CallKind | undefined {
  if (type === "function_call") return "function";
  return type === "custom_tool_call" ? "custom" : undefined;
}

/** The same sink, with a note taken when something of the answer itself is told. */
function noting(sink: AnswerSink, note: () => void): AnswerSink {
  return {
    ...sink,
    text(delta) {
      note();
      sink.text(delta);
    },
    refusal(delta) {
      note();
      sink.refusal(delta);
    },
    reasoning(delta) {
      note();
      sink.reasoning(delta);
    },
    call(index, kind, id, name, input) {
      note();
      sink.call(index, kind, id, name, input);
    },
    image(url) {
      note();
      sink.image(url);
    },
  };
}
