/** Everything that Patchbay itself refuses or fails at, by its code. The contract: codes and statuses are what clients build on. */
export const errorCatalogue = {
  invalid_api_key: { status: 401, type: "authentication_error" },
  key_expired: { status: 401, type: "authentication_error" },
  insufficient_credit: { status: 402, type: "insufficient_quota" },
  origin_not_allowed: { status: 403, type: "permission_error" },
  host_not_allowed: { status: 403, type: "permission_error" },
  model_not_allowed: { status: 403, type: "permission_error" },
  unknown_route: { status: 404, type: "invalid_request_error" },
  model_not_found: { status: 404, type: "invalid_request_error" },
  request_too_large: { status: 413, type: "invalid_request_error" },
  unsupported_media_type: { status: 415, type: "invalid_request_error" },
  invalid_request: { status: 400, type: "invalid_request_error" },
  // Not a 5xx, because agents hammer those: Codex makes 30 attempts.
  upstream_not_configured: { status: 400, type: "invalid_request_error" },
  upgrade_required: { status: 426, type: "invalid_request_error" },
  rate_limit_exceeded: { status: 429, type: "rate_limit_error" },
  quota_exceeded: { status: 429, type: "insufficient_quota" },
  upstream_unreachable: { status: 502, type: "server_error" },
  upstream_timeout: { status: 504, type: "server_error" },
  internal_error: { status: 500, type: "server_error" },
} as const satisfies Record<string, { readonly status: number; readonly type: string }>;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof errorCatalogue;

/** The body that OpenAI's clients read an error from. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

/** The error object for a code; the message is one sentence that says what to do. */
export function errorBody(code: ErrorCode, message: string, param: string | null = null): ErrorBody {
  return { error: { message, type: errorCatalogue[code].type, param, code } };
}

/** A refusal or failure of ours that becomes an answer where it is caught. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly param: string | null;
  /** Whole seconds after which the same request would pass; only for codes that a wait cures. */
  readonly retryAfterSeconds: number | null;
  /** The moment after which it would pass, in milliseconds since the epoch; null where none is known. */
  readonly until: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    details: { param?: string; retryAfterSeconds?: number; until?: number } = {},
  ) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.param = details.param ?? null;
    this.retryAfterSeconds = details.retryAfterSeconds ?? null;
    this.until = details.until ?? null;
  }

  get status(): number {
    return errorCatalogue[this.code].status;
  }

  get body(): ErrorBody {
    return errorBody(this.code, this.message, this.param);
  }
}
