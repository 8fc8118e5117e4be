import assert from "node:assert/strict";
import { chmodSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { DatabaseError, openSqlite } from "../../src/node/sqlite.ts";
import type { SqliteDatabase } from "../../src/node/sqlite.ts";
import { withFolder } from "../ledger/temporaryLedger.ts";

function withDatabase(work: (sql: SqliteDatabase, path: string) => void): void {
  withFolder((folder) => {
    const path = join(folder, "some.db");
    const sql = openSqlite(path, "write");
    try {
      sql.run("CREATE TABLE fruit (name TEXT NOT NULL, weight INTEGER) STRICT");
      work(sql, path);
    } finally {
      sql.close();
    }
  });
}

function isProblem(problem: DatabaseError["problem"]): (error: unknown) => boolean {
  return (error) => error instanceof DatabaseError && error.problem === problem;
}

describe("a SQLite database behind the Sql port", () => {
  it("stores and gives back texts, integers up to 2^53, bytes and null", () => {
    withDatabase((sql) => {
      sql.run("CREATE TABLE anything (a TEXT, b INTEGER, c BLOB, d TEXT)");
      sql.run("INSERT INTO anything VALUES (?, ?, ?, ?)", [
        "ä€",
        Number.MAX_SAFE_INTEGER,
        new Uint8Array([0, 255]),
        null,
      ]);
      assert.deepEqual(Object.values(sql.all("SELECT * FROM anything")[0]!), [
        "ä€",
        Number.MAX_SAFE_INTEGER,
        new Uint8Array([0, 255]),
        null,
      ]);
    });
  });

  it("takes back everything of a transaction that throws, and throws what it threw", () => {
    withDatabase((sql) => {
      const mistake = new Error("mistake");
      assert.throws(
        () =>
          sql.transaction(() => {
            sql.run("INSERT INTO fruit (name) VALUES ('apple')");
            throw mistake;
          }),
        mistake,
      );
      assert.deepEqual(sql.all("SELECT * FROM fruit"), []);
      assert.equal(
        sql.transaction(() => {
          sql.run("INSERT INTO fruit (name) VALUES ('pear')");
          return "done";
        }),
        "done",
      );
      assert.equal(sql.all("SELECT * FROM fruit").length, 1);
    });
  });

  it("is written ahead, and its files are for their owner alone", function () {
    if (process.platform === "win32") this.skip();
    withDatabase((sql, path) => {
      sql.run("INSERT INTO fruit (name) VALUES ('apple')");
      assert.equal(sql.all("PRAGMA journal_mode")[0]?.["journal_mode"], "wal");
      assert.equal(sql.all("PRAGMA synchronous")[0]?.["synchronous"], 1);
      assert.equal(sql.all("PRAGMA foreign_keys")[0]?.["foreign_keys"], 1);
      for (const suffix of ["", "-wal", "-shm"]) assert.equal(statSync(path + suffix).mode & 0o777, 0o600, suffix);
    });
  });

  it("takes a file that others could read from them", function () {
    if (process.platform === "win32") this.skip();
    withFolder((folder) => {
      const path = join(folder, "some.db");
      writeFileSync(path, "");
      chmodSync(path, 0o644);
      openSqlite(path, "write").close();
      assert.equal(statSync(path).mode & 0o777, 0o600);
    });
  });

  it("can be read while another connection writes, and not be written by a reader", () => {
    withDatabase((sql, path) => {
      const reader = openSqlite(path, "read");
      try {
        sql.transaction(() => {
          sql.run("INSERT INTO fruit (name) VALUES ('apple')");
          assert.equal(reader.transaction(() => reader.all("SELECT * FROM fruit")).length, 0);
        });
        assert.equal(reader.all("SELECT * FROM fruit").length, 1);
        assert.throws(() => reader.run("DELETE FROM fruit"), isProblem("read_only"));
      } finally {
        reader.close();
      }
    });
  });

  it("says what is wrong and what to do: locked, no database, missing, a refused statement", () => {
    withDatabase((sql, path) => {
      const other = openSqlite(path, "write");
      try {
        sql.transaction(() => {
          assert.throws(() => other.run("INSERT INTO fruit (name) VALUES ('pear')"), isProblem("locked"));
        });
        assert.throws(() => other.run("INSERT INTO fruit (name) VALUES (NULL)"), isProblem("other"));
        assert.throws(() => openSqlite(`${path}.missing`, "read"), isProblem("unreadable"));
        writeFileSync(`${path}.text`, "This is no database. ".repeat(100));
        assert.throws(() => openSqlite(`${path}.text`, "write"), isProblem("damaged"));
      } finally {
        other.close();
      }
    });
  });

  it("can be closed twice", () => {
    withDatabase((sql) => {
      sql.close();
      sql.close();
    });
  });
});
