import assert from "node:assert/strict";
import * as fc from "fast-check";
import { QUOTA_WINDOWS } from "../../src/ledger/quotaWindow.ts";
import { readWrittenChanges } from "../../src/node/keyDraft.ts";
import { writtenQuota, writtenRate } from "../../src/node/writtenLimits.ts";

const UNIT_MINUTES = { s: 1 / 60, m: 1, h: 60, d: 1_440 } as const;

describe("a key's limit as people write it", () => {
  it("is the quota as it is, so that setting it changes nothing", () => {
    assert.equal(writtenQuota({ quota_tokens: 2_000_000, quota_window: "day" }), "2000000/day");
    assert.equal(writtenQuota({ quota_tokens: 5, quota_window: "life" }), "5");
    const none = writtenQuota({ quota_tokens: null, quota_window: null });
    assert.deepEqual(readWrittenChanges({ quota: none }, 0), { quotaTokens: null, quotaWindow: "life" });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e12 }), fc.constantFrom(...QUOTA_WINDOWS), (quotaTokens, quotaWindow) => {
        const quota = writtenQuota({ quota_tokens: quotaTokens, quota_window: quotaWindow });
        assert.deepEqual(readWrittenChanges({ quota }, 0), { quotaTokens, quotaWindow });
      }),
    );
  });

  it("is the rate in whole requests of the shortest time, never nothing, and setting it changes nothing", () => {
    const perMinute = (rate: string): number => readWrittenChanges({ rate }, 0).ratePerMinute ?? assert.fail(rate);
    for (const rate of ["60/m", "1000/h", "1/d", "7/h"]) assert.equal(writtenRate(perMinute(rate)), rate);
    assert.equal(writtenRate(2.5), "150/h");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom("s", "m", "h", "d" as const), (count, unit) => {
        const written = writtenRate(perMinute(`${count}/${unit}`));
        assert.match(written, /^[1-9]\d*\/[mhd]$/);
        assert.ok(Math.abs(perMinute(written) - count / UNIT_MINUTES[unit]) < 1e-9);
      }),
    );
  });
});
