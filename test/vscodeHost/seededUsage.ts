import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import { costOf } from "../../src/ledger/prices.ts";
import type { UpstreamName, UsageRow } from "../../src/ledger/usageRow.ts";
import { openLedgerFile } from "../../src/node/ledgerFile.ts";

/** A client at work, as its requests are seeded. */
interface Work {
  readonly client: string;
  readonly upstream: UpstreamName;
  readonly model: string;
  /** On a weekday. */
  readonly requests: number;
  readonly output: number;
}

const LOG = { debug() {}, info() {}, warn() {}, error() {} };
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const WORKS: readonly Work[] = [
  { client: "codex_exec", upstream: "codex", model: "gpt-6.1-sol", requests: 46, output: 900 },
  { client: "opencode", upstream: "openai", model: "gpt-5.5", requests: 31, output: 700 },
  { client: "opencode", upstream: "openrouter", model: "qwen/qwen3-coder", requests: 22, output: 1_100 },
  { client: "ai-sdk", upstream: "openai", model: "gpt-5.4-mini", requests: 18, output: 260 },
];

/**
 * Fills a ledger that no process has open with so many days of plausible work of these keys, up to now; `times` as much of it as one person
 * has. Returns the number of requests.
 */
export function seedUsage(
  dataDirectory: string,
  keyIds: readonly string[],
  days: number,
  now: number,
  times = 1,
): number {
  const file = openLedgerFile(dataDirectory, LOG, now);
  try {
    const ledger = createUsageLedger(file, LOG);
    let requests = 0;
    for (let ago = days - 1; ago >= 0; ago -= 1)
      for (const row of dayOf(keyIds, ago, now, times)) {
        ledger.record(row);
        requests += 1;
      }
    if (!ledger.flush()) throw new Error(ledger.problem);
    return requests;
  } finally {
    file.close();
  }
}

function dayOf(keyIds: readonly string[], ago: number, now: number, times: number): readonly UsageRow[] {
  const weekday = new Date(now - ago * DAY_MS).getDay();
  // A quiet weekend, and no two weeks alike.
  const share = (weekday === 0 || weekday === 6 ? 0.2 : 1) * (0.7 + 0.3 * Math.sin(ago * 1.7));
  return WORKS.flatMap((work, index) =>
    Array.from({ length: Math.round(work.requests * share * times) }, (_, turn) => {
      const at = now - ago * DAY_MS - ((turn * 7 + index * 3) % 9) * HOUR_MS - (turn % 60) * 61_000 - 60_000;
      return rowOf(work, keyIds[index % keyIds.length] ?? "fixed", at, turn);
    }),
  );
}

function rowOf({ client, upstream, model, output }: Work, keyId: string, startedAt: number, turn: number): UsageRow {
  const tokens = {
    uncachedInput: 800 + ((turn * 137) % 2_400),
    cachedInput: 14_000 + ((turn * 911) % 22_000),
    cacheWrite: 0,
    cacheWriteLong: 0,
    output: output + ((turn * 53) % 600),
    reasoning: (turn * 31) % 200,
  };
  return {
    id: crypto.randomUUID(),
    startedAt,
    keyId,
    upstream,
    endpoint: "responses",
    modelAsked: model,
    modelServed: model,
    responseId: null,
    serviceTier: null,
    tokens,
    usageSource: "reported",
    ...costOf(upstream, model, null, tokens, null),
    status: 200,
    ending: "complete",
    firstTokenMs: 420 + ((turn * 37) % 500),
    totalMs: 6_000 + ((turn * 401) % 9_000),
    client,
    session: null,
  };
}
