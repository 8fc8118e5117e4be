import assert from "node:assert/strict";
import { join } from "node:path";

import { addKey, listKeys } from "../../src/ledger/keyTable.ts";
import { loadQuotaUse } from "../../src/ledger/quotaUse.ts";
import { reportUsage } from "../../src/ledger/reports.ts";
import { rollUp } from "../../src/ledger/rollUp.ts";
import { assertCurrentSchema, migrate, MIGRATIONS, schemaVersion, writeState } from "../../src/ledger/schema.ts";
import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import { openSqlite } from "../../src/node/sqlite.ts";
import { draft, identity } from "./keyRig.ts";
import { DAY, HOUR, listeningLog, row, withFolder } from "./temporaryLedger.ts";

describe("a ledger from before keys were managed", () => {
  it("is brought up to date with its rows, and each key's lifetime starts with what they have used", () => {
    withFolder((folder) => {
      const path = join(folder, "ledger.db");
      const old = openSqlite(path, "write");
      migrate(old, MIGRATIONS.slice(0, 1));
      assert.equal(schemaVersion(old), 1);
      const ledger = createUsageLedger(old, listeningLog());
      const keyIds = ["key_a", "default", "key_a"];
      for (const [index, keyId] of keyIds.entries()) {
        ledger.record(row({ id: `request-${index}`, startedAt: DAY + index * HOUR, keyId }));
      }
      assert.ok(ledger.flush());
      const rows = old.all("SELECT * FROM usage");
      old.close();

      const sql = openSqlite(path, "write");
      migrate(sql);
      assertCurrentSchema(sql);
      assert.deepEqual(sql.all("SELECT * FROM usage"), rows);
      // Each row has 200 tokens: 170 in, 30 out.
      assert.deepEqual(
        loadQuotaUse(sql).map(({ keyId, window, use }) => [keyId, window, use.resetsAt, use.tokens]),
        [
          ["default", "life", null, 200],
          ["key_a", "life", null, 400],
        ],
      );
      const key = addKey(sql, draft(), identity("one"), DAY);
      assert.deepEqual(listKeys(sql), [key]);
      sql.close();
    });
  });
});

describe("a ledger whose hours were folded before it told charged costs from reckoned ones", () => {
  it("tells them apart after it is brought up to date, before and after the hours are folded again", () => {
    withFolder((folder) => {
      const path = join(folder, "ledger.db");
      const old = openSqlite(path, "write");
      migrate(old);
      const ledger = createUsageLedger(old, listeningLog());
      ledger.record(row({ id: "1", costMicros: 700, costSource: "upstream" }));
      ledger.record(row({ id: "2", costMicros: 300, costSource: "price_table" }));
      assert.ok(ledger.flush());
      while (rollUp(old, DAY + 24 * HOUR));
      // As it was: the third step adds the column, and the fourth the table.
      old.run("ALTER TABLE usage_hour DROP COLUMN charged_micros");
      old.run("DROP TABLE usage_session_hour");
      writeState(old, "schema_version", 2);
      old.close();

      const sql = openSqlite(path, "write");
      migrate(sql);
      assertCurrentSchema(sql);
      const costs = (): number[] =>
        reportUsage(sql, { groupBy: "none" }).flatMap((total) => [
          total.requests,
          total.costMicros,
          total.chargedMicros,
        ]);
      assert.deepEqual(costs(), [2, 1000, 700]);
      while (rollUp(sql, DAY + 24 * HOUR));
      assert.deepEqual(sql.all("SELECT * FROM usage_pending_hour"), []);
      assert.deepEqual(costs(), [2, 1000, 700]);
      sql.close();
    });
  });
});

describe("a ledger whose hours were folded before sessions were", () => {
  it("reports sessions after it is brought up to date, before and after the hours are folded again", () => {
    withFolder((folder) => {
      const path = join(folder, "ledger.db");
      const old = openSqlite(path, "write");
      migrate(old);
      const ledger = createUsageLedger(old, listeningLog());
      for (const [index, session] of ["one", "other", null, "one"].entries())
        ledger.record(row({ id: `request-${index}`, startedAt: DAY + index * HOUR, session, costMicros: 100 }));
      assert.ok(ledger.flush());
      while (rollUp(old, DAY + 24 * HOUR));
      old.run("DROP TABLE usage_session_hour");
      writeState(old, "schema_version", 3);
      old.close();

      const sql = openSqlite(path, "write");
      migrate(sql);
      assertCurrentSchema(sql);
      const sessions = (): unknown[] =>
        reportUsage(sql, { groupBy: "session" }).map(({ group, requests, costMicros }) => [
          group,
          requests,
          costMicros,
        ]);
      const expected = [
        ["one", 2, 200],
        [null, 1, 100],
        ["other", 1, 100],
      ];
      assert.deepEqual(sessions(), expected);
      while (rollUp(sql, DAY + 24 * HOUR));
      assert.deepEqual(sql.all("SELECT * FROM usage_pending_hour"), []);
      assert.deepEqual(sessions(), expected);
      // From the sums now, and no longer from the rows.
      sql.run("UPDATE usage_session_hour SET requests = 7 WHERE session = 'other'");
      assert.deepEqual(sessions()[2], ["other", 7, 100]);
      sql.close();
    });
  });
});
