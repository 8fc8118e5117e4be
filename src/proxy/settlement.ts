import type { UpstreamName, UsageRow } from "../ledger/usageRow.ts";
import { readUsage, type ReportedUsage } from "../wire/usage.ts";
import type { ProxyParts } from "./proxyParts.ts";
import type { Upstream } from "./upstream.ts";
import type { CostOf, MeteredAnswer, UsageSink } from "./usageRecorder.ts";

/** When an OpenRouter generation is asked for after its stream was cut: its record takes a while to appear. */
const GENERATION_DELAYS_MS = [2_000, 10_000, 60_000];
const GENERATION_TIMEOUT_MS = 10_000;

/**
 * Settles the row of a background response with the usage that a later request for it brought. A row that has its usage is left alone,
 * so that polling counts nothing twice.
 */
export function settleResponse(
  sink: UsageSink,
  costOf: CostOf,
  upstream: UpstreamName,
  responseId: string,
  answer: MeteredAnswer,
): void {
  const reading = answer.reading;
  if (reading?.usage === undefined) return;
  const row = sink.findByResponseId(upstream, responseId);
  if (row === undefined || row.usageSource === "reported") return;
  const ending = answer.ending === "client_left" || answer.ending === "upstream_cut" ? row.ending : answer.ending;
  sink.record({ ...withUsage(row, reading.usage, costOf, reading.model, reading.serviceTier), ending });
}

/** Asks OpenRouter what a generation cost whose stream was cut before it said so, and settles the row. */
export function recoverGeneration(parts: ProxyParts, upstream: Upstream, row: UsageRow, generationId: string): void {
  attempt(0);

  function attempt(number: number): void {
    const delay = GENERATION_DELAYS_MS[number];
    if (delay === undefined) {
      parts.log.info("OpenRouter did not tell what a cut stream cost; its row stays estimated", { id: row.id });
      return;
    }
    parts.later(delay, () => {
      void askGeneration(parts, upstream, generationId).then((usage) => {
        if (usage === undefined) return attempt(number + 1);
        parts.usage.record(withUsage(row, usage, parts.costOf, row.modelServed, row.serviceTier));
        return parts.usage.flush();
      });
    });
  }
}

async function askGeneration(
  parts: ProxyParts,
  upstream: Upstream,
  generationId: string,
): Promise<ReportedUsage | undefined> {
  if (upstream.apiKey === undefined) return undefined;
  try {
    const response = await parts.fetch(`${upstream.baseUrl}/generation?id=${encodeURIComponent(generationId)}`, {
      headers: { authorization: `Bearer ${upstream.apiKey}` },
      redirect: "manual",
      signal: AbortSignal.timeout(GENERATION_TIMEOUT_MS),
    });
    const body: unknown = await response.json();
    return response.ok ? generationUsage(body) : undefined;
  } catch {
    // Asked again later; the row stays as it is meanwhile.
    return undefined;
  }
}

/** The settled record in the terms of a usage object. */
function generationUsage(body: unknown): ReportedUsage | undefined {
  const data = typeof body === "object" && body !== null && "data" in body ? body.data : undefined;
  if (typeof data !== "object" || data === null) return undefined;
  const record: Record<string, unknown> = { ...data };
  return readUsage({
    prompt_tokens: record["native_tokens_prompt"] ?? record["tokens_prompt"],
    completion_tokens: record["native_tokens_completion"] ?? record["tokens_completion"],
    prompt_tokens_details: { cached_tokens: record["native_tokens_cached"] },
    completion_tokens_details: { reasoning_tokens: record["native_tokens_reasoning"] },
    cost: record["total_cost"],
  });
}

function withUsage(
  row: UsageRow,
  usage: ReportedUsage,
  costOf: CostOf,
  model: string | null,
  serviceTier: string | null,
): UsageRow {
  const modelServed = model ?? row.modelServed;
  const cost = costOf(
    row.upstream,
    modelServed ?? row.modelAsked,
    serviceTier ?? row.serviceTier,
    usage.tokens,
    usage.costMicros,
  );
  return {
    ...row,
    modelServed,
    serviceTier: serviceTier ?? row.serviceTier,
    tokens: usage.tokens,
    usageSource: "reported",
    ...cost,
  };
}
