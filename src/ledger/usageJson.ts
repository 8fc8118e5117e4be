import { inputTokens } from "../wire/usage.ts";
import type { UsageGroup, UsageTotals } from "./reports.ts";
import type { UsageRow } from "./usageRow.ts";
import { MICROS_PER_DOLLAR } from "../wire/money.ts";

/** Micro-dollars as a number of dollars, null where nothing is known. */
function dollars(micros: number | null): number | null {
  return micros === null ? null : micros / MICROS_PER_DOLLAR;
}

/** The sums of some requests with the field names that everybody sees. `cost_usd` is null where no request's cost is known. */
export function totalsJson(totals: UsageTotals) {
  const nothingKnown = totals.requests > 0 && totals.unpricedRequests === totals.requests;
  return {
    requests: totals.requests,
    errors: totals.errors,
    input_tokens: totals.inputTokens,
    cached_tokens: totals.cachedTokens,
    cache_write_tokens: totals.cacheWriteTokens,
    output_tokens: totals.outputTokens,
    reasoning_tokens: totals.reasoningTokens,
    cost_usd: nothingKnown ? null : dollars(totals.costMicros),
    unpriced_requests: totals.unpricedRequests,
    first_at: totals.requests === 0 ? null : new Date(totals.firstAt).toISOString(),
    last_at: totals.requests === 0 ? null : new Date(totals.lastAt).toISOString(),
  };
}

/** One group of a report, with its name in a field of its own (`key`, `model`, ...). */
export function groupJson(field: string, group: UsageGroup) {
  return { [field]: group.group, ...totalsJson(group) };
}

/** One request, flat, with the field names that everybody sees. */
export function rowJson(row: UsageRow) {
  return {
    id: row.id,
    started_at: new Date(row.startedAt).toISOString(),
    key: row.keyId,
    upstream: row.upstream,
    endpoint: row.endpoint,
    model: row.modelServed ?? row.modelAsked,
    model_asked: row.modelAsked,
    model_served: row.modelServed,
    response_id: row.responseId,
    service_tier: row.serviceTier,
    input_tokens: inputTokens(row.tokens),
    cached_tokens: row.tokens.cachedInput,
    cache_write_tokens: row.tokens.cacheWrite,
    output_tokens: row.tokens.output,
    reasoning_tokens: row.tokens.reasoning,
    usage_source: row.usageSource,
    cost_usd: dollars(row.costMicros),
    cost_source: row.costSource,
    status: row.status,
    ending: row.ending,
    first_token_ms: row.firstTokenMs,
    total_ms: row.totalMs,
    client: row.client,
    session: row.session,
  };
}

/** The fields of `rowJson`, in its order. */
export const ROW_FIELDS: readonly (keyof ReturnType<typeof rowJson>)[] = [
  "id",
  "started_at",
  "key",
  "upstream",
  "endpoint",
  "model",
  "model_asked",
  "model_served",
  "response_id",
  "service_tier",
  "input_tokens",
  "cached_tokens",
  "cache_write_tokens",
  "output_tokens",
  "reasoning_tokens",
  "usage_source",
  "cost_usd",
  "cost_source",
  "status",
  "ending",
  "first_token_ms",
  "total_ms",
  "client",
  "session",
];
