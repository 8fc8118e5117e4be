import type { Sql, SqlValue } from "../ports.ts";
import { firstPlace, LATEST_MS } from "./place.ts";
import { ERROR_OF_ROW, MODEL_OF_ROW } from "./rollUp.ts";
import { readState } from "./schema.ts";
import type { UsageRow } from "./usageRow.ts";
import { readRow, ROW_COLUMNS } from "./usageTable.ts";

/** Which rows to list. Times are milliseconds since the Unix epoch. */
export interface RowQuery {
  /** At most this many. */
  readonly limit: number;
  /** `next` of the page before; the newest rows where left out. */
  readonly before?: number | undefined;
  /** Included. */
  readonly since?: number | undefined;
  /** Not included. */
  readonly until?: number | undefined;
  readonly keyId?: string | undefined;
  /** As served, or as asked for where nothing was served. */
  readonly model?: string | undefined;
  /** Only requests that failed, were cut off by the upstream or got an error status. */
  readonly onlyErrors?: boolean | undefined;
}

/** Some rows, newest first. */
export interface RowPage {
  readonly rows: readonly UsageRow[];
  /** The cursor for the page that follows; undefined where this was the last one. */
  readonly next: number | undefined;
}

/** Lists single requests, newest first. Throws what the database throws. */
export function listRows(sql: Sql, query: RowQuery): RowPage {
  const from = firstPlace(Math.max(query.since ?? 0, readState(sql, "kept_from")));
  const to = Math.min(firstPlace(Math.min(query.until ?? LATEST_MS, LATEST_MS)), query.before ?? Infinity);
  const filters: SqlValue[] = [];
  let conditions = "";
  if (query.keyId !== undefined) {
    conditions += " AND key_id = ?";
    filters.push(query.keyId);
  }
  if (query.model !== undefined) {
    conditions += ` AND ${MODEL_OF_ROW} = ?`;
    filters.push(query.model);
  }
  if (query.onlyErrors === true) conditions += ` AND ${ERROR_OF_ROW}`;
  const found = sql.all(
    `SELECT ${ROW_COLUMNS} FROM usage WHERE place >= ? AND place < ?${conditions} ORDER BY place DESC LIMIT ?`,
    [from, to, ...filters, query.limit + 1],
  );
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  return {
    rows: page.map(readRow),
    next: found.length > query.limit && last !== undefined ? Number(last["place"]) : undefined,
  };
}
