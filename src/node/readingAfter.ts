import type { Sql } from "../ports.ts";
import type { SqliteDatabase } from "./sqlite.ts";

/**
 * A database for those who only read, and want to see what was recorded a moment ago: `commit`, which must not throw, is called before
 * each query and each transaction, but not within one. Nobody here waits for another program that writes.
 */
export function readingAfter(commit: () => void, database: SqliteDatabase): Sql {
  let within = false;
  return {
    run: (statement, parameters) => database.run(statement, parameters),
    all(query, parameters) {
      if (!within) commit();
      return database.all(query, parameters);
    },
    transaction(work) {
      commit();
      within = true;
      try {
        return database.snapshot(work);
      } finally {
        within = false;
      }
    },
  };
}
