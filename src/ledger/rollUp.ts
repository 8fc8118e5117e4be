import type { Sql } from "../ports.ts";
import { firstPlace, HOUR_MS, hourOf } from "./place.ts";

/** Requests that are still running when their hour ends mostly end within this time; folding earlier would be done twice. */
const SETTLING_MS = 15 * 60_000;
/** About 20 ms of work. */
const ROWS_PER_CALL = 10_000;

/** The model that a row counts for: the one that served it, else the one that was asked for, else an empty text. */
export const MODEL_OF_ROW = "coalesce(model_served, model_asked, '')";

/** Whether a row counts as an error: the upstream failed or broke off, or the client got an error status. */
export const ERROR_OF_ROW = "(status >= 400 OR ending IN ('failed', 'upstream_cut'))";

/** The sums of a group of rows under the names that they have in a roll-up, in its order. */
export const SUMS_OF_ROWS = `count(*) AS requests, sum(${ERROR_OF_ROW}) AS errors,
  sum(uncached_input + cached_input + cache_write) AS input, sum(cached_input) AS cached_input,
  sum(cache_write) AS cache_write, sum(output) AS output, sum(reasoning) AS reasoning,
  coalesce(sum(cost_micros), 0) AS cost_micros,
  coalesce(sum(cost_micros) FILTER (WHERE cost_source = 'upstream'), 0) AS charged_micros,
  sum(cost_micros IS NULL) AS unpriced, min(place) / 1024 AS first_at, max(place) / 1024 AS last_at`;

const SUM_COLUMNS = `requests, errors, input, cached_input, cache_write, output, reasoning, cost_micros, charged_micros, unpriced,
  first_at, last_at`;

/**
 * The tables of hourly sums, and by what each tells its rows apart. Sessions are many and short, so they have one of their own: in the other,
 * which all other reports read, they would make a row of nearly every request.
 */
const ROLL_UPS = [
  foldInto("usage_hour", {
    key_id: "key_id",
    upstream: "upstream",
    model: MODEL_OF_ROW,
    client: "coalesce(client, '')",
  }),
  foldInto("usage_session_hour", { session: "coalesce(session, '')", key_id: "key_id", model: MODEL_OF_ROW }),
];

/** What makes and what takes away the sums of an hour. `groups`: the table's columns, and what a row has for each. */
function foldInto(
  table: string,
  groups: Readonly<Record<string, string>>,
): { readonly clear: string; readonly fold: string } {
  const values = Object.values(groups).join(", ");
  return {
    clear: `DELETE FROM ${table} WHERE hour = ?`,
    fold: `INSERT INTO ${table} (hour, ${Object.keys(groups).join(", ")}, ${SUM_COLUMNS})
      SELECT ?, ${values}, ${SUMS_OF_ROWS} FROM usage WHERE place >= ? AND place < ? GROUP BY ${values}`,
  };
}

/**
 * Folds hours that are over, and those that were written to since they were folded, into hourly sums. Reports are exact
 * whether or not this was called; it only makes them quick. To be called while nothing else is to do, again as long as it
 * returns true: then more is left. Each call does a bounded piece of work, one whole hour at least.
 */
export function rollUp(sql: Sql, now: number): boolean {
  const limit = hourOf(now - SETTLING_MS);
  return sql.transaction(() => {
    const pending = sql.all("SELECT hour FROM usage_pending_hour WHERE hour < ? ORDER BY hour LIMIT 100", [limit]);
    let rows = 0;
    let done = 0;
    for (const { hour } of pending) {
      rows += foldHour(sql, Number(hour));
      done += 1;
      if (rows >= ROWS_PER_CALL) break;
    }
    return done < pending.length || pending.length === 100;
  });
}

function foldHour(sql: Sql, hour: number): number {
  for (const { clear, fold } of ROLL_UPS) {
    sql.run(clear, [hour]);
    sql.run(fold, [hour, firstPlace(hour * HOUR_MS), firstPlace((hour + 1) * HOUR_MS)]);
  }
  sql.run("DELETE FROM usage_pending_hour WHERE hour = ?", [hour]);
  return Number(
    sql.all("SELECT coalesce(sum(requests), 0) AS rows FROM usage_hour WHERE hour = ?", [hour])[0]?.["rows"],
  );
}
