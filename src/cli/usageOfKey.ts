import type { Sql } from "../ports.ts";
import { findKey } from "../ledger/keyTable.ts";
import { listRows } from "../ledger/listRows.ts";
import { KeyMistake } from "../ledger/managedKey.ts";
import { NO_USAGE, reportUsage } from "../ledger/reports.ts";
import { groupJson, ROW_FIELDS, rowJson, totalsJson } from "../ledger/usageJson.ts";
import type { UsageRow } from "../ledger/usageRow.ts";
import { inputTokens } from "../wire/usage.ts";
import { csv } from "../ledger/csv.ts";
import { printable, table } from "./table.ts";
import type { Column } from "./table.ts";
import type { UsageRequest } from "./usageArguments.ts";
import type { UsageIo } from "./usageCommand.ts";
import { groupsTable } from "./usageList.ts";
import { count, localTime, money } from "./usageNumbers.ts";

const NEWEST_SHOWN = 20;
const ROWS_PER_PAGE = 1_000;

/** A key that was asked for by its id, its label or the beginning of its id; one that is not managed has its id alone. */
interface AskedKey {
  readonly id: string;
  readonly label: string | undefined;
}

/** Prints `usage show KEY`: totals, by model, newest requests. As CSV: every request of the time asked for, newest first. */
export function printUsageOfKey(sql: Sql | undefined, name: string, request: UsageRequest, io: UsageIo): void {
  const key = askedKey(sql, name);
  const keyId = key.id;
  if (request.format === "csv") {
    printRequests(sql, keyId, request, io);
    return;
  }
  const { since, until } = request;
  const [total] = sql === undefined ? [] : reportUsage(sql, { since, until, keyId, groupBy: "none" });
  const models = sql === undefined ? [] : reportUsage(sql, { since, until, keyId, groupBy: "model" });
  const rows = sql === undefined ? [] : listRows(sql, { since, until, keyId, limit: NEWEST_SHOWN }).rows;
  if (request.format === "json") {
    const answer = {
      key: keyId,
      label: key.label ?? null,
      ...totalsJson(total ?? NO_USAGE),
      models: models.map((group) => groupJson("model", group)),
      newest_requests: rows.map(rowJson),
    };
    io.stdout(`${JSON.stringify(answer, null, 2)}\n`);
  } else if (total === undefined) {
    io.stdout(
      `No requests by key ${nameOf(key)}${since === undefined && until === undefined ? "" : " in this time"}.\n`,
    );
  } else {
    io.stdout(`Key ${nameOf(key)}, ${localTime(total.firstAt)} to ${localTime(total.lastAt)}\n\n`);
    io.stdout(groupsTable("model", models, io.terminalWidth));
    io.stdout(`\nNewest requests\n${requestsTable(rows, io.terminalWidth)}`);
  }
}

/** Throws `KeyMistake` where the name may be several keys'. */
function askedKey(sql: Sql | undefined, name: string): AskedKey {
  try {
    return sql === undefined ? { id: name, label: undefined } : findKey(sql, name);
  } catch (error) {
    if (error instanceof KeyMistake && error.kind === "unknown") return { id: name, label: undefined };
    throw error;
  }
}

function nameOf({ id, label }: AskedKey): string {
  return printable(label === undefined ? id : `${label} (${id})`);
}

function requestsTable(rows: readonly UsageRow[], width: number | undefined): string {
  const columns: Column[] = [
    { title: "MODEL", align: "left" },
    { title: "STARTED", align: "left" },
    { title: "INPUT", align: "right" },
    { title: "OUTPUT", align: "right" },
    { title: "COST", align: "right" },
    { title: "SECONDS", align: "right" },
    { title: "ENDING", align: "left" },
  ];
  const lines = rows.map((row) => [
    row.modelServed ?? row.modelAsked ?? "(none)",
    localTime(row.startedAt),
    row.usageSource === "none" ? "unknown" : count(inputTokens(row.tokens)),
    row.usageSource === "none" ? "unknown" : count(row.tokens.output),
    row.costMicros === null ? "unknown" : money(row.costMicros),
    (row.totalMs / 1_000).toFixed(1),
    row.status >= 400 ? `${row.ending} (${row.status})` : row.ending,
  ]);
  return table(columns, lines, width);
}

function printRequests(sql: Sql | undefined, keyId: string, { since, until }: UsageRequest, io: UsageIo): void {
  io.stdout(csv([ROW_FIELDS]));
  if (sql === undefined) return;
  let before: number | undefined;
  do {
    const page = listRows(sql, { since, until, keyId, limit: ROWS_PER_PAGE, before });
    io.stdout(csv(page.rows.map((row) => Object.values(rowJson(row)))));
    before = page.next;
  } while (before !== undefined);
}
