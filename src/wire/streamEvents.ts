import type { ErrorBody } from "./errors.ts";

/**
 * Events that we write into streams ourselves. Clients drop events that lack a field of their schema without a word
 * (opencode then repeats the request without end), so every one is complete.
 */

/** One server-sent event with JSON data. */
export function sseEvent(data: object, name?: string): string {
  return `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** Bridges a silence on a chat stream: OpenRouter's clients know comments, and so does every SSE parser. */
export const CHAT_KEEP_ALIVE = ": keepalive\n\n";

/** Bridges a silence on a Responses stream: comments do not reset Codex's idle timer, unknown event types do. */
export const RESPONSES_KEEP_ALIVE = sseEvent({ type: "keepalive" });

/** What tells a chat stream's reader that the answer failed; OpenAI's SDKs throw on a top-level `error`. */
export function chatErrorEvent(error: ErrorBody): string {
  return sseEvent(error);
}

/** What is known of a Responses stream when an event of ours ends it. */
export interface ResponseIdentity {
  readonly id: string;
  readonly model: string;
  /** Seconds since the Unix epoch. */
  readonly createdAt: number;
}

/** `response.failed` in full. Codes other than Codex's own list make Codex repeat the request; `invalid_prompt` is shown at once. */
export function responseFailedEvent(
  identity: ResponseIdentity,
  sequenceNumber: number,
  error: { readonly code: string; readonly message: string },
): string {
  const response = responseObject(identity, "failed", error);
  return sseEvent({ type: "response.failed", sequence_number: sequenceNumber, response }, "response.failed");
}

/**
 * A refusal in the form that agents show once and do not repeat: a Responses stream that starts and fails with `invalid_prompt`
 * (measured with Codex 0.169 and opencode 1.18, which repeat a 402 or hide a 429's text).
 */
export function refusalStream(identity: ResponseIdentity, message: string): string {
  const created = {
    type: "response.created",
    sequence_number: 0,
    response: responseObject(identity, "in_progress", null),
  };
  return sseEvent(created, "response.created") + responseFailedEvent(identity, 1, { code: "invalid_prompt", message });
}

function responseObject(
  identity: ResponseIdentity,
  status: "in_progress" | "failed",
  error: { readonly code: string; readonly message: string } | null,
): object {
  return {
    id: identity.id,
    object: "response",
    created_at: identity.createdAt,
    status,
    background: false,
    error,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    model: identity.model,
    output: [],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: null,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: null,
    truncation: "disabled",
    usage: null,
    user: null,
  };
}
