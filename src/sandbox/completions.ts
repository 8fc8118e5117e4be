import * as z from "zod/mini";
import { chatId, outputLimit } from "./chatCompletions.ts";
import { readConversation } from "./conversation.ts";
import { eventText } from "./eventText.ts";
import { type Exchange, jsonAnswer, stepAnswer } from "./exchange.ts";
import { checkFields } from "./jsonBody.ts";
import { breakOff, createPace } from "./pacing.ts";
import { brokenJsonAnswer, FAILURE_MESSAGE, noteSent, prepare, type Prepared } from "./prepare.ts";
import { errorObject, refuse } from "./refusal.ts";
import { noteUsage } from "./served.ts";
import type { Step, Steps } from "./stepStream.ts";
import { countInputTokens } from "./tokenCount.ts";
import { chatUsage } from "./usageBodies.ts";

const completionRequest = z.looseObject({
  model: z.string(),
  prompt: z.union([z.string(), z.array(z.string()), z.array(z.number())]),
  stream: z.nullish(z.boolean()),
  stream_options: z.nullish(z.looseObject({ include_usage: z.nullish(z.boolean()) })),
  max_tokens: z.nullish(z.number()),
});

/** `POST /completions`, the legacy text completion. Several prompts make several choices. */
export async function completions(exchange: Exchange): Promise<Response> {
  const { entry, upstream, seed, room } = exchange;
  const request = checkFields(completionRequest, exchange.body());
  const prompts = promptTexts(request.prompt);
  const created = Math.floor(room.clock.now() / 1000);
  const id = chatId(exchange, created).replace(/^chatcmpl-/, "cmpl-");
  entry.model = request.model;
  entry.id = id;
  entry.streamed = request.stream === true;
  const prepared = await prepare(exchange, {
    conversation: readConversation(prompts.map((text) => ({ kind: "user", text }))),
    tools: [],
    demand: { kind: "none" },
    parallelCalls: true,
    format: { kind: "text" },
    limit: outputLimit(request.max_tokens),
    inputTokens:
      Array.isArray(request.prompt) && typeof request.prompt[0] === "number"
        ? request.prompt.length
        : countInputTokens(prompts),
    seed,
  });
  const { reply } = prepared;
  const answer: CompletionAnswer = {
    ...prepared,
    head: { id, object: "text_completion", created, model: request.model, system_fingerprint: "patchbay_sandbox" },
    choices: prompts.length,
    usageChunk: upstream === "openrouter" || request.stream_options?.include_usage === true,
  };
  if (entry.streamed) return stepAnswer(exchange, "text/event-stream", completionSteps(exchange, answer));
  let sent = 0;
  const choices = prompts.map((_prompt, index) => {
    const tokens = [...reply.text(index)];
    sent += tokens.length;
    return { text: tokens.join(""), index, logprobs: null, finish_reason: reply.truncated ? "length" : "stop" };
  });
  noteSent(exchange, reply, sent);
  const usage = reply.script.usage ? chatUsage(upstream, request.model, reply.usage(sent)) : undefined;
  const body = { ...answer.head, choices, ...(usage === undefined ? {} : { usage }) };
  if (answer.interruption !== undefined) return brokenJsonAnswer(exchange, body, answer.interruption);
  return jsonAnswer(exchange, body, usage);
}

interface CompletionAnswer extends Prepared {
  readonly head: Readonly<Record<string, unknown>>;
  readonly choices: number;
  readonly usageChunk: boolean;
}

function* completionSteps(exchange: Exchange, answer: CompletionAnswer): Steps {
  const { entry, upstream } = exchange;
  const { reply, head } = answer;
  const send = (data: unknown): Step => ({ kind: "send", text: eventText(reply.script.crlf, data) });
  const pending = answer.usageChunk && upstream === "openai" ? { usage: null } : {};
  const chunk = (index: number, text: string, finish: string | null): Step =>
    send({ ...head, choices: [{ text, index, logprobs: null, finish_reason: finish }], ...pending });
  const pace = createPace({
    script: reply.script,
    interruption: answer.interruption,
    delay: answer.delay,
    commentBeforeFirst: upstream === "openrouter",
    counted: (sent) => {
      noteSent(exchange, reply, sent);
    },
  });
  for (let index = 0; index < answer.choices; index += 1) {
    yield* pace.tokens(reply.text(index), (token) => [chunk(index, token, null)]);
    const interruption = pace.due(index === answer.choices - 1);
    if (interruption !== undefined) return yield* breakOff(interruption, () => failureSteps(exchange, send));
    yield chunk(index, "", reply.truncated ? "length" : "stop");
  }
  if (answer.usageChunk && reply.script.usage) {
    const usage = chatUsage(upstream, entry.model ?? "", reply.usage(pace.sent));
    noteUsage(entry, usage);
    yield send({ ...head, choices: [], usage });
  }
  if (reply.script.done) yield send("[DONE]");
  return "finished";
}

function* failureSteps(exchange: Exchange, send: (data: unknown) => Step): Steps {
  yield send({ error: errorObject(exchange.upstream, refuse(502, FAILURE_MESSAGE, "server_error").refusal) });
  return "failed";
}

function promptTexts(prompt: z.infer<typeof completionRequest>["prompt"]): string[] {
  if (typeof prompt === "string") return [prompt];
  const texts = prompt.filter((part) => typeof part === "string");
  return texts.length > 0 ? texts : [""];
}
