import type { Sql } from "../ports.ts";
import { firstPlace, HOUR_MS, hourOf } from "./place.ts";

/** Requests that are still running when their hour ends mostly end within this time; folding earlier would be done twice. */
const SETTLING_MS = 15 * 60_000;
/** About 20 ms of work. */
const ROWS_PER_CALL = 20_000;

/** The model that a row counts for: the one that served it, else the one that was asked for, else an empty text. */
export const MODEL_OF_ROW = "coalesce(model_served, model_asked, '')";

/** Whether a row counts as an error: the upstream failed or broke off, or the client got an error status. */
export const ERROR_OF_ROW = "(status >= 400 OR ending IN ('failed', 'upstream_cut'))";

/** What the upstreams themselves charged for rows, in micro-dollars. */
export const CHARGED_OF_ROWS = "coalesce(sum(cost_micros) FILTER (WHERE cost_source = 'upstream'), 0)";

const FOLD = `INSERT INTO usage_hour (hour, key_id, upstream, model, client, requests, errors, input, cached_input,
    cache_write, output, reasoning, cost_micros, charged_micros, unpriced, first_at, last_at)
  SELECT ?, key_id, upstream, ${MODEL_OF_ROW}, coalesce(client, ''), count(*), sum(${ERROR_OF_ROW}),
    sum(uncached_input + cached_input + cache_write), sum(cached_input), sum(cache_write), sum(output), sum(reasoning),
    coalesce(sum(cost_micros), 0), ${CHARGED_OF_ROWS}, sum(cost_micros IS NULL), min(place) / 1024, max(place) / 1024
  FROM usage WHERE place >= ? AND place < ?
  GROUP BY key_id, upstream, ${MODEL_OF_ROW}, coalesce(client, '')`;

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
  sql.run("DELETE FROM usage_hour WHERE hour = ?", [hour]);
  sql.run(FOLD, [hour, firstPlace(hour * HOUR_MS), firstPlace((hour + 1) * HOUR_MS)]);
  sql.run("DELETE FROM usage_pending_hour WHERE hour = ?", [hour]);
  return Number(
    sql.all("SELECT coalesce(sum(requests), 0) AS rows FROM usage_hour WHERE hour = ?", [hour])[0]?.["rows"],
  );
}
