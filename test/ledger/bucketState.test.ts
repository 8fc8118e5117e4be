import assert from "node:assert/strict";

import * as fc from "fast-check";

import { loadBuckets, saveBuckets } from "../../src/ledger/bucketState.ts";
import { takeToken, tokensAt } from "../../src/ledger/tokenBucket.ts";
import type { Clock } from "../../src/ports.ts";
import { DAY, withLedger } from "./temporaryLedger.ts";

function clockAt(wall: number, monotonic: number): Clock {
  return { now: () => wall, monotonic: () => monotonic };
}

const RATE = { perMinute: 60, burst: 10 };

describe("buckets across a restart", () => {
  it("hold what they would hold had the process gone on, but for a millisecond's worth at most", () => {
    const moments = fc.record({
      tokens: fc.double({ min: 0, max: 10, noNaN: true }),
      idle: fc.double({ min: 0, max: 100_000, noNaN: true }),
      down: fc.nat(100_000),
    });
    withLedger((sql) => {
      fc.assert(
        fc.property(moments, ({ tokens, idle, down }) => {
          const monotonic = 5_000.25 + idle;
          const bucket = { tokens, at: 5_000.25 };
          saveBuckets(sql, [["key_a", bucket]], clockAt(DAY, monotonic));
          const loaded = loadBuckets(sql, clockAt(DAY + down, 77.5)).get("key_a")!;
          const lost = tokensAt(bucket, RATE, monotonic + down) - tokensAt(loaded, RATE, 77.5);
          assert.ok(lost >= -1e-6 && lost <= 0.001 + 1e-6, String(lost));
        }),
      );
    });
  });

  it("gain nothing from a wall clock that was set back, and refill from then on all the same", () => {
    withLedger((sql) => {
      saveBuckets(sql, [["key_a", { tokens: 0, at: 0 }]], clockAt(DAY, 0));
      const loaded = loadBuckets(sql, clockAt(DAY - 1_000_000, 500)).get("key_a")!;
      assert.deepEqual(loaded, { tokens: 0, at: 500 });
      assert.equal(takeToken(loaded, RATE, 500).kind, "refused");
      assert.equal(takeToken(loaded, RATE, 1_500).kind, "passed");
    });
  });

  it("are each kept by the key, the last state counting", () => {
    withLedger((sql) => {
      const clock = clockAt(DAY, 0);
      saveBuckets(sql, new Map([["a", { tokens: 1, at: 0 }]]), clock);
      sql.transaction(() =>
        saveBuckets(
          sql,
          new Map([
            ["a", { tokens: 2.5, at: 0 }],
            ["b", { tokens: 3, at: 0 }],
          ]),
          clock,
        ),
      );
      assert.deepEqual(
        [...loadBuckets(sql, clock)],
        [
          ["a", { tokens: 2.5, at: 0 }],
          ["b", { tokens: 3, at: 0 }],
        ],
      );
    });
  });
});
