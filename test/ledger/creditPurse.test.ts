import assert from "node:assert/strict";
import { join } from "node:path";

import * as fc from "fast-check";

import { balance, grant, releaseOpenHolds, sumOfRequest } from "../../src/ledger/creditJournal.ts";
import type { CreditRequest } from "../../src/ledger/creditJournal.ts";
import { createPurse } from "../../src/ledger/creditPurse.ts";
import type { Purse } from "../../src/ledger/creditPurse.ts";
import { migrate } from "../../src/ledger/schema.ts";
import { openSqlite } from "../../src/node/sqlite.ts";
import type { Sql } from "../../src/ports.ts";
import { DAY, withFolder, withLedger } from "./temporaryLedger.ts";

const KEYS = ["key_a", "key_b"] as const;
const clock = { now: () => DAY };

function request(number: number, keyId: string = "key_a"): CreditRequest {
  return { keyId, requestId: `req_${number}`, startedAt: DAY + number };
}

function commit(sql: Sql, purse: Purse): void {
  sql.transaction(() => purse.write(sql));
  purse.committed();
}

function withCredit(micros: number, work: (sql: Sql, purse: Purse) => void): void {
  withLedger((sql) => {
    grant(sql, "key_a", { kind: "add", micros }, null, DAY);
    work(sql, createPurse(sql, clock));
  });
}

/** The journal as such: every key's entries in their order add up to the balances that stand beside them. */
function assertSums(sql: Sql): void {
  for (const keyId of KEYS) {
    let sum = 0;
    for (const row of sql.all("SELECT micros, balance FROM credit_journal WHERE key_id = ? ORDER BY number", [keyId])) {
      sum += Number(row["micros"]);
      assert.equal(row["balance"], sum);
    }
    assert.equal(balance(sql, keyId), sum);
  }
}

/** A request as the naive model knows it: what is held for it while it runs, what it cost after. */
interface Known {
  readonly request: CreditRequest;
  readonly estimate: number;
  state: "running" | "ended" | "released" | "killed";
  cost: number;
}

/** Those of ordinary days more often. */
const STEPS = [
  ...Array.from({ length: 3 }, () => "hold" as const),
  ...Array.from({ length: 2 }, () => "settle" as const),
  "release",
  "correct",
  "grant",
  "commit",
  "rollback",
  "kill",
  "successor",
] as const;

const step = fc.record({
  kind: fc.constantFrom(...STEPS),
  keyId: fc.constantFrom(...KEYS),
  which: fc.nat(100),
  micros: fc.nat(100),
});

/** Its sum does not tell whether it is held. */
const HOLD_OF_NOTHING = (["grant", "hold", "commit", "successor"] as const).map((kind) => ({
  kind,
  keyId: "key_b" as const,
  which: 0,
  micros: kind === "grant" ? 21 : 0,
}));

describe("the purse", () => {
  it("says at every moment what a naive model says, and so does the journal, through rollbacks, kills and successors", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) =>
        withFolder((folder) => {
          let sql = openSqlite(join(folder, "ledger.db"), "write");
          migrate(sql);
          let purse = createPurse(sql, clock);
          const known: Known[] = [];
          const granted = { key_a: 0, key_b: 0 };
          /** Ended requests whose rows are in the spool only. */
          let uncommitted: Known[] = [];
          const pick = (which: number, isMeant: (one: Known) => boolean): Known | undefined => {
            const meant = known.filter(isMeant);
            return meant[which % Math.max(1, meant.length)];
          };
          const settle = (one: Known, cost: number): void => {
            one.state = "ended";
            one.cost = cost;
            purse.settle(one.request, cost);
            uncommitted.push(one);
          };
          const commitAll = (): void => {
            commit(sql, purse);
            uncommitted = [];
            assertSums(sql);
            for (const { request, state, cost, estimate } of known) {
              assert.equal(0 - sumOfRequest(sql, request), state === "running" ? estimate : cost);
            }
            const held = sql.all("SELECT count(*) AS count FROM credit_hold")[0]?.["count"];
            assert.equal(held, known.filter(({ state }) => state === "running").length);
          };

          for (const { kind, keyId, which, micros } of steps) {
            const standing = (): { free: number; running: Known[]; balanceMicros: number } => {
              const own = known.filter((one) => one.request.keyId === keyId);
              const balanceMicros = granted[keyId] - own.reduce((sum, { cost }) => sum + cost, 0);
              const running = own.filter(({ state }) => state === "running");
              return { balanceMicros, running, free: running.reduce((sum, one) => sum - one.estimate, balanceMicros) };
            };
            if (kind === "hold") {
              const { balanceMicros, running, free } = standing();
              const mayGo = balanceMicros > 0 && (micros <= free || running.length === 0);
              const asked = request(known.length, keyId);
              assert.equal(purse.hold(asked, micros), mayGo ? "held" : "insufficient");
              if (mayGo) known.push({ request: asked, estimate: micros, state: "running", cost: 0 });
            } else if (kind === "settle") {
              const one = pick(which, ({ state }) => state === "running");
              if (one !== undefined) settle(one, micros);
            } else if (kind === "correct") {
              const one = pick(which, ({ state }) => state === "ended");
              if (one !== undefined) settle(one, micros);
            } else if (kind === "release") {
              const one = pick(which, ({ state }) => state !== "killed");
              if (one !== undefined) purse.release(one.request.requestId);
              if (one?.state === "running") one.state = "released";
            } else if (kind === "grant") {
              grant(sql, keyId, { kind: "add", micros: 3 * micros - 60 }, null, DAY);
              granted[keyId] += 3 * micros - 60;
              purse.refresh();
            } else if (kind === "commit") commitAll();
            else if (kind === "rollback") {
              assert.throws(() =>
                sql.transaction(() => {
                  purse.write(sql);
                  throw new Error("the disk is full");
                }),
              );
            } else if (kind === "kill") {
              // The file is opened anew as it is; what ran is gone, and the rows in the spool are settled again, the newest last.
              const killed = sql;
              sql = openSqlite(join(folder, "ledger.db"), "write");
              killed.close();
              releaseOpenHolds(sql, DAY);
              purse = createPurse(sql, clock);
              for (const one of known) if (one.state === "running") one.state = "killed";
              for (const one of uncommitted) purse.settle(one.request, one.cost);
              commitAll();
            } else {
              // Another process has started on the same ledger while this one finishes its answers.
              releaseOpenHolds(sql, DAY);
              purse.refresh();
            }
            const { balanceMicros, free } = standing();
            assert.deepEqual(purse.standing(keyId), { balanceMicros, heldMicros: balanceMicros - free });
          }
          commitAll();
          assert.equal(purse.isWaiting, false);
          for (const keyId of KEYS) {
            const { balanceMicros, heldMicros } = purse.standing(keyId);
            assert.equal(balance(sql, keyId), balanceMicros - heldMicros);
          }
          sql.close();
        }),
      ),
      { numRuns: 100, examples: [[HOLD_OF_NOTHING]] },
    );
  });

  it("takes over what is held in its database, and charges or releases it", () => {
    withCredit(100, (sql, purse) => {
      for (const number of [1, 2]) assert.equal(purse.hold(request(number), 30), "held");
      commit(sql, purse);
      const next = createPurse(sql, clock);
      assert.deepEqual(next.standing("key_a"), { balanceMicros: 100, heldMicros: 60 });
      assert.equal(next.hold(request(3), 41), "insufficient");
      assert.ok(next.isHeld(request(1).requestId));
      next.settle(request(1), 12);
      assert.ok(!next.isHeld(request(1).requestId));
      next.release(request(2).requestId);
      commit(sql, next);
      assert.deepEqual(next.standing("key_a"), { balanceMicros: 88, heldMicros: 0 });
      assert.equal(balance(sql, "key_a"), 88);
      assert.deepEqual(sql.all("SELECT * FROM credit_hold"), []);
    });
  });

  it("does not hold again what another process has charged", () => {
    withCredit(100, (sql, purse) => {
      assert.equal(purse.hold(request(1), 30), "held");
      commit(sql, purse);
      const other = createPurse(sql, clock);
      other.settle(request(1), 12);
      commit(sql, other);
      purse.refresh();
      assert.deepEqual(purse.standing("key_a"), { balanceMicros: 88, heldMicros: 0 });
      purse.release(request(1).requestId);
      assert.equal(purse.isWaiting, false);
    });
  });

  it("is overspent by no more than what requests cost above their holds, and what a single one was let through without", () => {
    const asked = fc.record({ estimate: fc.nat(40), cost: fc.nat(60), ends: fc.nat(5) });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.array(asked, { maxLength: 100, size: "max" }),
        (credit, requests) =>
          withCredit(credit, (_sql, purse) => {
            let running: { request: CreditRequest; cost: number }[] = [];
            let excess = 0;
            let missing = 0;
            for (const [number, { estimate, cost, ends }] of requests.entries()) {
              const { balanceMicros, heldMicros } = purse.standing("key_a");
              if (purse.hold(request(number), estimate) === "held") {
                assert.ok(balanceMicros > 0);
                running.push({ request: request(number), cost });
                excess += Math.max(0, cost - estimate);
                missing = Math.max(missing, estimate - (balanceMicros - heldMicros));
              }
              for (const one of running.splice(0, ends)) purse.settle(one.request, one.cost);
            }
            for (const one of running) purse.settle(one.request, one.cost);
            running = [];
            assert.ok(purse.standing("key_a").balanceMicros >= 0 - excess - missing);
          }),
      ),
      { numRuns: 50 },
    );
  });

  it("lets exactly as many of a hundred requests at once through as their estimates allow", () => {
    withCredit(1_000, (_sql, purse) => {
      const answers = Array.from({ length: 100 }, (_, number) => purse.hold(request(number), 30));
      assert.equal(answers.filter((answer) => answer === "held").length, 33);
      assert.deepEqual(purse.standing("key_a"), { balanceMicros: 1_000, heldMicros: 990 });
    });
  });

  it("lets a request through that may cost more than there is, but alone", () => {
    withCredit(10, (_sql, purse) => {
      assert.equal(purse.hold(request(1), 25), "held");
      assert.equal(purse.hold(request(2), 1), "insufficient");
      assert.equal(purse.hold(request(3), 0), "insufficient");
      purse.settle(request(1), 4);
      assert.equal(purse.hold(request(4), 2), "held");
      assert.equal(purse.hold(request(5), 5), "insufficient");
      assert.equal(purse.hold(request(6), 4), "held");
      purse.release(request(4).requestId);
      purse.settle(request(6), 6);
      assert.equal(purse.hold(request(7), 0), "insufficient");
      assert.deepEqual(purse.standing("key_a"), { balanceMicros: 0, heldMicros: 0 });
    });
  });

  it("lets a request through that costs nothing while everything is held for others", () => {
    withCredit(10, (_sql, purse) => {
      assert.equal(purse.hold(request(1), 10), "held");
      assert.equal(purse.hold(request(2), 0), "held");
      assert.equal(purse.hold(request(3), 1), "insufficient");
    });
  });

  it("refuses everything to a key that was never given credit", () => {
    withCredit(10, (_sql, purse) => assert.equal(purse.hold(request(1, "key_b"), 0), "insufficient"));
  });

  it("never writes a hold that was settled before it was written", () => {
    withCredit(100, (sql, purse) => {
      purse.hold(request(1), 30);
      purse.settle(request(1), 12);
      purse.hold(request(2), 30);
      purse.release(request(2).requestId);
      commit(sql, purse);
      const entries = sql.all("SELECT kind, micros FROM credit_journal ORDER BY number").map((row) => ({ ...row }));
      assert.deepEqual(entries, [
        { kind: "grant", micros: 100 },
        { kind: "settle", micros: -12 },
      ]);
      assert.equal(purse.isWaiting, false);
    });
  });

  it("keeps waiting with what happens between the writing and the word that it is committed", () => {
    withCredit(100, (sql, purse) => {
      purse.hold(request(1), 30);
      sql.transaction(() => purse.write(sql));
      purse.settle(request(1), 12);
      purse.committed();
      assert.deepEqual(purse.standing("key_a"), { balanceMicros: 88, heldMicros: 0 });
      assert.equal(purse.isWaiting, true);
      commit(sql, purse);
      assert.equal(balance(sql, "key_a"), 88);
      assert.equal(purse.isWaiting, false);
    });
  });

  it("refuses amounts that are no whole micro-dollars, and changes nothing", () => {
    withCredit(100, (_sql, purse) => {
      for (const micros of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        assert.throws(() => purse.hold(request(1), micros), RangeError);
        assert.throws(() => purse.settle(request(1), micros), RangeError);
      }
      assert.deepEqual(purse.standing("key_a"), { balanceMicros: 100, heldMicros: 0 });
    });
  });
});
