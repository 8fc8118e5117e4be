/** Why the Codex backend gave no answer, or none to the end, in the terms of OpenAI's API. */
export interface CodexFailure {
  /** The HTTP status for a caller to whom nothing was sent yet. */
  readonly status: number;
  /** One sentence, or the upstream's own message. */
  readonly message: string;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  /** Whole seconds after which the same request may pass; undefined where that is not known. */
  readonly retryAfterSeconds: number | undefined;
  /** What Codex reads of a plan's limit besides, in the backend's own terms. */
  readonly limit?: {
    readonly plan_type?: string;
    /** Seconds since the epoch. */
    readonly resets_at?: number;
    readonly resets_in_seconds?: number;
  };
}

/** The body, or the event's data, that OpenAI's clients read a failure from. */
export function failureBody({ message, type, param, code }: CodexFailure): {
  readonly error: Pick<CodexFailure, "message" | "type" | "param" | "code">;
} {
  return { error: { message, type, param, code } };
}

/** A failure on the upstream's side that tells no more than this. */
export function upstreamFailure(code: string, message: string): CodexFailure {
  return { status: 502, message, type: "server_error", code, param: null, retryAfterSeconds: undefined };
}

/** The stream ended without a final event. */
export const BROKEN_OFF: CodexFailure = upstreamFailure(
  "upstream_disconnected",
  "The Codex backend broke off before its answer was complete: send the request again.",
);

/** The upstream says that it is done, has said nothing and has counted no output (seen when its filters swallow an answer). */
export const EMPTY_ANSWER: CodexFailure = upstreamFailure(
  "upstream_empty_answer",
  "The Codex backend ended its answer without having said anything: send the request again.",
);

/** More than is held in memory for one answer. */
export const TOO_LARGE_ANSWER: CodexFailure = upstreamFailure(
  "upstream_answer_too_large",
  "The Codex backend's answer is beyond all measure and was given up: ask for less at a time.",
);
