import { chatId } from "./chatCompletions.ts";
import { type Exchange, jsonAnswer, stepAnswer } from "./exchange.ts";
import { brokenJsonAnswer, noteSent, prepare } from "./prepare.ts";
import { badRequest } from "./refusal.ts";
import { compactionItem, wholeOutput } from "./responseItems.ts";
import { begun, responseObject, type ResponsesAnswer, type ResponseState } from "./responseObject.ts";
import { responsesSteps } from "./responsesEvents.ts";
import {
  inputItems,
  type Item,
  readResponsesRequest,
  responsesQuestion,
  type ResponsesRequest,
  wantsCompaction,
} from "./responsesRequest.ts";
import { noteUsage } from "./served.ts";
import { servedTier } from "./serviceTier.ts";
import { tokensOf } from "./tokenCount.ts";
import { responsesUsage } from "./usageBodies.ts";

/** `POST /responses`. */
export async function createResponse(exchange: Exchange): Promise<Response> {
  const { entry } = exchange;
  const request = readResponsesRequest(exchange.body());
  entry.model = request.model;
  entry.streamed = request.stream === true;
  const items = [...previousItems(exchange, request), ...inputItems(request.input)];
  const answer = await prepareResponse(exchange, request, items);
  if (answer.stored) exchange.room.responses.put({ answer, items, entry, reads: 0, cancelled: false });
  if (entry.streamed) return streamedResponse(exchange, answer, -1);
  if (request.background === true) return jsonAnswer(exchange, responseObject(answer, begun("queued")));
  const { state, sent } = finishedState(answer);
  noteSent(exchange, answer.reply, sent);
  const body = responseObject(answer, state);
  if (answer.interruption !== undefined) return brokenJsonAnswer(exchange, body, answer.interruption);
  return jsonAnswer(exchange, body, state.usage ?? undefined);
}

/** `POST /responses/compact`. */
export async function compactResponse(exchange: Exchange): Promise<Response> {
  const request = readResponsesRequest(exchange.body());
  exchange.entry.model = request.model;
  const items = [...previousItems(exchange, request), ...inputItems(request.input)];
  return compactedAnswer(exchange, await prepareResponse(exchange, request, items));
}

/** The whole answer to the request to compact a conversation. */
export function compactedAnswer(exchange: Exchange, answer: ResponsesAnswer): Response {
  const usage = answer.usage(1);
  noteSent(exchange, answer.reply, 1);
  const body = {
    id: answer.id,
    object: "response.compaction",
    created_at: answer.createdAt,
    output: [compactionItem(answer)],
    usage,
  };
  return jsonAnswer(exchange, body, usage);
}

/** `POST /responses/input_tokens`: counts and answers nothing. */
export function countResponseInput(exchange: Exchange): Response {
  const request = readResponsesRequest(exchange.body());
  exchange.entry.model = request.model;
  const items = [...previousItems(exchange, request), ...inputItems(request.input)];
  const { inputTokens } = responsesQuestion(request, items, exchange.seed);
  return jsonAnswer(exchange, { object: "response.input_tokens", input_tokens: inputTokens });
}

/** The event stream of a response, from the beginning or from where a reader lost it. */
export function streamedResponse(exchange: Exchange, answer: ResponsesAnswer, startingAfter: number): Response {
  const steps = responsesSteps(answer, {
    startingAfter,
    counted: (sent) => {
      noteSent(exchange, answer.reply, sent);
    },
    reported: (usage) => {
      noteUsage(exchange.entry, usage);
    },
  });
  // ChatGPT's backend says of its streams nothing.
  return stepAnswer(exchange, exchange.upstream === "codex" ? undefined : "text/event-stream", steps);
}

/** A response as it is in the end, and how many visible tokens it has. */
export function finishedState(answer: ResponsesAnswer): { state: ResponseState; sent: number } {
  const { reply } = answer;
  const tokens = answer.compaction
    ? []
    : reply.calls.length > 0
      ? reply.calls.flatMap((call) => [...tokensOf(call.input)])
      : [...reply.text(0)];
  const state: ResponseState = {
    status: reply.truncated ? "incomplete" : "completed",
    output: wholeOutput(answer, tokens.join("")),
    usage: reply.script.usage ? answer.usage(tokens.length) : null,
    error: null,
  };
  return { state, sent: tokens.length };
}

/** What only an upstream with a memory of its own adds to an answer. */
export interface ResponseMemory {
  /** What becomes `encrypted_content` in the response with that id. */
  readonly seal: (id: string) => Promise<string>;
  readonly cachedTokens: number;
}

/** Decides what a request is answered with. Throws a RefusedError where the prompt asks for an error. */
export async function prepareResponse(
  exchange: Exchange,
  request: ResponsesRequest,
  items: readonly Item[],
  memory?: ResponseMemory,
): Promise<ResponsesAnswer> {
  const { upstream, entry, seed, room } = exchange;
  const createdAt = Math.floor(room.clock.now() / 1000);
  const id = responseId(exchange, createdAt);
  entry.id = id;
  const question = responsesQuestion(request, items, seed);
  const prepared = await prepare(exchange, { ...question, cachedTokens: memory?.cachedTokens ?? 0 });
  return {
    ...prepared,
    upstream,
    id,
    createdAt,
    request,
    tier: servedTier(prepared.reply.script, request.service_tier),
    stored: upstream === "openai" && (request.store !== false || request.background === true),
    seal: memory === undefined ? `patchbay-sandbox-${id}` : await memory.seal(id),
    compaction: wantsCompaction(items) && (upstream !== "codex" || knowsCompaction(exchange.request.headers)),
    usage: (visibleOutput) => responsesUsage(upstream, request.model, prepared.reply.usage(visibleOutput)),
  };
}

/** ChatGPT's backend takes a trigger for nothing where the caller does not say that it knows compaction. */
function knowsCompaction(headers: Headers): boolean {
  return (headers.get("x-codex-beta-features") ?? "").includes("remote_compaction_v2");
}

/** Responses are looked up and metered by id, so the same request gets another one the next time. */
function responseId(exchange: Exchange, createdAt: number): string {
  if (exchange.upstream === "openrouter") return chatId(exchange, createdAt);
  return `resp_${exchange.seed.slice(0, 40)}${String(exchange.entry.number).padStart(4, "0")}`;
}

function previousItems(exchange: Exchange, request: ResponsesRequest): readonly Item[] {
  const id = request.previous_response_id;
  if (exchange.upstream === "openrouter" && (request.store === true || typeof id === "string"))
    throw badRequest("The Responses API is stateless: `store` and `previous_response_id` are not supported.");
  if (typeof id !== "string") return [];
  const previous = exchange.room.responses.get(id);
  if (previous === undefined)
    throw badRequest(
      `Previous response with id '${id}' not found.`,
      "previous_response_id",
      "previous_response_not_found",
    );
  return [...previous.items, ...finishedState(previous.answer).state.output];
}
