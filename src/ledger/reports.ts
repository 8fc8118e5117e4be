import type { Sql, SqlRow, SqlValue } from "../ports.ts";
import { LATEST_MS, momentOf } from "./place.ts";
import { localDays, splitSpans } from "./reportSpans.ts";
import type { LabelledRange, LabelledSpan, ZoneOffset } from "./reportSpans.ts";
import { MODEL_OF_ROW, SUMS_OF_ROWS } from "./rollUp.ts";
import { readState } from "./schema.ts";

/** What a report may be grouped by. */
export const USAGE_GROUPINGS = ["key", "model", "upstream", "client", "session", "day", "none"] as const;

/** What a report is grouped by; `none` makes one group of everything. */
export type UsageGrouping = (typeof USAGE_GROUPINGS)[number];

/** What to report. Times are milliseconds since the Unix epoch. */
export interface UsageQuery {
  readonly groupBy: UsageGrouping;
  /** Included; from the beginning where left out. */
  readonly since?: number | undefined;
  /** Not included; without end where left out. */
  readonly until?: number | undefined;
  readonly keyId?: string | undefined;
  /** As served, or as asked for where nothing was served. */
  readonly model?: string | undefined;
  /** Whose midnights days begin at; UTC where left out. */
  readonly zoneOffset?: ZoneOffset | undefined;
}

/** Sums over some requests. Token counts include what was read from or written to caches, and reasoning. */
export interface UsageTotals {
  readonly requests: number;
  /** Requests that failed, were cut off by the upstream or got an error status. */
  readonly errors: number;
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** Micro-dollars, of those requests whose cost is known. */
  readonly costMicros: number;
  /** How much of it the upstreams themselves charged; the rest was reckoned with the price table. */
  readonly chargedMicros: number;
  /** Requests whose cost is not known. */
  readonly unpricedRequests: number;
  /** When the first of them started, in milliseconds since the Unix epoch. */
  readonly firstAt: number;
  /** When the last of them started. */
  readonly lastAt: number;
}

/** The sums of one group. */
export interface UsageGroup extends UsageTotals {
  /** A key's id, a model, a local date (`2026-11-21`), ...; null for requests that name none, and where nothing is grouped. */
  readonly group: string | null;
}

/** The sums over no request at all. */
export const NO_USAGE: UsageTotals = {
  requests: 0,
  errors: 0,
  inputTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  costMicros: 0,
  chargedMicros: 0,
  unpricedRequests: 0,
  firstAt: 0,
  lastAt: 0,
};

const SUM_HOURS = `sum(requests) AS requests, sum(errors) AS errors, sum(input) AS input, sum(cached_input) AS cached_input,
  sum(cache_write) AS cache_write, sum(output) AS output, sum(reasoning) AS reasoning, sum(cost_micros) AS cost_micros,
  sum(charged_micros) AS charged_micros, sum(unpriced) AS unpriced, min(first_at) AS first_at, max(last_at) AS last_at`;

/**
 * Usage by groups: days in order of time, everything else by cost, then tokens, highest first. Always exact: whole hours come
 * from roll-ups, ragged edges and hours not folded yet from single rows. Only reads; throws what the database throws.
 */
export function reportUsage(sql: Sql, query: UsageQuery): UsageGroup[] {
  return sql.transaction(() => {
    const spans = spansOf(sql, query);
    const pending = sql.all("SELECT hour FROM usage_pending_hour ORDER BY hour").map((row) => Number(row["hour"]));
    const { hours, places } = splitSpans(spans, pending);
    const groups = new Map<string, UsageGroup>();
    for (const row of [...sumHours(sql, query, hours), ...sumRows(sql, query, places)]) add(groups, readGroup(row));
    return [...groups.values()].sort(query.groupBy === "day" ? byName : byCost);
  });
}

/** `min` and `max` would read all of a view. */
const BOUNDS = `SELECT (SELECT place FROM usage ORDER BY place LIMIT 1) AS first,
  (SELECT place FROM usage ORDER BY place DESC LIMIT 1) AS last`;

function spansOf(sql: Sql, query: UsageQuery): LabelledSpan[] {
  const [bounds] = sql.all(BOUNDS);
  if (bounds === undefined || bounds["first"] === null) return [];
  const since = Math.max(query.since ?? 0, readState(sql, "kept_from"), momentOf(Number(bounds["first"])));
  const until = Math.min(query.until ?? LATEST_MS, momentOf(Number(bounds["last"])) + 1);
  if (since >= until) return [];
  return query.groupBy === "day"
    ? localDays(since, until, query.zoneOffset ?? (() => 0))
    : [{ label: "", since, until }];
}

function sumHours(sql: Sql, query: UsageQuery, ranges: readonly LabelledRange[]): SqlRow[] {
  if (ranges.length === 0) return [];
  return sql.all(
    `SELECT ${NAMES_IN_HOURS[query.groupBy]} AS name, ${SUM_HOURS}
     FROM json_each(?) AS span CROSS JOIN ${query.groupBy === "session" ? "usage_session_hour" : "usage_hour"}
     WHERE hour >= span.value ->> 1 AND hour < span.value ->> 2
       AND hour NOT IN (SELECT hour FROM usage_pending_hour) ${filters(query, "model")}
     GROUP BY name`,
    [JSON.stringify(ranges), ...filterValues(query)],
  );
}

function sumRows(sql: Sql, query: UsageQuery, ranges: readonly LabelledRange[]): SqlRow[] {
  if (ranges.length === 0) return [];
  return sql.all(
    // Sums over a view of two tables would copy both; a query that sums nothing searches each of them, and the limit keeps it one.
    `SELECT ${NAMES_IN_ROWS[query.groupBy]} AS name, ${SUMS_OF_ROWS} FROM (
       SELECT ${LABEL_OF_SPAN} AS label, usage.* FROM json_each(?) AS span CROSS JOIN usage
       WHERE place >= span.value ->> 1 AND place < span.value ->> 2 ${filters(query, MODEL_OF_ROW)} LIMIT -1
     ) GROUP BY name`,
    [JSON.stringify(ranges), ...filterValues(query)],
  );
}

const LABEL_OF_SPAN = "span.value ->> 0";

/** What names a group of single rows. */
const NAMES_IN_ROWS: Readonly<Record<UsageGrouping, string>> = {
  key: "key_id",
  model: MODEL_OF_ROW,
  upstream: "upstream",
  client: "coalesce(client, '')",
  session: "coalesce(session, '')",
  day: "label",
  none: "label",
};

/** What names a group of hourly sums. */
const NAMES_IN_HOURS: Readonly<Record<UsageGrouping, string>> = {
  key: "key_id",
  model: "model",
  upstream: "upstream",
  client: "client",
  session: "session",
  day: LABEL_OF_SPAN,
  none: LABEL_OF_SPAN,
};

function filters(query: UsageQuery, model: string): string {
  return (query.keyId === undefined ? "" : " AND key_id = ?") + (query.model === undefined ? "" : ` AND ${model} = ?`);
}

function filterValues(query: UsageQuery): SqlValue[] {
  return [query.keyId, query.model].filter((value) => value !== undefined);
}

function readGroup(row: SqlRow): UsageGroup {
  return {
    group: row["name"] === "" ? null : String(row["name"]),
    requests: Number(row["requests"]),
    errors: Number(row["errors"]),
    inputTokens: Number(row["input"]),
    cachedTokens: Number(row["cached_input"]),
    cacheWriteTokens: Number(row["cache_write"]),
    outputTokens: Number(row["output"]),
    reasoningTokens: Number(row["reasoning"]),
    costMicros: Number(row["cost_micros"]),
    chargedMicros: Number(row["charged_micros"]),
    unpricedRequests: Number(row["unpriced"]),
    firstAt: Number(row["first_at"]),
    lastAt: Number(row["last_at"]),
  };
}

function add(groups: Map<string, UsageGroup>, more: UsageGroup): void {
  const name = more.group ?? "";
  const sum = groups.get(name);
  groups.set(name, sum === undefined ? more : { group: more.group, ...addTotals(sum, more) });
}

/** The sums of two sets of requests that share none. */
export function addTotals(one: UsageTotals, other: UsageTotals): UsageTotals {
  return {
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    inputTokens: one.inputTokens + other.inputTokens,
    cachedTokens: one.cachedTokens + other.cachedTokens,
    cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
    costMicros: one.costMicros + other.costMicros,
    chargedMicros: one.chargedMicros + other.chargedMicros,
    unpricedRequests: one.unpricedRequests + other.unpricedRequests,
    firstAt: Math.min(one.firstAt, other.firstAt),
    lastAt: Math.max(one.lastAt, other.lastAt),
  };
}

function byName(one: UsageGroup, other: UsageGroup): number {
  return compareText(one.group ?? "", other.group ?? "");
}

function byCost(one: UsageGroup, other: UsageGroup): number {
  return (
    other.costMicros - one.costMicros ||
    other.inputTokens + other.outputTokens - one.inputTokens - one.outputTokens ||
    byName(one, other)
  );
}

function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
