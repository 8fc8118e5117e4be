import type { Sql } from "../ports.ts";
import { csv } from "../ledger/csv.ts";
import { listKeys } from "../ledger/keyTable.ts";
import { addTotals, NO_USAGE, reportUsage } from "../ledger/reports.ts";
import type { UsageGroup, UsageGrouping, UsageTotals } from "../ledger/reports.ts";
import { groupJson } from "../ledger/usageJson.ts";
import { localZoneOffset } from "../node/localZone.ts";
import { table } from "./table.ts";
import type { Column } from "./table.ts";
import type { UsageRequest } from "./usageArguments.ts";
import { withBars } from "./usageBars.ts";
import type { UsageIo } from "./usageCommand.ts";
import { cacheShare, costSentence, costSource, count, percent, totalCost } from "./usageNumbers.ts";
import { MICROS_PER_DOLLAR } from "../wire/money.ts";

/** Prints `usage list`; no ledger yet is an empty one. */
export function printUsageList(sql: Sql | undefined, request: UsageRequest, io: UsageIo): void {
  const { since, until, groupBy } = request;
  const groups = sql === undefined ? [] : reportUsage(sql, { since, until, groupBy, zoneOffset: localZoneOffset });
  const labels = sql === undefined || groupBy !== "key" ? new Map<string, string>() : keyLabels(sql);
  switch (request.format) {
    case "json":
      io.stdout(
        `${JSON.stringify(
          groups.map((group) => listedJson(groupBy, group, labels)),
          null,
          2,
        )}\n`,
      );
      return;
    case "csv":
      io.stdout(groupsCsv(groupBy, groups, labels));
      return;
    case "table":
      io.stdout(groups.length === 0 ? nothing(request) : groupsTable(groupBy, groups, io.terminalWidth, labels));
  }
}

/** What managed keys are called, by their ids. */
function keyLabels(sql: Sql): ReadonlyMap<string, string> {
  return new Map(listKeys(sql).map(({ id, label }) => [id, label]));
}

/** One group with what only this report tells. `cache_share` is the part of the input that came from a cache. */
function listedJson(groupBy: UsageGrouping, group: UsageGroup, labels: ReadonlyMap<string, string>) {
  return {
    ...groupJson(groupBy, group),
    ...(groupBy === "key" ? { label: labels.get(group.group ?? "") ?? null } : {}),
    cache_share: cacheShare(group) ?? null,
    upstream_cost_usd: group.chargedMicros / MICROS_PER_DOLLAR,
    table_cost_usd: (group.costMicros - group.chargedMicros) / MICROS_PER_DOLLAR,
  };
}

/** Groups as CSV with the same fields as the JSON. */
function groupsCsv(groupBy: UsageGrouping, groups: readonly UsageGroup[], labels: ReadonlyMap<string, string>): string {
  const fields = Object.keys(listedJson(groupBy, { group: null, ...NO_USAGE }, labels));
  return csv([fields, ...groups.map((group) => Object.values(listedJson(groupBy, group, labels)))]);
}

const TITLES = ["REQUESTS", "ERRORS", "INPUT", "CACHED", "OUTPUT", "REASONING", "COST", "SOURCE"];
/** What a terminal without room for bars does without, first to last; it is in the sentence below, and in JSON and CSV. */
const SPARED = ["REASONING", "ERRORS", "SOURCE"];
/** A gap, and a bar that tells something. */
const ROOM_FOR_BAR = 12;
/** So much of a name is shown before a column is left out. */
const NAME_CHARACTERS = 20;

/**
 * Groups for people, with the totals of more than one and where their cost comes from. In a terminal of known width each group has
 * a bar, of its cost, or of its tokens where no cost is known; columns give way to it.
 */
export function groupsTable(
  groupBy: UsageGrouping,
  groups: readonly UsageGroup[],
  width: number | undefined,
  labels: ReadonlyMap<string, string> = new Map(),
): string {
  const total = groups.reduce<UsageTotals | undefined>(sum, undefined) ?? NO_USAGE;
  const lines = groups.map((group) => line(nameOf(group, labels), group));
  if (groups.length > 1) lines.push(line("TOTAL", total));
  const measure = (group: UsageGroup): number =>
    total.costMicros > 0 ? group.costMicros : group.inputTokens + group.outputTokens;
  const values = [undefined, ...groups.map(measure)];
  const printed = tableWithBars(groupBy.toUpperCase(), lines, width, values);
  return `${printed.join("\n")}\n\n${costSentence(total)}\n`;
}

/** The lines of the table that has the most columns of those that leave room for bars; all columns and no bars where none does. */
function tableWithBars(
  title: string,
  lines: readonly (readonly string[])[],
  width: number | undefined,
  values: readonly (number | undefined)[],
): string[] {
  const tableWithout = (spared: readonly string[], most: number | undefined): string[] => {
    const kept = TITLES.map((name, index) => ({ name, index: index + 1 })).filter(({ name }) => !spared.includes(name));
    const columns = kept.map(({ name }): Column => ({ title: name, align: name === "SOURCE" ? "left" : "right" }));
    const cells = lines.map((cell) => [cell[0] ?? "", ...kept.map(({ index }) => cell[index] ?? "")]);
    return table([{ title, align: "left" }, ...columns], cells, most)
      .trimEnd()
      .split("\n");
  };
  if (width !== undefined) {
    const longestName = Math.max(...lines.map(([name = ""]) => characters(name)));
    for (let count = 0; count <= SPARED.length; count += 1) {
      const spared = SPARED.slice(0, count);
      const whole = Math.max(...tableWithout(spared, undefined).map(characters));
      const needed = whole - longestName + Math.min(longestName, NAME_CHARACTERS);
      if (needed + ROOM_FOR_BAR <= width) return withBars(tableWithout(spared, width - ROOM_FOR_BAR), values, width);
    }
  }
  return tableWithout([], width);
}

function characters(text: string): number {
  return Array.from(text).length;
}

function nameOf({ group }: UsageGroup, labels: ReadonlyMap<string, string>): string {
  if (group === null) return "(none)";
  const label = labels.get(group);
  return label === undefined ? group : `${label} (${group})`;
}

function sum(total: UsageTotals | undefined, group: UsageGroup): UsageTotals {
  return total === undefined ? group : addTotals(total, group);
}

function line(name: string, totals: UsageTotals): string[] {
  const { requests, errors, inputTokens, outputTokens, reasoningTokens } = totals;
  const share = cacheShare(totals);
  return [
    name,
    ...[requests, errors, inputTokens].map(count),
    share === undefined ? "-" : percent(share),
    ...[outputTokens, reasoningTokens].map(count),
    totalCost(totals),
    costSource(totals),
  ];
}

function nothing({ since, until }: UsageRequest): string {
  return since === undefined && until === undefined
    ? "No requests yet.\n"
    : "No requests in this time; leave out --since and --until to see all.\n";
}
