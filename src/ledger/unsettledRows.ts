import type { Sql } from "../ports.ts";
import { firstPlace } from "./place.ts";
import type { UsageRow } from "./usageRow.ts";
import { readRow, ROW_COLUMNS } from "./usageTable.ts";

/** More of them than anybody has, unless an upstream reports no usage at all. */
const ROWS_AT_MOST = 200;

/** Rows without reported usage whose response has a name at its upstream, newest first. Throws what the database throws. */
export function unsettledRows(sql: Sql, since: number): UsageRow[] {
  return sql
    .all(
      // The index has only the rows that were once without it; by their time a day of all rows would be read.
      `SELECT ${ROW_COLUMNS} FROM usage INDEXED BY usage_settled_later
       WHERE later = 1 AND response_id IS NOT NULL AND usage_source <> 'reported' AND place >= ?
       ORDER BY place DESC LIMIT ?`,
      [firstPlace(since), ROWS_AT_MOST],
    )
    .map(readRow);
}
