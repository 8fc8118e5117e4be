import type { CodexAccess } from "../codex/tokenClaims.ts";
import type { WorkspaceRoute } from "../codex/workspaceRouting.ts";
import { SIGN_IN_ADVICE } from "../codex/signInAdvice.ts";
import { SignInError } from "../codex/signInError.ts";
import { ApiError } from "../wire/errors.ts";
import { spoken } from "../wire/retryBait.ts";
import { bookkeeping } from "./books.ts";
import type { BorrowedAccess } from "./borrowedAccess.ts";
import type { Call } from "./call.ts";
import { codexAnswer } from "./codexAnswer.ts";
import { codexHeaders } from "./codexHeaders.ts";
import type { CodexParts } from "./codexParts.ts";
import { type AnswerForm, withStreamType } from "./codexShaping.ts";
import { type CodexEndpoint, codexRequest, type CodexRequest } from "./codexRequest.ts";
import { createEventMeter } from "./eventMeter.ts";
import type { Destination } from "./destination.ts";
import { type HeaderPairs, RelayFailure } from "./exchange.ts";
import { forward } from "./forward.ts";
import { headerValue } from "./headerPolicy.ts";
import { createResponsesStreamMeter } from "./responsesStreamMeter.ts";
import { checkTarget } from "./localKey.ts";
import type { ProxyParts } from "./proxyParts.ts";
import { type Upstream, upstreamUrl } from "./upstream.ts";

/** What the workspace of some accounts needs. */
export const ROUTING_HEADER = "x-openai-account-routing-override";
const INTERNAL_ERROR_STATUS = 500;
/** In the place of a sentence with a path or a code in it that agents would misread. */
const SIGN_IN_UNUSABLE =
  "The ChatGPT sign-in cannot be used: run 'patchbay status' (in VS Code: 'Patchbay: Show Logs') to see why.";

/**
 * Sends a request to the Codex backend with our own sign-in: translated where it is a chat completion, put into the backend's form where it
 * is a Responses request. A token that the backend refuses is renewed once, and the request repeated once.
 */
export async function forwardToCodex(
  parts: ProxyParts,
  codex: CodexParts,
  call: Call,
  destination: Destination,
): Promise<Response> {
  const endpoint = endpointOf(destination);
  checkTarget(destination.target, parts.keyRing);
  const request = await codexRequest(parts, codex, call, destination.key, endpoint);
  codex.noteDropped(request.dropped);
  const books = bookkeeping(parts, call, destination);
  let access = await signedIn(() => keeperOf(codex).access());
  try {
    const first = await send("declines_401");
    if (first !== "declined") return first;
    access = await signedIn(() => keeperOf(codex).renew(access));
    const second = await send("takes_all");
    if (second !== "declined") return second;
    throw new RelayFailure("declined");
  } catch (error) {
    if (error instanceof RelayFailure) throw books.failed(error, parts.settings());
    if (call.relayed) books.refused(error instanceof ApiError ? error.status : INTERNAL_ERROR_STATUS);
    throw error;
  }

  async function send(manner: "declines_401" | "takes_all"): Promise<Response | "declined"> {
    const { session } = request;
    const route = await codex.route(access);
    const { upstream } = routed(destination, route);
    const url = upstreamUrl(upstream, "/v1/responses");
    // Not for the same turn under another sign-in.
    const turn = `${access.accountId} ${request.turn}`;
    const headers = codexHeaders(call, {
      access,
      userAgent: codex.userAgent,
      sessionId: session.id,
      turnState: request.turnState ?? session.conversation.turnState(turn),
      routingOverride: route.override,
      compacts: request.compacts,
    });
    const { accountId } = access;
    let shown: number | undefined;
    const form = formOf(endpoint, request);
    // A translated stream is read once, for the caller and the books alike.
    const streamMeter = form === "chat_stream" || form === "chat_object" ? createEventMeter() : undefined;
    const meter = books.observer({ spokenEndpoint: "responses", streamMeter, shownStatus: () => shown });
    const observer = codexAnswer(meter, {
      call,
      clock: parts.clock,
      form,
      onEvent: (event) => streamMeter?.event(event),
      onDeltas: (count) => streamMeter?.deltas(count),
      includeUsage: request.includeUsage,
      toCaller: request.toCaller,
      legacyCalls: request.legacyCalls,
      declines401: manner === "declines_401",
      onStatus: (status) => (shown = status),
      onHead(status, received) {
        notePlan(codex, accountId, received);
        if (status >= 300) return;
        codex.catalogue.noteEtag(headerValue(received, "x-models-etag"));
        const state = headerValue(received, "x-codex-turn-state");
        if (state !== undefined) session.conversation.noteTurnState(turn, state);
      },
      onLimits: (event) => codex.noteLimits(accountId, event),
      onItems: (items) => session.conversation.remember(items),
      later: parts.later,
    });
    call.relayed = true;
    try {
      return await call.exchange.relay({ url, method: "POST", headers, body: request.body }, observer);
    } catch (error) {
      if (error instanceof RelayFailure && error.reason === "declined") return "declined";
      throw error;
    }
  }
}

/**
 * Passes a request of a caller that brings its own ChatGPT token: body and token go up as they came and are not kept; only the header that
 * the account's workspace needs is added, and it goes where that workspace's requests are handled.
 */
export async function forwardBorrowed(
  parts: ProxyParts,
  codex: CodexParts,
  call: Call,
  destination: Destination,
  access: BorrowedAccess,
): Promise<Response> {
  const own = call.exchange.header(ROUTING_HEADER);
  const route = await codex.route(access);
  const { kind } = destination;
  const isStreamed = kind.kind === "metered" && kind.endpoint === "responses";
  return forward(parts, call, routed(destination, route), {
    headers: own !== undefined || route.override === undefined ? [] : [ROUTING_HEADER, route.override],
    onHead(status, headers) {
      notePlan(codex, access.accountId, headers);
      return isStreamed ? withStreamType(status, headers) : headers;
    },
    streamMeter: createResponsesStreamMeter((event) => codex.noteLimits(access.accountId, event)),
  });
}

function routed(destination: Destination, route: WorkspaceRoute): Destination {
  return { ...destination, upstream: routedUpstream(destination.upstream, route) };
}

/** The upstream at the origin where an account's workspace has its requests handled. */
export function routedUpstream(upstream: Upstream, { origin }: WorkspaceRoute): Upstream {
  return origin === undefined ? upstream : { ...upstream, baseUrl: origin + new URL(upstream.baseUrl).pathname };
}

/** The plan's windows are read from the headers of every answer. */
function notePlan(codex: CodexParts, accountId: string, headers: HeaderPairs): void {
  const names = headers.filter((_, index) => index % 2 === 0);
  codex.noteHeaders(accountId, (name) => headerValue(headers, name), names);
}

function endpointOf({ kind }: Destination): CodexEndpoint {
  if (kind.kind === "metered") {
    switch (kind.endpoint) {
      case "chat":
      case "responses":
      case "compact":
        return kind.endpoint;
      case "completions":
      case "embeddings":
      case "images":
        break;
    }
  }
  throw new ApiError(
    "unknown_route",
    "ChatGPT's Codex backend answers chat completions, Responses and their compaction only: use another upstream for this.",
  );
}

function formOf(endpoint: CodexEndpoint, request: CodexRequest): AnswerForm {
  switch (endpoint) {
    case "chat":
      return request.stream ? "chat_stream" : "chat_object";
    case "responses":
      return request.stream ? "responses_stream" : "responses_object";
    case "compact":
      return "compaction_object";
  }
}

function keeperOf(codex: CodexParts): NonNullable<CodexParts["keeper"]> {
  if (codex.keeper !== undefined) return codex.keeper;
  throw new SignInError("signed_out", `Nobody is signed in with ChatGPT: ${SIGN_IN_ADVICE}.`);
}

/** What stands in the way of a token, in the contract's terms. None of it is worth repeating the request for, but for the network. */
async function signedIn(work: () => Promise<CodexAccess>): Promise<CodexAccess> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    // That may be repeated, whatever it says.
    if (error.problem === "unreachable") throw new ApiError("upstream_unreachable", error.message);
    throw new ApiError("upstream_not_configured", spoken(error.message, SIGN_IN_UNUSABLE));
  }
}
