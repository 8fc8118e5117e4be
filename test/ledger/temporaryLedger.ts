import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Log, LogFields } from "../../src/ports.ts";
import { migrate } from "../../src/ledger/schema.ts";
import type { UsageRow } from "../../src/ledger/usageRow.ts";
import { openSqlite } from "../../src/node/sqlite.ts";
import type { SqliteDatabase } from "../../src/node/sqlite.ts";

/** 2026-11-21T00:00:00Z. */
export const DAY = Date.UTC(2026, 10, 21);
export const HOUR = 3_600_000;

/** Runs the work with a migrated database in a folder of its own, and removes both. */
export function withLedger<Result>(work: (sql: SqliteDatabase) => Result): Result {
  return withFolder((folder) => {
    const sql = openSqlite(join(folder, "ledger.db"), "write");
    try {
      migrate(sql);
      return work(sql);
    } finally {
      sql.close();
    }
  });
}

/** Runs the work with a new folder and removes it. */
export function withFolder<Result>(work: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-test-"));
  const remove = (): void => rmSync(folder, { recursive: true });
  let result: Result;
  try {
    result = work(folder);
  } catch (error) {
    remove();
    throw error;
  }
  if (result instanceof Promise) return result.finally(remove) as Result;
  remove();
  return result;
}

/** A row with plausible values. */
export function row(changes: Partial<UsageRow> = {}): UsageRow {
  return {
    id: "request-1",
    startedAt: DAY,
    keyId: "key_a",
    upstream: "openai",
    endpoint: "responses",
    modelAsked: "gpt-5.5",
    modelServed: "gpt-5.5-2026-04-23",
    responseId: null,
    serviceTier: "default",
    tokens: { uncachedInput: 100, cachedInput: 50, cacheWrite: 20, cacheWriteLong: 5, output: 30, reasoning: 10 },
    usageSource: "reported",
    costMicros: 1_500,
    costSource: "price_table",
    status: 200,
    ending: "complete",
    firstTokenMs: 300,
    totalMs: 1_200,
    client: "opencode",
    session: "session-1",
    ...changes,
  };
}

/** A log that keeps its lines. */
export function listeningLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const write =
    (level: string) =>
    (message: string, fields?: LogFields): void =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  return { lines, debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
