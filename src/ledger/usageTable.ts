import type { SqlRow, SqlValue } from "../ports.ts";
import { LATEST_MS, momentOf } from "./place.ts";
import type { CostSource, Ending, Endpoint, UpstreamName, UsageRow, UsageSource } from "./usageRow.ts";

const COLUMNS = [
  "key_id",
  "upstream",
  "endpoint",
  "model_asked",
  "model_served",
  "response_id",
  "service_tier",
  "uncached_input",
  "cached_input",
  "cache_write",
  "cache_write_long",
  "output",
  "reasoning",
  "usage_source",
  "cost_micros",
  "cost_source",
  "status",
  "ending",
  "first_token_ms",
  "total_ms",
  "client",
  "session",
] as const;

const TOKEN_KINDS = ["uncachedInput", "cachedInput", "cacheWrite", "cacheWriteLong", "output", "reasoning"] as const;

/** All that makes a `UsageRow`, for a SELECT from `usage`. */
export const ROW_COLUMNS = `place, id, ${COLUMNS.join(", ")}`;

/** The places that are taken from one place up to another, and the ids of their rows, in their order. */
export const TAKEN_PLACES = "SELECT place, id FROM usage WHERE place >= ? AND place < ? ORDER BY place";

/** Puts a row in a place that is free. */
export const INSERT_ROW = insertInto("usage");

/** The same for another table that is made like `usage`. */
export function insertInto(table: string): string {
  return `INSERT INTO ${table} (${ROW_COLUMNS}, later) VALUES (${"?, ".repeat(COLUMNS.length + 2)}?)`;
}

/** Puts a row in the place of one with the same id. */
export const REPLACE_ROW = `${INSERT_ROW} ON CONFLICT (place) DO UPDATE SET
  ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(", ")}, later = max(later, excluded.later)`;

/** The parameters of `INSERT_ROW` and `REPLACE_ROW`. */
export function rowParameters(place: number, row: UsageRow): SqlValue[] {
  const { tokens } = row;
  return [
    place,
    row.id,
    row.keyId,
    row.upstream,
    row.endpoint,
    row.modelAsked,
    row.modelServed,
    row.responseId,
    row.serviceTier,
    tokens.uncachedInput,
    tokens.cachedInput,
    tokens.cacheWrite,
    tokens.cacheWriteLong,
    tokens.output,
    tokens.reasoning,
    row.usageSource,
    row.costMicros,
    row.costSource,
    row.status,
    row.ending,
    row.firstTokenMs,
    row.totalMs,
    row.client,
    row.session,
    row.usageSource === "reported" ? 0 : 1,
  ];
}

/** A row as it was recorded, from an answer with `ROW_COLUMNS`. */
export function readRow(row: SqlRow): UsageRow {
  return {
    id: String(row["id"]),
    startedAt: momentOf(Number(row["place"])),
    keyId: String(row["key_id"]),
    upstream: String(row["upstream"]) as UpstreamName,
    endpoint: String(row["endpoint"]) as Endpoint,
    modelAsked: text(row["model_asked"]),
    modelServed: text(row["model_served"]),
    responseId: text(row["response_id"]),
    serviceTier: text(row["service_tier"]),
    tokens: {
      uncachedInput: Number(row["uncached_input"]),
      cachedInput: Number(row["cached_input"]),
      cacheWrite: Number(row["cache_write"]),
      cacheWriteLong: Number(row["cache_write_long"]),
      output: Number(row["output"]),
      reasoning: Number(row["reasoning"]),
    },
    usageSource: String(row["usage_source"]) as UsageSource,
    costMicros: number(row["cost_micros"]),
    costSource: String(row["cost_source"]) as CostSource,
    status: Number(row["status"]),
    ending: String(row["ending"]) as Ending,
    firstTokenMs: number(row["first_token_ms"]),
    totalMs: Number(row["total_ms"]),
    client: text(row["client"]),
    session: text(row["session"]),
  };
}

/**
 * The name of the first field that the table would refuse, undefined where the row is fine. One such row would otherwise fail
 * every transaction that it is in.
 */
export function unstorableField(row: UsageRow): string | undefined {
  if (!isCount(row.startedAt) || row.startedAt > LATEST_MS) return "startedAt";
  for (const name of TOKEN_KINDS) if (!isCount(row.tokens[name])) return `tokens.${name}`;
  if (row.costMicros !== null && !isCount(row.costMicros)) return "costMicros";
  if (row.firstTokenMs !== null && !isCount(row.firstTokenMs)) return "firstTokenMs";
  if (!isCount(row.totalMs)) return "totalMs";
  return isCount(row.status) ? undefined : "status";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function text(value: SqlValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function number(value: SqlValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}
