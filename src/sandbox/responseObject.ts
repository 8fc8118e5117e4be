import type { Prepared } from "./prepare.ts";
import type { Upstream } from "./refusal.ts";
import type { Call } from "./reply.ts";
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
    output: state.output,
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

/** What the pretended reasoning is summed up as. */
export const REASONING_SUMMARY = "**Answering from the sandbox** There is nothing to think about.";

/** Whether the answer begins with a reasoning item. */
export function hasReasoning(answer: ResponsesAnswer): boolean {
  return (answer.reply.script.reasoning ?? 0) > 0 || wantsSummary(answer);
}

/** Whether the request asked for a reasoning summary. */
export function wantsSummary(answer: ResponsesAnswer): boolean {
  const summary = answer.request.reasoning?.summary;
  return typeof summary === "string" && summary !== "none";
}

/** The reasoning item, with its summary once it is there. */
export function reasoningItem(answer: ResponsesAnswer, part: "opening" | "whole"): Item {
  const summary = part === "whole" && wantsSummary(answer) ? [{ type: "summary_text", text: REASONING_SUMMARY }] : [];
  const include = answer.request["include"];
  const encrypted = Array.isArray(include) && include.includes("reasoning.encrypted_content");
  return {
    id: itemId(answer, "rs", 0),
    type: "reasoning",
    summary,
    ...(encrypted ? { encrypted_content: `patchbay-sandbox-${answer.id}` } : {}),
  };
}

/** The assistant's message with one part of text or refusal. */
export function messageItem(
  answer: ResponsesAnswer,
  status: "in_progress" | "completed" | "incomplete",
  text: string,
): Item {
  const content = status === "in_progress" ? [] : [textPart(answer, text)];
  return { id: itemId(answer, "msg", 0), type: "message", status, role: "assistant", content };
}

/** The content part of the assistant's message. */
export function textPart(answer: ResponsesAnswer, text: string): Item {
  return answer.reply.refused
    ? { type: "refusal", refusal: text }
    : { type: "output_text", text, annotations: [], logprobs: [] };
}

/** A function call or a custom tool call. */
export function callItem(
  answer: ResponsesAnswer,
  call: Call,
  index: number,
  status: "in_progress" | "completed",
): Item {
  const input = status === "in_progress" ? "" : call.input;
  const place = call.tool.namespace === undefined ? {} : { namespace: call.tool.namespace };
  const common = { call_id: call.id, name: call.tool.name, status, ...place };
  return call.tool.kind === "custom"
    ? { id: itemId(answer, "ctc", index), type: "custom_tool_call", ...common, input }
    : { id: itemId(answer, "fc", index), type: "function_call", ...common, arguments: input };
}

/** What stands for a conversation that was compacted. */
export function compactionItem(id: string): Item {
  return { id: `cmp_${id}`, type: "compaction", encrypted_content: `patchbay-sandbox-${id}` };
}

/** The output items of a finished answer. */
export function wholeOutput(answer: ResponsesAnswer, text: string): Item[] {
  if (answer.compaction) return [compactionItem(answer.id)];
  const reasoning = hasReasoning(answer) ? [reasoningItem(answer, "whole")] : [];
  const { calls, truncated } = answer.reply;
  if (calls.length > 0)
    return [...reasoning, ...calls.map((call, index) => callItem(answer, call, index, "completed"))];
  return [...reasoning, messageItem(answer, truncated ? "incomplete" : "completed", text)];
}

function itemId(answer: ResponsesAnswer, prefix: string, index: number): string {
  return `${prefix}_${answer.id.replace(/^(resp_|gen-)/, "")}${index}`;
}
