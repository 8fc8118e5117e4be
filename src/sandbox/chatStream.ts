import { breakOff, commentStep, createPace, type Pace } from "./pacing.ts";
import { FAILURE_MESSAGE, type Prepared } from "./prepare.ts";
import { errorObject, refuse, type Upstream } from "./refusal.ts";
import type { Call } from "./reply.ts";
import type { Step, Steps } from "./stepStream.ts";
import { eventText } from "./eventText.ts";
import { tokensOf } from "./tokenCount.ts";

/** A chat completion that is about to be sent. */
export interface ChatAnswer extends Prepared {
  readonly upstream: Upstream;
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
  readonly tier: string;
  readonly choices: number;
  /** Whether a stream ends with a usage chunk. */
  readonly usageChunk: boolean;
  readonly usage: (visibleOutput: number) => Record<string, unknown>;
  readonly counted: (sent: number) => void;
  readonly reported: (usage: unknown) => void;
}

/** The fields that every chunk and the whole completion share. */
export function chatHead(answer: ChatAnswer, object: string): Record<string, unknown> {
  return {
    id: answer.id,
    object,
    created: answer.created,
    model: answer.model,
    service_tier: answer.tier,
    system_fingerprint: "patchbay_sandbox",
    ...(answer.upstream === "openrouter" ? { provider: "Patchbay sandbox" } : {}),
  };
}

/** The finish reason of a reply. */
export function chatFinishReason(answer: ChatAnswer): string {
  const first = answer.reply.calls[0];
  if (first !== undefined) return first.tool.kind === "legacy" ? "function_call" : "tool_calls";
  return answer.reply.truncated ? "length" : "stop";
}

/** A streamed chat completion: role, tokens, finish reason for each choice, then usage where it is due, then `[DONE]`. */
export function* chatSteps(answer: ChatAnswer): Steps {
  const { reply } = answer;
  const pace = createPace({
    script: reply.script,
    interruption: answer.interruption,
    delay: answer.delay,
    commentBeforeFirst: answer.upstream === "openrouter",
    counted: answer.counted,
  });
  if (answer.upstream === "openrouter") yield commentStep(reply.script);
  for (let choice = 0; choice < answer.choices; choice += 1) {
    yield* reply.calls.length > 0 ? callSteps(answer, pace, choice) : textSteps(answer, pace, choice);
    const interruption = pace.due(choice === answer.choices - 1);
    if (interruption !== undefined) return yield* breakOff(interruption, () => failureSteps(answer));
    yield chunk(answer, choice, {}, chatFinishReason(answer));
  }
  if (answer.usageChunk && reply.script.usage) {
    const usage = answer.usage(pace.sent);
    answer.reported(usage);
    yield send(answer, { ...chatHead(answer, "chat.completion.chunk"), choices: [], usage });
  }
  if (reply.script.done) yield { kind: "send", text: eventText(reply.script.crlf, "[DONE]") };
  return "finished";
}

function* textSteps(answer: ChatAnswer, pace: Pace, choice: number): Generator<Step> {
  const { reply } = answer;
  const field = reply.refused ? "refusal" : "content";
  yield chunk(answer, choice, {
    role: "assistant",
    content: reply.refused ? null : "",
    refusal: reply.refused ? "" : null,
  });
  if (answer.upstream === "openrouter" && (reply.script.reasoning ?? 0) > 0)
    yield chunk(answer, choice, { content: "", reasoning: "The sandbox pretends to think." });
  yield* pace.tokens(reply.text(choice), (token) => [chunk(answer, choice, { [field]: token })]);
}

function* callSteps(answer: ChatAnswer, pace: Pace, choice: number): Generator<Step> {
  yield chunk(answer, choice, { role: "assistant", content: null });
  for (const [index, call] of answer.reply.calls.entries()) {
    yield chunk(answer, choice, callDelta(call, index, "opening", ""));
    yield* pace.tokens(tokensOf(call.input), (token) => [chunk(answer, choice, callDelta(call, index, "more", token))]);
  }
}

function callDelta(call: Call, index: number, part: "opening" | "more", text: string): Record<string, unknown> {
  const opening = part === "opening";
  const { name, kind } = call.tool;
  if (kind === "legacy") return { function_call: { ...(opening ? { name } : {}), arguments: text } };
  const identity = opening ? { id: call.id, type: kind } : {};
  const body =
    kind === "custom"
      ? { custom: { ...(opening ? { name } : {}), input: text } }
      : { function: { ...(opening ? { name } : {}), arguments: text } };
  return { tool_calls: [{ index, ...identity, ...body }] };
}

function* failureSteps(answer: ChatAnswer): Steps {
  const error = errorObject(answer.upstream, refuse(502, FAILURE_MESSAGE, "server_error").refusal);
  if (answer.upstream === "openai") {
    yield send(answer, { error });
    yield { kind: "cut", ending: "failed" };
  } else {
    const choices = [{ index: 0, delta: { content: "" }, finish_reason: "error" }];
    yield send(answer, { ...chatHead(answer, "chat.completion.chunk"), error, choices });
  }
  return "failed";
}

function chunk(answer: ChatAnswer, choice: number, delta: unknown, finish: string | null = null): Step {
  const choices = [{ index: choice, delta, logprobs: null, finish_reason: finish }];
  const pending = answer.upstream === "openai" && answer.usageChunk ? { usage: null } : {};
  return send(answer, { ...chatHead(answer, "chat.completion.chunk"), choices, ...pending });
}

function send(answer: ChatAnswer, data: unknown): Step {
  return { kind: "send", text: eventText(answer.reply.script.crlf, data) };
}
