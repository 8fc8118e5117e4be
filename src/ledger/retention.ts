import type { Sql } from "../ports.ts";
import { firstPlace, HOUR_MS, hourOf } from "./place.ts";
import { readState, writeState } from "./schema.ts";

const HOURS_PER_DAY = 24;
/** Rows deleted in one transaction: about 10 ms. */
const ROWS_PER_CALL = 2_000;

/**
 * Forgets requests that started more than `days` days ago, to the hour; 0 keeps everything. They vanish from all reports at
 * once and are deleted in small batches: to be called again, while nothing else is to do, as long as it returns true.
 * Throws what the database throws.
 */
export function expireUsage(sql: Sql, days: number, now: number): boolean {
  const hour = days > 0 ? Math.max(0, hourOf(now) - days * HOURS_PER_DAY) : 0;
  const keptFrom = hour * HOUR_MS;
  return sql.transaction(() => {
    // Written every time it differs, not only forward: a clock that ran ahead for a while must not hide usage for ever.
    if (readState(sql, "kept_from") !== keptFrom) writeState(sql, "kept_from", keptFrom);
    if (hour === 0) return false;
    const place = firstPlace(keptFrom);
    const [batchEnd] = sql.all("SELECT place FROM usage WHERE place < ? ORDER BY place LIMIT 1 OFFSET ?", [
      place,
      ROWS_PER_CALL,
    ]);
    sql.run("DELETE FROM usage WHERE place < ?", [batchEnd === undefined ? place : Number(batchEnd["place"])]);
    if (batchEnd !== undefined) return true;
    for (const table of ["usage_hour", "usage_session_hour", "usage_pending_hour"]) {
      sql.run(`DELETE FROM ${table} WHERE hour < ?`, [hour]);
    }
    return false;
  });
}
