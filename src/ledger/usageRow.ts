import type { TokenUsage } from "../wire/usage.ts";

/** Who answered. */
export type UpstreamName = "openai" | "openrouter" | "codex";

/** What was asked for, by the shape of its usage and price. */
export type Endpoint = "chat" | "completions" | "responses" | "compact" | "embeddings" | "images";

/** Where the token counts come from: the upstream said them, we counted what passed, or nobody knows. */
export type UsageSource = "reported" | "estimated" | "none";

/** Where the cost comes from: the upstream charged it, a price table gave it, or it is not known. */
export type CostSource = "upstream" | "price_table" | "unknown";

/** How a request ended, seen from its client. */
export type Ending =
  /** The upstream finished its answer. */
  | "complete"
  /** The upstream stopped early and said so (`response.incomplete`, `finish_reason: "length"` stays complete). */
  | "incomplete"
  /** It was answered with an error: by the upstream, before or in its stream, or by us, because its body was too large. */
  | "failed"
  /** The client left before the end. */
  | "client_left"
  /** The upstream's connection broke or went silent before the end. */
  | "upstream_cut"
  /** We broke it off, because its key was revoked. */
  | "stopped";

/** One metered request. Times are integer milliseconds, money integer micro-dollars. */
export interface UsageRow {
  /** Also the `x-request-id` that the client saw. Recording the same id with the same `startedAt` again replaces the row. */
  readonly id: string;
  /** Since the Unix epoch. */
  readonly startedAt: number;
  readonly keyId: string;
  readonly upstream: UpstreamName;
  readonly endpoint: Endpoint;
  /** As the client wrote it; null where it named none. */
  readonly modelAsked: string | null;
  /** As the upstream reported it. */
  readonly modelServed: string | null;
  /** The upstream's id of the response, by which background Responses and cut streams are settled later. */
  readonly responseId: string | null;
  readonly serviceTier: string | null;
  readonly tokens: TokenUsage;
  readonly usageSource: UsageSource;
  readonly costMicros: number | null;
  readonly costSource: CostSource;
  /** What the client got: the upstream's status, or ours. */
  readonly status: number;
  readonly ending: Ending;
  /** From the request's arrival to the first token that reached us; null where none did. */
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
  /** The program that asked, e.g. `codex_exec` or `opencode`; null where it does not say. */
  readonly client: string | null;
  /** The client's own session id; null where it does not say. */
  readonly session: string | null;
}
