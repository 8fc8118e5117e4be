import assert from "node:assert/strict";
import { join } from "node:path";

import {
  assertCurrentSchema,
  migrate,
  NewerSchemaError,
  OlderSchemaError,
  schemaVersion,
  writeState,
} from "../../src/ledger/schema.ts";
import type { Migration } from "../../src/ledger/schema.ts";
import { openSqlite } from "../../src/node/sqlite.ts";
import type { SqliteDatabase } from "../../src/node/sqlite.ts";
import { withFolder, withLedger } from "./temporaryLedger.ts";

const FIRST: Migration = ["CREATE TABLE fruit (name TEXT NOT NULL) STRICT", "INSERT INTO fruit VALUES ('apple')"];
const SECOND: Migration = ["ALTER TABLE fruit ADD COLUMN colour TEXT", "UPDATE fruit SET colour = 'red'"];
const BROKEN: Migration = ["INSERT INTO fruit (name) VALUES ('pear')", "NOT SQL"];

function withEmpty(work: (sql: SqliteDatabase) => void): void {
  withFolder((folder) => {
    const sql = openSqlite(join(folder, "ledger.db"), "write");
    try {
      work(sql);
    } finally {
      sql.close();
    }
  });
}

describe("the ledger's schema", () => {
  it("is up to date after one migration, and migrating again changes nothing", () => {
    withLedger((sql) => {
      const version = schemaVersion(sql);
      migrate(sql);
      assert.equal(schemaVersion(sql), version);
      assertCurrentSchema(sql);
    });
  });

  it("is brought from an earlier version to the newest with its rows kept", () => {
    withEmpty((sql) => {
      migrate(sql, [FIRST]);
      assert.equal(schemaVersion(sql), 1);
      migrate(sql, [FIRST, SECOND]);
      assert.equal(schemaVersion(sql), 2);
      assert.deepEqual({ ...sql.all("SELECT * FROM fruit")[0] }, { name: "apple", colour: "red" });
    });
  });

  it("stays at the last version that worked when a step fails, with nothing of the failed step in it", () => {
    withEmpty((sql) => {
      assert.throws(() => migrate(sql, [FIRST, BROKEN]));
      assert.equal(schemaVersion(sql), 1);
      assert.equal(sql.all("SELECT * FROM fruit").length, 1);
    });
  });

  it("of a newer version is refused, for writing and for reading", () => {
    withLedger((sql) => {
      writeState(sql, "schema_version", 99);
      assert.throws(() => migrate(sql), NewerSchemaError);
      assert.throws(() => assertCurrentSchema(sql), NewerSchemaError);
    });
  });

  it("of an older version is refused by those who only read", () => {
    withEmpty((sql) => assert.throws(() => assertCurrentSchema(sql), OlderSchemaError));
  });
});
