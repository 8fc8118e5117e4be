/**
 * What admission adds to a request: `node bench/admission.ts [rows] [keys]`, 1 000 000 and 10 000 unless told otherwise.
 *
 * A request's key is found by its secret and admitted, its row is counted and its place given back, all as in the proxy; every key has a
 * rate, a quota, a credit, a bound on models and on requests at once. Printed is the middle of many batches, in processor time, which
 * other programs on the machine do not lengthen, and the part of the rows' commit, which many requests share.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { estimateCost, expectedTokens } from "../src/ledger/costEstimate.ts";
import { grant } from "../src/ledger/creditJournal.ts";
import { newKeyId, newKeySecret } from "../src/ledger/keySecret.ts";
import { addKey } from "../src/ledger/keyTable.ts";
import { findPrice } from "../src/ledger/prices.ts";
import { loadPrices } from "../src/ledger/priceSnapshot.ts";
import { createUsageLedger } from "../src/ledger/usageLedger.ts";
import type { UsageRow } from "../src/ledger/usageRow.ts";
import { openLedgerFile } from "../src/node/ledgerFile.ts";
import { openProcessAccounts } from "../src/node/processAccounts.ts";
import { sha256, systemClock } from "../src/node/proxyProcess.ts";
import { limitHeaders } from "../src/proxy/limitHeaders.ts";
import { createKeyRing } from "../src/proxy/localKey.ts";
import { median } from "./median.ts";

const ROWS = Number(process.argv[2] ?? 1_000_000);
const KEYS = Number(process.argv[3] ?? 10_000);
const TARGET_MICROS = 20;
const INSERT_BATCH = 1_000;
const BATCHES = 200;
const BATCH = 500;
const DAY_MS = 86_400_000;
const MODEL = "gpt-5.5";
const EXPECTED = { bodyBytes: 40_000, maxOutputTokens: undefined, answers: 1, serviceTier: null };

const log = { debug() {}, info() {}, warn: console.warn, error: console.error };

function makeRow(id: string, keyId: string, startedAt: number): UsageRow {
  return {
    id,
    startedAt,
    keyId,
    upstream: "openai",
    endpoint: "responses",
    modelAsked: MODEL,
    modelServed: MODEL,
    responseId: null,
    serviceTier: null,
    tokens: { uncachedInput: 900, cachedInput: 9_000, cacheWrite: 0, cacheWriteLong: 0, output: 200, reasoning: 50 },
    usageSource: "reported",
    costMicros: 15_000,
    costSource: "price_table",
    status: 200,
    ending: "complete",
    firstTokenMs: 700,
    totalMs: 9_000,
    client: "codex_exec",
    session: null,
  };
}

const directory = mkdtempSync(join(tmpdir(), "patchbay-bench-"));
try {
  const now = Date.now();
  const file = openLedgerFile(directory, log, now);
  const known = Array.from({ length: KEYS }, (_, index) => {
    const secret = newKeySecret(randomBytes);
    const { id } = addKey(
      file,
      {
        label: `key ${index}`,
        expiresAt: now + DAY_MS,
        ratePerMinute: 60_000_000,
        burst: 1_000_000,
        quotaTokens: 1_000_000_000_000,
        quotaWindow: index % 2 === 0 ? "day" : "5h",
        models: ["o3*", "gpt-5*"],
        maxConcurrent: 1_000,
        isCredit: true,
      },
      { id: newKeyId(randomBytes), digest: sha256(secret) },
      now,
    );
    grant(file, id, { kind: "set", micros: 1_000_000_000_000 }, null, now);
    return { id, secret };
  });
  const keyAt = (index: number): { id: string; secret: string } => known[index % KEYS] ?? { id: "", secret: "" };

  const filling = createUsageLedger(file, log);
  for (let index = 0; index < ROWS; index += INSERT_BATCH) {
    for (let one = index; one < Math.min(ROWS, index + INSERT_BATCH); one += 1) {
      filling.record(makeRow(crypto.randomUUID(), keyAt(one * 7).id, now - DAY_MS + Math.floor((one / ROWS) * DAY_MS)));
    }
    filling.flush();
  }

  const { keys, accounts, admission } = openProcessAccounts(file, systemClock, log, () => "refuse");
  const ring = createKeyRing({ digest: sha256, now: () => systemClock.now(), managed: keys });
  const prices = loadPrices(file);
  const estimate = (): number | undefined => estimateCost(findPrice(prices, "openai", MODEL), EXPECTED);
  const expected = expectedTokens(EXPECTED);
  const figures: number[] = [];
  const commits: number[] = [];
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const asked = Array.from({ length: BATCH }, (_, index) => ({
      secret: keyAt((batch * BATCH + index) * 7_919).secret,
      id: crypto.randomUUID(),
    }));
    const rows: UsageRow[] = [];
    const begun = process.cpuUsage();
    for (const { secret, id } of asked) {
      const found = ring.find(secret);
      if (found === undefined) throw new Error("A key was not found.");
      const startedAt = systemClock.now();
      const admitted = admission.admit(found.key, {
        requestId: id,
        startedAt,
        model: MODEL,
        namesModel: true,
        estimate,
        expectedTokens: () => expected.input + expected.output,
      });
      limitHeaders(found.key, admission, startedAt);
      const row = makeRow(id, found.key.id, startedAt);
      accounts.recorded(row);
      admitted.end();
      rows.push(row);
    }
    const admitting = process.cpuUsage(begun);
    const committing = process.cpuUsage();
    const replaced = rows.map(() => undefined);
    file.transaction(() => accounts.write(file, rows, replaced));
    accounts.committed(rows, replaced);
    figures.push((admitting.user + admitting.system) / BATCH);
    const committed = process.cpuUsage(committing);
    commits.push((committed.user + committed.system) / BATCH);
  }
  file.close();
  const micros = median(figures);
  console.log(`${KEYS} keys, ${ROWS} rows
admission adds to a request   ${micros.toFixed(1)} µs (target ${TARGET_MICROS}: ${micros <= TARGET_MICROS ? "met" : "missed"})
to the commit of its row      ${median(commits).toFixed(1)} µs
for comparison, the SHA-256 of a key's secret alone  ${digestMicros().toFixed(1)} µs`);
} finally {
  rmSync(directory, { recursive: true });
}

/** What tells a slow machine from a slow admission. */
function digestMicros(): number {
  const secret = newKeySecret(randomBytes);
  const figures = Array.from({ length: 50 }, () => {
    const begun = process.cpuUsage();
    for (let index = 0; index < BATCH; index += 1) sha256(`${secret}${index}`);
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / BATCH;
  });
  return median(figures);
}
