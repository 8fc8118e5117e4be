import type { Sql } from "../ports.ts";
import { firstPlace, HOUR_MS, SLOTS_PER_MS } from "../ledger/place.ts";
import type { UsageRow } from "../ledger/usageRow.ts";
import { insertInto, ROW_COLUMNS, rowParameters } from "../ledger/usageTable.ts";

const COLUMNS = `${ROW_COLUMNS}, later`;
const SPOOLED = "temp.spooled_usage";
const SLOTS_PER_HOUR = HOUR_MS * SLOTS_PER_MS;
/** Rows of the ledger fill a millisecond from its first slot; these lie behind them. */
const FIRST_SLOT = SLOTS_PER_MS / 2;

const SETUP = [
  "PRAGMA temp_store = MEMORY",
  `CREATE TABLE ${SPOOLED} AS SELECT ${COLUMNS} FROM main.usage WHERE 0`,
  // Rows that were put into the ledger after their spool was read are looked for at each query.
  `CREATE TEMP VIEW usage AS SELECT ${COLUMNS} FROM main.usage
    UNION ALL SELECT ${COLUMNS} FROM ${SPOOLED} AS spooled WHERE NOT EXISTS (
      SELECT 1 FROM main.usage AS stored WHERE stored.place >= spooled.place - spooled.place % ${SLOTS_PER_MS}
        AND stored.place < spooled.place - spooled.place % ${SLOTS_PER_MS} + ${SLOTS_PER_MS} AND stored.id = spooled.id
    )`,
  `CREATE TEMP VIEW usage_pending_hour AS SELECT hour FROM main.usage_pending_hour
    UNION SELECT place / ${SLOTS_PER_HOUR} FROM ${SPOOLED}`,
];

/**
 * Lets the queries of a connection that only reads see rows that are not in the ledger yet as if they were: those of a process that was
 * killed, until one runs again, and the newest of one that is running. A row that is in both is seen as the ledger has it.
 */
export function showSpooledUsage(sql: Sql, rows: readonly UsageRow[]): void {
  for (const statement of SETUP) sql.run(statement);
  for (const [index, row] of rows.entries()) {
    const place = firstPlace(row.startedAt) + FIRST_SLOT + (index % FIRST_SLOT);
    sql.run(insertInto(SPOOLED), rowParameters(place, row));
  }
}
