import type { Sql } from "../ports.ts";
import { parsePriceTable } from "./priceTableShape.ts";
import { BUILT_IN_PRICES } from "./priceTable.ts";
import type { PriceTable } from "./prices.ts";

/** Keeps a refreshed price table for later starts. Throws what the database throws. */
export function savePrices(sql: Sql, table: PriceTable, now: number): void {
  sql.run("INSERT OR REPLACE INTO price_snapshot (id, taken_at, document) VALUES (1, ?, ?)", [
    now,
    JSON.stringify(table),
  ]);
}

/** The refreshed table that was kept, unless the built-in one is newer (after an update) or it cannot be read. */
export function loadPrices(sql: Sql): PriceTable {
  const [stored] = sql.all("SELECT document FROM price_snapshot WHERE id = 1");
  const table = stored === undefined ? undefined : parsePriceTable(String(stored["document"]));
  return table !== undefined && table.date >= BUILT_IN_PRICES.date ? table : BUILT_IN_PRICES;
}
