import { checkBodyKeys, postingCaller, signedInUser } from "./codexCaller.ts";
import type { ConversationPlace } from "./codexConversations.ts";
import { MODELS_ETAG } from "./codexModels.ts";
import { checkCodexRequest } from "./codexRequestRules.ts";
import { checkSeals, seal } from "./codexSeal.ts";
import type { Exchange } from "./exchange.ts";
import type { SandboxUser } from "./issuerClaims.ts";
import type { ResponsesAnswer } from "./responseObject.ts";
import { prepareResponse, streamedResponse } from "./responses.ts";
import { inputItems, type Item, readResponsesRequest, type ResponsesRequest } from "./responsesRequest.ts";

/** `POST /codex/responses`: always an event stream, never stored. */
export async function createCodexResponse(exchange: Exchange): Promise<Response> {
  const user = await signedInUser(exchange);
  const caller = postingCaller(exchange);
  const body = readBody(exchange);
  checkCodexRequest(body, caller);
  exchange.entry.streamed = true;
  const answer = await prepareAnswer(exchange, user, readResponsesRequest(body));
  return streamedResponse(exchange, answer, -1);
}

function readBody(exchange: Exchange): Record<string, unknown> {
  const body = exchange.body();
  checkBodyKeys(body);
  const { model } = body;
  if (typeof model === "string") exchange.entry.model = model.slice(0, LONGEST_NOTE);
  return body;
}

async function prepareAnswer(
  exchange: Exchange,
  user: SandboxUser,
  request: ResponsesRequest,
): Promise<ResponsesAnswer> {
  const { answerHeaders, room } = exchange;
  const items = inputItems(request.input);
  await checkSeals(user.accountId, items);
  const place = await enterConversation(exchange, user, request, items);
  answerHeaders.set("x-codex-turn-state", place.nextTurnState);
  answerHeaders.set("x-models-etag", MODELS_ETAG);
  answerHeaders.set("x-reasoning-included", "true");
  const answer = await prepareResponse(exchange, request, items, {
    seal: (id) => seal(user.accountId, id),
    cachedTokens: place.cachedTokens,
  });
  const { limits } = room.codex;
  if (answer.reply.script.shape.limits !== undefined) limits.reshape(user.accountId, answer.reply.script.shape.limits);
  const { uncachedInput, cachedInput } = answer.reply.usage(0);
  limits.use(user.accountId, uncachedInput + cachedInput);
  limits.tell(user, answerHeaders);
  return answer;
}

const LONGEST_NOTE = 200;

async function enterConversation(
  exchange: Exchange,
  user: SandboxUser,
  request: ResponsesRequest,
  items: readonly Item[],
): Promise<ConversationPlace> {
  const { headers } = exchange.request;
  const { instructions, prompt_cache_key: key } = request;
  const sessionId = headers.get("session-id");
  const cacheKey = typeof key === "string" ? key : null;
  const place = await exchange.room.codex.conversations.enter({
    accountId: user.accountId,
    sessionId,
    cacheKey,
    turnState: headers.get("x-codex-turn-state"),
    model: request.model,
    head: [instructions, request["tools"]],
    input: items,
  });
  const effort = request.reasoning?.["effort"];
  exchange.entry.codex = {
    accountId: user.accountId,
    planType: user.planType,
    effort: typeof effort === "string" ? effort : null,
    instructionsSent: typeof instructions === "string" && instructions !== "",
    sessionId: sessionId === null ? null : sessionId.slice(0, LONGEST_NOTE),
    cacheKeyMatches: sessionId !== null && sessionId === cacheKey,
    turnState: place.turnState,
    continuity: place.continuity,
  };
  return place;
}
