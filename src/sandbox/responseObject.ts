import type { Prepared } from "./prepare.ts";
import type { Upstream } from "./refusal.ts";
import type { Item, ResponsesRequest } from "./responsesRequest.ts";

/** A response that is about to be sent, or sent again. */
export interface ResponsesAnswer extends Prepared {
  readonly upstream: Upstream;
  readonly id: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly request: ResponsesRequest;
  readonly tier: string;
  readonly stored: boolean;
  /** The `encrypted_content` of a reasoning or compaction item. */
  readonly seal: string;
  /** Whether the answer is a compaction item instead of calls or text. */
  readonly compaction: boolean;
  readonly usage: (visibleOutput: number) => Record<string, unknown>;
}

/** The states of a response. */
export type ResponseStatus = "queued" | "in_progress" | "completed" | "incomplete" | "failed" | "cancelled";

/** What changes in a response while it is made. */
export interface ResponseState {
  readonly status: ResponseStatus;
  readonly output: readonly Item[];
  readonly usage: Record<string, unknown> | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A response that has only begun. */
export function begun(status: ResponseStatus): ResponseState {
  return { status, output: [], usage: null, error: null };
}

/** The whole `response` object. */
export function responseObject(answer: ResponsesAnswer, state: ResponseState): Record<string, unknown> {
  const { request } = answer;
  return {
    id: answer.id,
    object: "response",
    created_at: answer.createdAt,
    status: state.status,
    background: request.background ?? false,
    completed_at: state.status === "completed" ? answer.createdAt : null,
    error: state.error,
    incomplete_details: state.status === "incomplete" ? { reason: "max_output_tokens" } : null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: null,
    metadata: request["metadata"] ?? {},
    model: request.model,
    // The Codex backend sends items, but its `response` stays empty to the end (router-for-me/CLIProxyAPI#2583).
    output: answer.upstream === "codex" ? [] : state.output,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    prompt_cache_key: request["prompt_cache_key"] ?? null,
    reasoning: { effort: request.reasoning?.["effort"] ?? null, summary: request.reasoning?.summary ?? null },
    service_tier: answer.tier,
    store: answer.stored,
    temperature: request["temperature"] ?? 1,
    text: request.text ?? { format: { type: "text" } },
    tool_choice: request["tool_choice"] ?? "auto",
    tools: request["tools"] ?? [],
    top_p: request["top_p"] ?? 1,
    truncation: request["truncation"] ?? "disabled",
    usage: state.usage,
    user: null,
  };
}
