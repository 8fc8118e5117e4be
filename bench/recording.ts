import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { createUsageLedger } from "../src/ledger/usageLedger.ts";
import type { UsageRow } from "../src/ledger/usageRow.ts";
import { openLedgerFile } from "../src/node/ledgerFile.ts";
import type { Contestant } from "./contestants.ts";
import { median } from "./median.ts";
import { compare } from "./throughput.ts";

/** What being metered costs a request, in microseconds. */
export interface RecordingCost {
  /** Reading the request and its answer, making the row and committing it: one connection, then 32. */
  readonly metering: { readonly alone: number; readonly busy: number };
  /** The ledger's part of it: a row that is committed by itself, and one of 32 that share a commit. */
  readonly row: { readonly alone: number; readonly shared: number };
}

/** Relayed like a chat request, but no usage is reported there: neither request nor answer is read, and no row is written. */
const UNMETERED_PATH = "/v1/moderations";
const BUSY_CONNECTIONS = 32;
const ROWS = 4096;

const log = { debug() {}, info() {}, warn: console.warn, error: console.error };

/**
 * Sends the same JSON requests to a metered and to an unmetered path of the same running program, in turns; and writes rows to a
 * ledger file of its own, for the part that is SQLite's.
 */
export async function measureRecording(
  patchbay: Contestant,
  directory: string,
  rounds: number,
  milliseconds: number,
): Promise<RecordingCost> {
  const paths = new Map([
    ["metered", patchbay],
    ["unmetered", { ...patchbay, path: UNMETERED_PATH }],
  ]);
  const alone = await compare({ title: "", kind: "json", connections: 1 }, paths, rounds, milliseconds);
  const busy = await compare({ title: "", kind: "json", connections: BUSY_CONNECTIONS }, paths, rounds, milliseconds);
  const perRequest = (name: string): number => 1_000_000 / (busy.get(name)?.requestsPerSecond ?? Number.NaN);
  return {
    metering: {
      alone: (alone.get("metered")?.p50 ?? Number.NaN) - (alone.get("unmetered")?.p50 ?? Number.NaN),
      busy: perRequest("metered") - perRequest("unmetered"),
    },
    row: { alone: rowCost(directory, 1), shared: rowCost(directory, BUSY_CONNECTIONS) },
  };
}

/** Microseconds of a row where so many share a commit: the median, which leaves SQLite's checkpoints out. */
function rowCost(directory: string, rowsPerCommit: number): number {
  const file = openLedgerFile(mkdtempSync(join(directory, "rows-")), log, Date.now());
  try {
    const ledger = createUsageLedger(file, log);
    const costs: number[] = [];
    for (let written = 0; written < ROWS; written += rowsPerCommit) {
      const rows = Array.from({ length: rowsPerCommit }, (_, index) => makeRow(written + index));
      const before = performance.now();
      for (const row of rows) ledger.record(row);
      ledger.flush();
      costs.push(((performance.now() - before) * 1000) / rowsPerCommit);
    }
    return median(costs);
  } finally {
    file.close();
  }
}

function makeRow(index: number): UsageRow {
  return {
    id: `req_${index}`,
    startedAt: Date.now(),
    keyId: "fixed",
    upstream: "openai",
    endpoint: "chat",
    modelAsked: "bench-json",
    modelServed: "bench",
    responseId: "chatcmpl-bench",
    serviceTier: null,
    tokens: { uncachedInput: 9, cachedInput: 0, cacheWrite: 0, cacheWriteLong: 0, output: 98, reasoning: 0 },
    usageSource: "reported",
    costMicros: null,
    costSource: "unknown",
    status: 200,
    ending: "complete",
    firstTokenMs: 1,
    totalMs: 1,
    client: "bench",
    session: null,
  };
}
