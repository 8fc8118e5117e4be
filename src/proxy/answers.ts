import type { ApiError } from "../wire/errors.ts";
import { refusalStream } from "../wire/streamEvents.ts";
import type { Call } from "./call.ts";
import { statusForCaller } from "./clientIdentity.ts";
import { isResponsesPath } from "./endpoint.ts";

/** The headers that every answer of ours carries, relayed ones included: name, value, name, value. */
export function ownHeaders(call: Call): string[] {
  const headers = ["x-request-id", call.id, ...call.limitHeaders()];
  if (call.origin !== undefined) {
    headers.push("access-control-allow-origin", call.origin, "access-control-expose-headers", "*", "vary", "Origin");
  }
  return headers;
}

/** A JSON answer of our own. */
export function jsonAnswer(call: Call, status: number, body: object, headers: Record<string, string> = {}): Response {
  return answer(call, status, JSON.stringify(body), { "content-type": "application/json", ...headers });
}

/** An answer without a body. */
export function emptyAnswer(call: Call, status: number, headers: Record<string, string>): Response {
  return answer(call, status, null, headers);
}

function answer(call: Call, status: number, body: string | null, headers: Record<string, string>): Response {
  const own = ownHeaders(call);
  const all = new Headers(headers);
  for (let index = 0; index < own.length; index += 2) all.set(own[index] ?? "", own[index + 1] ?? "");
  return new Response(body, { status, headers: all });
}

/**
 * A refusal in the form that this caller shows to its user and does not repeat. On a streamed Responses request that is a stream which fails
 * with `invalid_prompt`; else the status of the contract, but for two callers that would take it amiss. Rate limits stay a 429 with
 * `Retry-After`, which agents wait for.
 */
export function refusal(call: Call, error: ApiError, streamedModel?: string | null): Response {
  const responses = call.exchange.method === "POST" && isResponsesPath(call.upstreamPath);
  const streamed =
    streamedModel !== undefined || call.exchange.header("accept")?.includes("text/event-stream") === true;
  if (responses && streamed && isFinal(error)) {
    const identity = {
      id: `resp_${call.id}`,
      model: streamedModel ?? "unknown",
      createdAt: Math.floor(call.startedAt / 1000),
    };
    return answer(call, 200, refusalStream(identity, error.message), {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
    });
  }
  const status = statusForCaller(call.exchange, error.status, !isFinal(error));
  const headers: Record<string, string> = {};
  // OpenAI's SDKs repeat a 429 unless they are told not to.
  if (status === 429 && isFinal(error)) headers["x-should-retry"] = "false";
  if (error.retryAfterSeconds !== null) headers["retry-after"] = String(error.retryAfterSeconds);
  if (status === 426) headers["upgrade"] = "HTTP/1.1";
  if (status === 426) headers["connection"] = "upgrade";
  return jsonAnswer(call, status, error.body, headers);
}

/** Whether repeating the same request would only be refused again. */
function isFinal(error: ApiError): boolean {
  switch (error.code) {
    case "invalid_api_key":
    case "key_expired":
    case "insufficient_credit":
    case "model_not_allowed":
    case "quota_exceeded":
    case "request_too_large":
    case "upstream_not_configured":
      return true;
    case "origin_not_allowed":
    case "host_not_allowed":
    case "unknown_route":
    case "model_not_found":
    case "unsupported_media_type":
    case "invalid_request":
    case "upgrade_required":
    case "rate_limit_exceeded":
    case "upstream_unreachable":
    case "upstream_timeout":
    case "internal_error":
      return false;
  }
}
