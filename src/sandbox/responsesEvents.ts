import { eventText } from "./eventText.ts";
import { breakOff, createPace, type Pace } from "./pacing.ts";
import { FAILURE_MESSAGE } from "./prepare.ts";
import type { Call } from "./reply.ts";
import { shapeEvent } from "./responsesEventShape.ts";
import {
  callItem,
  COMMENTARY,
  commentaryItem,
  commentaryPart,
  imageItem,
  messageItem,
  type OutputPart,
  outputParts,
  reasoningItem,
  searchItem,
  summaryParts,
  textPart,
  wholeItem,
  wholeOutput,
} from "./responseItems.ts";
import { begun, responseObject, type ResponsesAnswer } from "./responseObject.ts";
import type { Item } from "./responsesRequest.ts";
import type { Step, Steps } from "./stepStream.ts";
import { tokensOf } from "./tokenCount.ts";

/** What the sending of a response's events needs to know besides the answer. */
export interface ResponsesEventsOptions {
  /** Events up to this sequence number are left out: a reader resumes. */
  readonly startingAfter: number;
  readonly counted: (sent: number) => void;
  readonly reported: (usage: unknown) => void;
}

type Send = (type: string, fields: Record<string, unknown>) => Iterable<Step>;

/** The event sequence of a response, from `response.created` to its terminal event, each with its sequence number. */
export function* responsesSteps(answer: ResponsesAnswer, options: ResponsesEventsOptions): Steps {
  const { reply } = answer;
  let sequence = -1;
  const send: Send = (type, fields) => {
    const shaped = shapeEvent(reply.script.shape, type, fields);
    if (shaped === undefined) return [];
    sequence += 1;
    if (sequence <= options.startingAfter) return [];
    const event = { type, ...shaped, sequence_number: sequence };
    return [{ kind: "send", text: eventText(reply.script.crlf, event, type) }];
  };
  const pace = createPace({
    script: reply.script,
    interruption: answer.interruption,
    delay: answer.delay,
    commentBeforeFirst: answer.upstream === "openrouter",
    counted: options.counted,
  });
  const queued = answer.request.background === true;
  yield* send("response.created", { response: responseObject(answer, begun(queued ? "queued" : "in_progress")) });
  if (queued) yield* send("response.queued", { response: responseObject(answer, begun("queued")) });
  yield* send("response.in_progress", { response: responseObject(answer, begun("in_progress")) });
  const text = yield* outputSteps(answer, send, pace);
  const interruption = pace.due(true);
  if (interruption !== undefined) return yield* breakOff(interruption, () => failureSteps(answer, send));
  const usage = reply.script.usage ? answer.usage(pace.sent) : null;
  if (usage !== null) options.reported(usage);
  const status = reply.truncated ? "incomplete" : "completed";
  const state = { status, output: wholeOutput(answer, text), usage, error: null } as const;
  yield* send(`response.${status}`, { response: responseObject(answer, state) });
  return "finished";
}

/** All output items; returns the message's text. */
function* outputSteps(answer: ResponsesAnswer, send: Send, pace: Pace): Generator<Step, string> {
  let text = "";
  for (const [index, part] of outputParts(answer).entries()) {
    if (pace.due(false) !== undefined) return text;
    text += yield* partSteps(answer, send, pace, index, part);
  }
  return text;
}

/** One output item; returns what of it is the message's text. */
function* partSteps(
  answer: ResponsesAnswer,
  send: Send,
  pace: Pace,
  index: number,
  part: OutputPart,
): Generator<Step, string> {
  switch (part.kind) {
    case "message":
      return yield* messageSteps(answer, send, pace, index);
    case "call":
      yield* callSteps(answer, send, pace, index, part.call, part.place);
      break;
    case "compaction": {
      const item = wholeItem(answer, part, "");
      yield* send("response.output_item.added", { output_index: index, item });
      yield* send("response.output_item.done", { output_index: index, item });
      break;
    }
    case "reasoning":
      yield* reasoningSteps(answer, send, index);
      break;
    case "commentary":
      yield* commentarySteps(answer, send, index);
      break;
    case "search":
      yield* hostedSteps(
        send,
        index,
        "web_search_call",
        "searching",
        searchItem(answer, "in_progress"),
        searchItem(answer, "completed"),
      );
      break;
    case "image":
      yield* hostedSteps(
        send,
        index,
        "image_generation_call",
        "generating",
        imageItem(answer, "in_progress"),
        imageItem(answer, "completed"),
      );
      break;
  }
  return "";
}

function* reasoningSteps(answer: ResponsesAnswer, send: Send, index: number): Generator<Step> {
  const opening = reasoningItem(answer, "opening");
  yield* send("response.output_item.added", { output_index: index, item: opening });
  for (const [summaryIndex, text] of summaryParts(answer).entries()) {
    const place = { item_id: opening["id"], output_index: index, summary_index: summaryIndex };
    yield* send("response.reasoning_summary_part.added", { ...place, part: { type: "summary_text", text: "" } });
    for (const delta of tokensOf(text)) yield* send("response.reasoning_summary_text.delta", { ...place, delta });
    yield* send("response.reasoning_summary_text.done", { ...place, text });
    yield* send("response.reasoning_summary_part.done", { ...place, part: { type: "summary_text", text } });
  }
  yield* send("response.output_item.done", { output_index: index, item: reasoningItem(answer, "whole") });
}

function* commentarySteps(answer: ResponsesAnswer, send: Send, index: number): Generator<Step> {
  const opening = commentaryItem(answer, "in_progress");
  const place = { item_id: opening["id"], output_index: index, content_index: 0 };
  yield* send("response.output_item.added", { output_index: index, item: opening });
  yield* send("response.content_part.added", { ...place, part: commentaryPart("") });
  for (const delta of tokensOf(COMMENTARY))
    yield* send("response.output_text.delta", { ...place, delta, logprobs: [] });
  yield* send("response.output_text.done", { ...place, text: COMMENTARY, logprobs: [] });
  yield* send("response.content_part.done", { ...place, part: commentaryPart(COMMENTARY) });
  yield* send("response.output_item.done", { output_index: index, item: commentaryItem(answer, "completed") });
}

/** A call that the upstream makes and answers itself. */
function* hostedSteps(
  send: Send,
  index: number,
  name: string,
  activity: string,
  opening: Item,
  whole: Item,
): Generator<Step> {
  const place = { item_id: opening["id"], output_index: index };
  yield* send("response.output_item.added", { output_index: index, item: opening });
  yield* send(`response.${name}.in_progress`, place);
  yield* send(`response.${name}.${activity}`, place);
  yield* send(`response.${name}.completed`, place);
  yield* send("response.output_item.done", { output_index: index, item: whole });
}

function* messageSteps(answer: ResponsesAnswer, send: Send, pace: Pace, index: number): Generator<Step, string> {
  const { reply } = answer;
  const opening = messageItem(answer, "in_progress", "");
  const place = { item_id: opening["id"], output_index: index, content_index: 0 };
  const name = reply.refused ? "response.refusal" : "response.output_text";
  const extra = reply.refused ? {} : { logprobs: [] };
  let text = "";
  yield* send("response.output_item.added", { output_index: index, item: opening });
  yield* send("response.content_part.added", { ...place, part: textPart(answer, "") });
  yield* pace.tokens(reply.text(0), (delta) => {
    text += delta;
    return send(`${name}.delta`, { ...place, delta, ...extra });
  });
  if (pace.due(true) !== undefined) return text;
  yield* send(`${name}.done`, { ...place, ...(reply.refused ? { refusal: text } : { text }), ...extra });
  yield* send("response.content_part.done", { ...place, part: textPart(answer, text) });
  const status = reply.truncated ? "incomplete" : "completed";
  yield* send("response.output_item.done", { output_index: index, item: messageItem(answer, status, text) });
  return text;
}

function* callSteps(
  answer: ResponsesAnswer,
  send: Send,
  pace: Pace,
  index: number,
  call: Call,
  place: number,
): Generator<Step> {
  const opening = callItem(answer, call, place, "in_progress");
  const where = { item_id: opening["id"], output_index: index };
  const custom = call.tool.kind === "custom";
  const name = custom ? "response.custom_tool_call_input" : "response.function_call_arguments";
  yield* send("response.output_item.added", { output_index: index, item: opening });
  yield* pace.tokens(tokensOf(call.input), (delta) => send(`${name}.delta`, { ...where, delta }));
  const whole = custom ? { input: call.input } : { name: call.tool.name, arguments: call.input };
  yield* send(`${name}.done`, { ...where, ...whole });
  yield* send("response.output_item.done", { output_index: index, item: callItem(answer, call, place, "completed") });
}

function* failureSteps(answer: ResponsesAnswer, send: Send): Steps {
  const { failure } = answer.reply.script.shape;
  const error = { code: failure?.code ?? "server_error", message: failure?.message ?? FAILURE_MESSAGE };
  if (failure?.event === "error") {
    const nested = { error: { type: error.code, message: error.message } };
    yield* send("error", error.code === "usage_limit_reached" ? nested : { ...error, param: null });
    return "failed";
  }
  yield* send("response.failed", { response: responseObject(answer, { ...begun("failed"), error }) });
  return "failed";
}
