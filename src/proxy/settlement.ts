import { awaitsUsage } from "../ledger/awaitedUsage.ts";
import type { UpstreamName, UsageRow } from "../ledger/usageRow.ts";
import { isJsonObject } from "../wire/json.ts";
import { readUsage, type ReportedUsage } from "../wire/usage.ts";
import type { ProxyParts } from "./proxyParts.ts";
import type { Upstream } from "./upstream.ts";
import type { CostOf, MeteredAnswer } from "./usageRecorder.ts";

/** When an OpenRouter generation is asked for after its stream was cut: its record takes a while to appear. */
const GENERATION_DELAYS_MS = [2_000, 10_000, 60_000];
/** When a background response is asked for; some take an hour. */
const RESPONSE_DELAYS_MS = [2_000, 10_000, 30_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000];
const QUESTION_TIMEOUT_MS = 10_000;
/** The states that a response does not leave any more. */
const ENDED: ReadonlySet<string> = new Set(["completed", "incomplete", "failed", "cancelled"]);

/**
 * Settles the row of a background response with the usage that a later request for it brought. A row that has its usage is left alone,
 * so that polling counts nothing twice.
 */
export function settleResponse(
  parts: ProxyParts,
  upstream: UpstreamName,
  responseId: string,
  answer: MeteredAnswer,
): void {
  const { reading } = answer;
  if (reading === undefined || (reading.usage === undefined && !hasEnded(answer, responseId))) return;
  const row = parts.usage.findByResponseId(upstream, responseId);
  if (row === undefined || row.usageSource === "reported") return;
  if (reading.usage === undefined) {
    parts.admission.usageKnown(row.id);
    return;
  }
  const ending = answer.ending === "client_left" || answer.ending === "upstream_cut" ? row.ending : answer.ending;
  parts.usage.record({ ...withUsage(row, reading.usage, parts.costOf, reading.model, reading.serviceTier), ending });
  parts.admission.usageKnown(row.id);
}

/** Whether the response was told to its end, whatever it said of its use: one that was cancelled says nothing. */
function hasEnded({ reading, status }: MeteredAnswer, responseId: string): boolean {
  return (
    status === 200 && reading?.settled === true && reading.progress !== "open" && reading.responseId === responseId
  );
}

/** Asks for the usage of rows that an earlier process was still asking for when it ended. */
export function resumeRecovery(parts: ProxyParts, rows: readonly UsageRow[]): void {
  const { upstreams } = parts.settings();
  for (const row of rows) {
    const upstream = upstreams[row.upstream];
    if (upstream !== undefined) recoverUsage(parts, upstream, row);
    else parts.admission.usageKnown(row.id);
  }
}

/**
 * Asks for the usage that a row lacks where its upstream keeps a record that our key opens: what an OpenRouter stream cost that was cut before
 * it said so; and a response that goes on in the background, so that its key's quota and credit have what it used even where nobody asks
 * for the answer itself.
 */
export function recoverUsage(parts: ProxyParts, upstream: Upstream, row: UsageRow): void {
  const { responseId } = row;
  if (responseId === null) return;
  switch (upstream.name) {
    case "openrouter":
      if (row.usageSource === "estimated") recoverGeneration(parts, upstream, row, responseId);
      return;
    case "openai":
      if (awaitsUsage(row)) recoverResponse(parts, upstream, row, responseId);
      return;
    case "codex":
      return;
  }
}

function recoverGeneration(parts: ProxyParts, upstream: Upstream, row: UsageRow, generationId: string): void {
  askLater(parts, GENERATION_DELAYS_MS, {
    async ask() {
      const usage = generationUsage(
        await document(parts, upstream, `/generation?id=${encodeURIComponent(generationId)}`),
      );
      return usage && withUsage(row, usage, parts.costOf, row.modelServed, row.serviceTier);
    },
    unknown: "OpenRouter did not tell what a cut stream cost; its row stays estimated",
    row,
  });
}

function recoverResponse(parts: ProxyParts, upstream: Upstream, row: UsageRow, responseId: string): void {
  askLater(parts, RESPONSE_DELAYS_MS, {
    async ask() {
      const known = parts.usage.findByResponseId(upstream.name, responseId);
      if (known?.usageSource === "reported") {
        // What another process on the same ledger has settled is written again, which settles what is held here with it.
        return parts.admission.isHeld(row.id) ? known : "settled";
      }
      const body = await document(parts, upstream, `/responses/${encodeURIComponent(responseId)}`);
      const usage = readUsage(body?.["usage"]);
      if (usage !== undefined) return withUsage(row, usage, parts.costOf, row.modelServed, row.serviceTier);
      return ENDED.has(String(body?.["status"])) ? "never" : undefined;
    },
    unknown: "A background response did not end in time; what it uses is not known unless it is asked for",
    row,
  });
}

/** What is asked of an upstream until it tells the usage of a row. */
interface Question {
  /** Resolves with the settled row, or with undefined where the usage is not known yet. Never rejects. */
  readonly ask: () => Promise<UsageRow | "settled" | "never" | undefined>;
  /** For the log, where it was never told. */
  readonly unknown: string;
  readonly row: UsageRow;
}

function askLater(parts: ProxyParts, delays: readonly number[], { ask, unknown, row }: Question): void {
  attempt(0);

  function attempt(number: number): void {
    const delay = delays[number];
    if (delay === undefined) return giveUp();
    parts.later(delay, () => {
      void ask().then((settled) => {
        if (settled === undefined) return attempt(number + 1);
        if (settled === "never") return giveUp();
        if (settled !== "settled") {
          parts.usage.record(settled);
          parts.usage.flush();
        }
        return parts.admission.usageKnown(row.id);
      });
    });
  }

  function giveUp(): void {
    parts.log.info(unknown, { id: row.id });
    parts.admission.usageKnown(row.id);
  }
}

/** A JSON object of the upstream's; undefined where there is none to be had now. Never rejects. */
async function document(
  parts: ProxyParts,
  upstream: Upstream,
  path: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (upstream.apiKey === undefined) return undefined;
  try {
    const response = await parts.fetch(`${upstream.baseUrl}${path}`, {
      headers: { authorization: `Bearer ${upstream.apiKey}` },
      redirect: "manual",
      signal: AbortSignal.timeout(QUESTION_TIMEOUT_MS),
    });
    const body: unknown = await response.json();
    return response.ok && isJsonObject(body) ? body : undefined;
  } catch {
    // Asked again later; the row stays as it is meanwhile.
    return undefined;
  }
}

/** The settled record in the terms of a usage object. */
function generationUsage(body: Readonly<Record<string, unknown>> | undefined): ReportedUsage | undefined {
  const record = body?.["data"];
  if (!isJsonObject(record)) return undefined;
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
