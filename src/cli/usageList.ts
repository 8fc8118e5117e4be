import type { Sql } from "../ports.ts";
import { addTotals, NO_USAGE, reportUsage } from "../ledger/reports.ts";
import type { UsageGroup, UsageGrouping, UsageTotals } from "../ledger/reports.ts";
import { groupJson } from "../ledger/usageJson.ts";
import { csv } from "../ledger/csv.ts";
import { table } from "./table.ts";
import type { Column } from "./table.ts";
import { localZoneOffset } from "../node/localZone.ts";
import type { UsageRequest } from "./usageArguments.ts";
import type { UsageIo } from "./usageCommand.ts";
import { count, totalCost } from "./usageNumbers.ts";

/** Prints `usage list`; no ledger yet is an empty one. */
export function printUsageList(sql: Sql | undefined, request: UsageRequest, io: UsageIo): void {
  const { since, until, groupBy } = request;
  const groups = sql === undefined ? [] : reportUsage(sql, { since, until, groupBy, zoneOffset: localZoneOffset });
  switch (request.format) {
    case "json":
      io.stdout(
        `${JSON.stringify(
          groups.map((group) => groupJson(groupBy, group)),
          null,
          2,
        )}\n`,
      );
      return;
    case "csv":
      io.stdout(groupsCsv(groupBy, groups));
      return;
    case "table":
      io.stdout(groups.length === 0 ? nothing(request) : groupsTable(groupBy, groups, io.terminalWidth));
  }
}

/** Groups as CSV with the same fields as the JSON. */
function groupsCsv(groupBy: UsageGrouping, groups: readonly UsageGroup[]): string {
  const fields = Object.keys(groupJson(groupBy, { group: null, ...NO_USAGE }));
  return csv([fields, ...groups.map((group) => Object.values(groupJson(groupBy, group)))]);
}

/** Groups for people, with a line of totals under more than one. */
export function groupsTable(groupBy: UsageGrouping, groups: readonly UsageGroup[], width: number | undefined): string {
  const columns: Column[] = [
    { title: groupBy.toUpperCase(), align: "left" },
    ...["REQUESTS", "ERRORS", "INPUT", "CACHED", "OUTPUT", "REASONING", "COST"].map((title): Column => ({
      title,
      align: "right",
    })),
  ];
  const lines = groups.map((group) => line(group.group ?? "(none)", group));
  const total = groups.length > 1 ? groups.reduce<UsageTotals | undefined>(sum, undefined) : undefined;
  return table(columns, total === undefined ? lines : [...lines, line("TOTAL", total)], width);
}

function sum(total: UsageTotals | undefined, group: UsageGroup): UsageTotals {
  return total === undefined ? group : addTotals(total, group);
}

function line(name: string, totals: UsageTotals): string[] {
  const { requests, errors, inputTokens, cachedTokens, outputTokens, reasoningTokens } = totals;
  const counts = [requests, errors, inputTokens, cachedTokens, outputTokens, reasoningTokens].map(count);
  return [name, ...counts, totalCost(totals)];
}

function nothing({ since, until }: UsageRequest): string {
  return since === undefined && until === undefined
    ? "No requests yet.\n"
    : "No requests in this time; leave out --since and --until to see all.\n";
}
