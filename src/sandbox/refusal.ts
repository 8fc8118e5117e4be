/** Which upstream the sandbox pretends to be. */
export type Upstream = "openai" | "openrouter" | "codex";

/** An error answer, before it takes the form of the upstream that gives it. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly code: string | null;
  readonly param: string | null;
  readonly retryAfterSeconds: number | undefined;
  /** Replaces the body of the upstream's usual form: JSON, or the text of a page. */
  readonly body?: Readonly<Record<string, unknown>> | string;
}

/** Thrown on the way to an answer; the room's edge turns it into the upstream's error body. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = "RefusedError";
    this.refusal = refusal;
  }
}

/** A refusal with the usual blanks. */
export function refuse(
  status: number,
  message: string,
  code: string | null = null,
  param: string | null = null,
): RefusedError {
  return new RefusedError({ status, message, code, param, retryAfterSeconds: undefined });
}

/** A 400 about one part of the request. */
export function badRequest(message: string, param: string | null = null, code: string | null = null): RefusedError {
  return refuse(400, message, code, param);
}

/** The `error` object in the form of that upstream. */
export function errorObject(upstream: Upstream, refusal: Refusal): Record<string, unknown> {
  if (upstream !== "openrouter")
    return { message: refusal.message, type: openAiType(refusal), param: refusal.param, code: refusal.code };
  // OpenRouter's code is the HTTP status as a number; `error_type` tells the cases apart (openrouter.ai/docs, "Errors and debugging").
  const errorType = refusal.code ?? openRouterType(refusal.status);
  return { code: refusal.status, message: refusal.message, metadata: { error_type: errorType } };
}

function openAiType(refusal: Refusal): string {
  if (refusal.code === "insufficient_quota") return "insufficient_quota";
  if (refusal.status === 429) return "rate_limit_error";
  return refusal.status >= 500 ? "server_error" : "invalid_request_error";
}

function openRouterType(status: number): string {
  switch (status) {
    case 401:
      return "unauthorized";
    case 402:
      return "payment_required";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 429:
      return "rate_limit_exceeded";
    case 502:
    case 503:
      return "provider_unavailable";
    default:
      return status >= 500 ? "server_error" : "invalid_request";
  }
}
