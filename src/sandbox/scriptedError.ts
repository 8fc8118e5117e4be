/** An HTTP error that the prompt asked for. */
export interface ScriptedError {
  readonly status: number;
  readonly code: string | null;
  readonly message: string;
  /** Seconds until a used-up plan is good again. */
  readonly waitSeconds?: number;
}

const DEFAULT_LIMIT_SECONDS = 3600;

/** A plan that is used up for so many seconds. */
export function usageLimit(waitSeconds = DEFAULT_LIMIT_SECONDS): ScriptedError {
  return { status: 429, code: "usage_limit_reached", message: "The usage limit has been reached", waitSeconds };
}

/** Reads `STATUS CODE MESSAGE`; undefined where it is not that. */
export function readError(value: string): ScriptedError | undefined {
  const match = /^\s*([345]\d\d)(?:\s+(\S+))?(?:\s+([^]*))?$/.exec(value);
  if (match === null) return undefined;
  const status = Number(match[1]);
  const code = match[2] === undefined ? stockCode(status) : match[2] === "-" ? null : match[2];
  return {
    status,
    code,
    message: match[3]?.trim() || `The prompt asked the Patchbay sandbox for this error (${status}).`,
  };
}

function stockCode(status: number): string | null {
  switch (status) {
    case 401:
      return "invalid_api_key";
    case 404:
      return "model_not_found";
    case 429:
      return "rate_limit_exceeded";
    case 503:
      return "server_is_overloaded";
    default:
      return null;
  }
}
