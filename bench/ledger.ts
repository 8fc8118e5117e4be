/**
 * Measures the ledger on a real file: `node bench/ledger.ts [rows]`, 1 000 000 unless told otherwise, over 30 days.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { listRows } from "../src/ledger/listRows.ts";
import { costOf } from "../src/ledger/prices.ts";
import { reportUsage } from "../src/ledger/reports.ts";
import type { UsageGrouping, UsageQuery } from "../src/ledger/reports.ts";
import { rollUp } from "../src/ledger/rollUp.ts";
import { createUsageLedger } from "../src/ledger/usageLedger.ts";
import type { UsageRow } from "../src/ledger/usageRow.ts";
import { openLedgerFile, openLedgerForReading } from "../src/node/ledgerFile.ts";
import { openUsageSpool } from "../src/node/usageSpool.ts";
import { ratioText } from "./pairedRatios.ts";
import { measureRecordedRequest } from "./recordedRequest.ts";

const ROWS = Number(process.argv[2] ?? 1_000_000);
const DAY_MS = 86_400_000;
const DAYS = 30;
const BATCH = 1_000;
const SINGLE_ROWS = 20_000;
/** Requests that take long need longer rounds to be as many, and fewer of them to be told apart from noise. */
const LOADS = [
  {
    title: "16 connections, an upstream that takes 200 ms",
    rounds: 40,
    load: { kind: "late", connections: 16, milliseconds: 1_000, apartMs: 12.5 },
  },
  {
    title: "1 connection, an upstream that takes no time",
    rounds: 80,
    load: { kind: "json", connections: 1, milliseconds: 100 },
  },
  {
    title: "32 connections, an upstream that takes no time",
    rounds: 80,
    load: { kind: "json", connections: 32, milliseconds: 100 },
  },
] as const;

const log = { debug() {}, info() {}, warn: console.warn, error: console.error };
const models = ["gpt-6.1-sol", "gpt-6.1-terra", "gpt-5.5", "anthropic/claude-sonnet-5", "qwen/qwen3-coder"];
const SMALL_MODEL = "gpt-5.4-mini";
const REQUESTS_PER_SESSION = 40;
const clients = ["codex_exec", "opencode", null];
const end = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 1_234_567;

function makeRow(index: number, startedAt: number): UsageRow {
  // Four agents work at once, each request in five goes to a small model.
  const session = Math.floor(index / (4 * REQUESTS_PER_SESSION)) * 4 + (index % 4);
  const model = (index % 5 === 0 ? SMALL_MODEL : models[session % models.length]) ?? "";
  const tokens = {
    uncachedInput: 500 + (index % 3_000),
    cachedInput: 20_000 + (index % 40_000),
    cacheWrite: 0,
    cacheWriteLong: 0,
    output: 100 + (index % 2_000),
    reasoning: index % 100,
  };
  const upstream = model.includes("/") ? "openrouter" : index % 2 === 0 ? "codex" : "openai";
  return {
    id: crypto.randomUUID(),
    startedAt,
    keyId: `key_${session % 5}`,
    upstream,
    endpoint: "responses",
    modelAsked: model,
    modelServed: model,
    responseId: `resp_${crypto.randomUUID()}`,
    serviceTier: null,
    tokens,
    usageSource: "reported",
    ...costOf(upstream, model, null, tokens, null),
    status: 200,
    ending: "complete",
    firstTokenMs: 700,
    totalMs: 12_000,
    client: clients[session % clients.length] ?? null,
    session: `session-${session}`,
  };
}

function time<Result>(title: string, work: () => Result): Result {
  const before = performance.now();
  const result = work();
  console.log(`${title.padEnd(48)} ${(performance.now() - before).toFixed(1).padStart(9)} ms`);
  return result;
}

function perRow(title: string, rows: readonly UsageRow[], work: (row: UsageRow) => void): void {
  const before = performance.now();
  for (const row of rows) work(row);
  console.log(
    `${title.padEnd(48)} ${(((performance.now() - before) * 1_000) / rows.length).toFixed(2).padStart(9)} µs`,
  );
}

const directory = mkdtempSync(join(tmpdir(), "patchbay-bench-"));
try {
  const file = openLedgerFile(directory, log, Date.now());
  const ledger = createUsageLedger(file, log);
  const start = end - DAYS * DAY_MS;
  let writingMs = 0;
  for (let index = 0; index < ROWS; index += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, ROWS - index) }, (_, offset) =>
      makeRow(index + offset, start + Math.floor(((index + offset) / ROWS) * DAYS * DAY_MS)),
    );
    const before = performance.now();
    for (const row of rows) ledger.record(row);
    ledger.flush();
    writingMs += performance.now() - before;
  }
  console.log(`${ROWS} rows in batches of ${BATCH}: ${((writingMs * 1_000) / ROWS).toFixed(2)} µs each`);
  console.log(`file: ${(statSync(file.path).size / 1_048_576).toFixed(0)} MiB\n`);

  const query: Omit<UsageQuery, "groupBy"> = { since: end - DAYS * DAY_MS + 1_800_001, until: end + 1 };
  time("30 days by model, nothing rolled up", () => reportUsage(file, { ...query, groupBy: "model" }));
  time("rolling up everything", () => {
    while (rollUp(file, Date.now() + DAY_MS));
  });
  for (const table of ["usage_hour", "usage_session_hour"])
    console.log(`rows of ${table}: ${String(file.all(`SELECT count(*) AS rows FROM ${table}`)[0]?.["rows"])}`);
  console.log();

  const reader = openLedgerForReading(directory);
  if (reader === undefined) throw new Error("no ledger");
  const report = (groupBy: UsageGrouping, more: Partial<UsageQuery> = {}) =>
    reportUsage(reader, { ...query, groupBy, ...more });
  for (const groupBy of ["model", "key", "upstream", "client", "session", "day", "none"] as const) {
    time(`30 days by ${groupBy}`, () => report(groupBy));
  }
  time("30 days by day, zone +05:30", () => report("day", { zoneOffset: () => 330 }));
  time("30 days of one key by model", () => report("model", { keyId: "key_1" }));
  time("30 days of one key by session", () => report("session", { keyId: "key_1" }));
  time("last 24 hours by model", () => report("model", { since: end - DAY_MS }));
  time("last 24 hours by session", () => report("session", { since: end - DAY_MS }));
  time("newest 50 rows", () => listRows(reader, { limit: 50 }));
  time("newest 50 rows of one key", () => listRows(reader, { limit: 50, keyId: "key_1" }));
  reader.close();
  console.log();

  const singles = Array.from({ length: SINGLE_ROWS }, (_, index) => makeRow(index, end + index * 20));
  perRow("record and flush, each row on its own", singles, (row) => {
    ledger.record(row);
    ledger.flush();
  });
  perRow("the same rows replaced, each on its own", singles, (row) => {
    ledger.record(row);
    ledger.flush();
  });
  perRow("record alone", singles, (row) => ledger.record(row));
  ledger.flush();
  const spool = openUsageSpool(directory, log, Date.now());
  perRow("spooled, each row on its own", singles, (row) => {
    spool.add(row);
    spool.write();
  });
  spool.remove();
  file.close();
  time("opening the file", () => openLedgerFile(directory, log, Date.now()).close());
  console.log();

  for (const { title, load, rounds } of LOADS) {
    const { row, control } = await measureRecordedRequest(directory, load, rounds);
    console.log(`A JSON request over ${title}; middle of the pairs (95% interval)
  with its row against one without  p50 ${ratioText(row.p50)}, processor time ${ratioText(row.processor)}
  one without against one without   p50 ${ratioText(control.p50)}, processor time ${ratioText(control.processor)}`);
  }
} finally {
  rmSync(directory, { recursive: true });
}
