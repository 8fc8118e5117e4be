import { DatabaseSync } from "node:sqlite";
import { migrate } from "../../src/ledger/schema.ts";
import type { Sql, SqlRow } from "../../src/ports.ts";

/** A migrated ledger in memory, for tests that are not about files. */
export function memoryLedger(): Sql {
  const database = new DatabaseSync(":memory:");
  const sql: Sql = {
    run: (statement, parameters = []) => void database.prepare(statement).run(...parameters),
    all: (query, parameters = []) => database.prepare(query).all(...parameters) as SqlRow[],
    transaction(work) {
      database.exec("BEGIN");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
  migrate(sql);
  return sql;
}
