import { type Exchange, jsonAnswer } from "./exchange.ts";
import { sandboxCost } from "./prices.ts";
import { badRequest, refuse } from "./refusal.ts";
import type { ServedRequest } from "./served.ts";
import { MICROS_PER_DOLLAR } from "../wire/money.ts";

const TOTAL_CREDITS = 100;
/** `GET /key`: the caller's own key; its use is what the sandbox has charged since it started. */
export function keyInfo(exchange: Exchange): Response {
  const usage = spent(exchange);
  const data = {
    label: "sk-or-v1-sandbox",
    limit: null,
    limit_remaining: null,
    limit_reset: null,
    include_byok_in_limit: false,
    usage,
    usage_daily: usage,
    usage_weekly: usage,
    usage_monthly: usage,
    byok_usage: 0,
    is_free_tier: false,
    is_management_key: isManagementKey(exchange),
    is_provisioning_key: isManagementKey(exchange),
    expires_at: null,
  };
  return jsonAnswer(exchange, { data });
}

/** `GET /credits`: only for a management key, here one that begins with `sk-or-mgmt`. */
export function credits(exchange: Exchange): Response {
  if (!isManagementKey(exchange)) throw refuse(403, "Only management keys can perform this operation");
  return jsonAnswer(exchange, { data: { total_credits: TOTAL_CREDITS, total_usage: spent(exchange) } });
}

/** `GET /generation?id=`: the settled record of a generation, also of one whose stream broke off. */
export function generation(exchange: Exchange): Response {
  const id = new URL(exchange.request.url).searchParams.get("id");
  if (id === null || id === "") throw badRequest("The query parameter `id` is missing.", "id");
  const served = exchange.room.served.entries.findLast((entry) => entry.id === id && entry.upstream === "openrouter");
  if (served === undefined || served.outcome === "open" || served.billed === null)
    throw refuse(404, `Generation ${id} not found`);
  return jsonAnswer(exchange, { data: generationRecord(id, served) });
}

function generationRecord(id: string, served: ServedRequest): Record<string, unknown> {
  const model = served.model ?? "";
  const billed = served.billed;
  if (billed === null) return { id, model };
  const input = billed.uncachedInput + billed.cachedInput + billed.cacheWrite;
  const cost = sandboxCost(model, billed).total;
  return {
    id,
    model,
    created_at: new Date(served.startedAt).toISOString(),
    provider_name: "Patchbay sandbox",
    api_type: "completions",
    streamed: served.streamed,
    cancelled: served.outcome === "left",
    finish_reason: served.outcome === "finished" ? "stop" : null,
    total_cost: cost,
    usage: cost,
    upstream_inference_cost: null,
    is_byok: false,
    cache_discount: null,
    service_tier: null,
    latency: 1,
    generation_time: (served.endedAt ?? served.startedAt) - served.startedAt,
    tokens_prompt: input,
    tokens_completion: billed.output,
    native_tokens_prompt: input,
    native_tokens_completion: billed.output,
    native_tokens_reasoning: billed.reasoning,
    native_tokens_cached: billed.cachedInput,
  };
}

/** US dollars that the generations so far have cost, by the records that are still kept. */
function spent(exchange: Exchange): number {
  let micros = 0;
  for (const entry of exchange.room.served.entries) {
    if (entry.upstream !== "openrouter" || entry.billed === null) continue;
    micros += Math.round(sandboxCost(entry.model ?? "", entry.billed).total * MICROS_PER_DOLLAR);
  }
  return micros / MICROS_PER_DOLLAR;
}

function isManagementKey(exchange: Exchange): boolean {
  return exchange.bearer.startsWith("sk-or-mgmt");
}
