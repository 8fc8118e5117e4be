import assert from "node:assert/strict";
import { balance, grant } from "../../src/ledger/creditJournal.ts";
import { createKeyAccounts } from "../../src/ledger/keyAccounts.ts";
import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import type { Sql } from "../../src/ports.ts";
import { DAY, listeningLog, row, withLedger } from "./temporaryLedger.ts";

describe("the accounts of keys", () => {
  it("charge a row that came while the journal could not be read as soon as it is committed, once", () => {
    withLedger((sql) => {
      grant(sql, "key_a", { kind: "add", micros: 10_000 }, null, DAY);
      let isReadable = false;
      const damaged: Sql = {
        ...sql,
        all(query, parameters) {
          if (!isReadable && query.includes("credit_journal")) throw new Error("the disk does not answer");
          return sql.all(query, parameters);
        },
      };
      const accounts = createKeyAccounts({
        sql: damaged,
        clock: { now: () => DAY, monotonic: () => 0 },
        zoneOffset: () => 0,
        keys: { byId: () => ({ quotaWindow: "life", isCredit: true }) },
        takeDirtyBuckets: () => new Map(),
      });
      const ledger = createUsageLedger(damaged, listeningLog(), accounts);
      for (const [id, costMicros] of [
        ["one", 1_500],
        ["two", 300],
      ] as const)
        assert.ok(ledger.record(row({ id, costMicros })));
      assert.equal(ledger.flush(), false);
      isReadable = true;
      assert.equal(ledger.flush(), true);
      assert.equal(balance(sql, "key_a"), 8_200);
      assert.deepEqual(accounts.purse.standing("key_a"), { balanceMicros: 8_200, heldMicros: 0 });
    });
  });
});
