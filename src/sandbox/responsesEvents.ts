import { eventText } from "./eventText.ts";
import { breakOff, createPace, type Pace } from "./pacing.ts";
import { FAILURE_MESSAGE } from "./prepare.ts";
import type { Call } from "./reply.ts";
import {
  begun,
  callItem,
  compactionItem,
  hasReasoning,
  messageItem,
  REASONING_SUMMARY,
  reasoningItem,
  responseObject,
  type ResponsesAnswer,
  textPart,
  wantsSummary,
  wholeOutput,
} from "./responseObject.ts";
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
    sequence += 1;
    if (sequence <= options.startingAfter) return [];
    const event = { type, ...fields, sequence_number: sequence };
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
  if (answer.compaction) {
    const item = compactionItem(answer.id);
    yield* send("response.output_item.added", { output_index: 0, item });
    yield* send("response.output_item.done", { output_index: 0, item });
    return "";
  }
  let index = 0;
  if (hasReasoning(answer)) {
    yield* reasoningSteps(answer, send);
    index += 1;
  }
  const { calls } = answer.reply;
  if (calls.length === 0) return yield* messageSteps(answer, send, pace, index);
  for (const [place, call] of calls.entries()) yield* callSteps(answer, send, pace, index + place, call, place);
  return "";
}

function* reasoningSteps(answer: ResponsesAnswer, send: Send): Generator<Step> {
  const opening = reasoningItem(answer, "opening");
  const place = { item_id: opening["id"], output_index: 0, summary_index: 0 };
  yield* send("response.output_item.added", { output_index: 0, item: opening });
  if (wantsSummary(answer)) {
    yield* send("response.reasoning_summary_part.added", { ...place, part: { type: "summary_text", text: "" } });
    for (const delta of tokensOf(REASONING_SUMMARY))
      yield* send("response.reasoning_summary_text.delta", { ...place, delta });
    yield* send("response.reasoning_summary_text.done", { ...place, text: REASONING_SUMMARY });
    const part = { type: "summary_text", text: REASONING_SUMMARY };
    yield* send("response.reasoning_summary_part.done", { ...place, part });
  }
  yield* send("response.output_item.done", { output_index: 0, item: reasoningItem(answer, "whole") });
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
  const error = { code: "server_error", message: FAILURE_MESSAGE };
  yield* send("response.failed", { response: responseObject(answer, { ...begun("failed"), error }) });
  return "failed";
}
