import assert from "node:assert/strict";

import { balance, grant, releaseOpenHolds, sumOfRequest, writeMovements } from "../../src/ledger/creditJournal.ts";
import type { CreditMovement, CreditRequest } from "../../src/ledger/creditJournal.ts";
import type { Sql } from "../../src/ports.ts";
import { DAY, withLedger } from "./temporaryLedger.ts";

const REQUEST: CreditRequest = { keyId: "key_a", requestId: "req_1", startedAt: DAY };

function movement(kind: CreditMovement["kind"], micros: number, request = REQUEST): CreditMovement {
  return { request, kind, micros, at: DAY + 1 };
}

/** The journal's kinds and amounts in their order. */
function entries(sql: Sql): string[] {
  return sql
    .all("SELECT kind, micros FROM credit_journal ORDER BY number")
    .map((row) => `${String(row["kind"])} ${String(row["micros"])}`);
}

describe("the credit journal", () => {
  it("has a balance of nothing for a key without entries", () => {
    withLedger((sql) => assert.equal(balance(sql, "key_a"), 0));
  });

  it("adds to, takes from and sets a balance, each key's its own, with the note that was given", () => {
    withLedger((sql) => {
      assert.equal(grant(sql, "key_a", { kind: "add", micros: 5_000_000 }, "first", DAY), 5_000_000);
      assert.equal(grant(sql, "key_b", { kind: "add", micros: 7 }, null, DAY), 7);
      assert.equal(grant(sql, "key_a", { kind: "add", micros: -6_000_000 }, null, DAY), -1_000_000);
      assert.equal(grant(sql, "key_a", { kind: "set", micros: 0 }, null, DAY), 0);
      assert.equal(balance(sql, "key_b"), 7);
      assert.deepEqual(entries(sql), ["grant 5000000", "grant 7", "grant -6000000", "grant 1000000"]);
      assert.equal(sql.all("SELECT note FROM credit_journal WHERE number = 1")[0]?.["note"], "first");
    });
  });

  it("keeps what is held for running requests out of a balance that is set", () => {
    withLedger((sql) => {
      grant(sql, "key_a", { kind: "add", micros: 100 }, null, DAY);
      writeMovements(sql, [movement("hold", 30)]);
      assert.equal(grant(sql, "key_a", { kind: "set", micros: 50 }, null, DAY), 20);
      writeMovements(sql, [movement("settle", 10)]);
      assert.equal(balance(sql, "key_a"), 40);
    });
  });

  it("puts the cost in the place of the hold, in one batch or in several", () => {
    withLedger((sql) => {
      assert.deepEqual([...writeMovements(sql, [movement("hold", 30)])], [["key_a", -30]]);
      assert.deepEqual([...writeMovements(sql, [movement("settle", 12)])], [["key_a", -12]]);
      const other = { ...REQUEST, requestId: "req_2" };
      const both = [movement("hold", 5, other), movement("settle", 9, other)];
      assert.deepEqual([...writeMovements(sql, both)], [["key_a", -21]]);
      assert.deepEqual(entries(sql), ["hold -30", "settle 18", "hold -5", "settle -4"]);
    });
  });

  it("charges a request whose hold was never written, or was released meanwhile", () => {
    withLedger((sql) => {
      writeMovements(sql, [movement("settle", 12)]);
      const other = { ...REQUEST, requestId: "req_2" };
      writeMovements(sql, [movement("hold", 30, other)]);
      assert.equal(releaseOpenHolds(sql, DAY + 5), 1);
      writeMovements(sql, [movement("settle", 8, other)]);
      assert.deepEqual(entries(sql), ["settle -12", "hold -30", "release 30", "settle -8"]);
    });
  });

  it("charges nothing twice, and corrects a cost that is settled anew", () => {
    withLedger((sql) => {
      for (const micros of [12, 12, 20, 5, 5]) writeMovements(sql, [movement("settle", micros)]);
      assert.deepEqual(entries(sql), ["settle -12", "settle -8", "settle 15"]);
      assert.equal(sumOfRequest(sql, REQUEST), -5);
      assert.equal(releaseOpenHolds(sql, DAY), 0);
    });
  });

  it("shows that a hold was settled even where it was exactly right", () => {
    withLedger((sql) => {
      writeMovements(sql, [movement("hold", 30)]);
      writeMovements(sql, [movement("settle", 30)]);
      assert.deepEqual(entries(sql), ["hold -30", "settle 0"]);
      assert.equal(releaseOpenHolds(sql, DAY), 0);
    });
  });

  it("releases what is held, once", () => {
    withLedger((sql) => {
      writeMovements(sql, [movement("hold", 30), movement("hold", 0, { ...REQUEST, requestId: "req_2" })]);
      assert.equal(releaseOpenHolds(sql, DAY), 2);
      assert.equal(releaseOpenHolds(sql, DAY), 0);
      writeMovements(sql, [movement("release", 0)]);
      assert.deepEqual(entries(sql), ["hold -30", "release 30", "release 0"]);
      assert.equal(balance(sql, "key_a"), 0);
    });
  });
});
