import assert from "node:assert/strict";
import * as fc from "fast-check";
import { fullBucket, msUntilFull, takeToken, tokensAt } from "../../src/ledger/tokenBucket.ts";

const rates = fc.record({
  perMinute: fc.double({ min: 0.01, max: 100_000, noNaN: true }),
  burst: fc.integer({ min: 1, max: 1000 }),
});

describe("the token bucket", () => {
  it("names the seconds after which the request passes: never early, never a whole second late", () => {
    fc.assert(
      fc.property(rates, fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 50 }), (rate, pauses) => {
        let now = 1_000;
        let bucket = fullBucket(rate, now);
        for (const pause of pauses) {
          now += pause;
          for (let tries = 0; tries < 1100; tries += 1) {
            const answer = takeToken(bucket, rate, now);
            if (answer.kind === "passed") {
              bucket = answer.bucket;
              continue;
            }
            const after = answer.retryAfterSeconds * 1000;
            assert.equal(takeToken(bucket, rate, now + after).kind, "passed");
            if (after > 1000) assert.equal(takeToken(bucket, rate, now + after - 1000).kind, "refused");
            break;
          }
        }
      }),
    );
  });

  it("never passes more than its burst at once, nor more than its rate over time", () => {
    fc.assert(
      fc.property(
        rates,
        fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 200 }),
        (rate, pauses) => {
          let now = 0;
          let bucket = fullBucket(rate, now);
          let passed = 0;
          for (const pause of pauses) {
            now += pause;
            const answer = takeToken(bucket, rate, now);
            if (answer.kind === "passed") {
              bucket = answer.bucket;
              passed += 1;
            }
          }
          assert.ok(passed <= rate.burst + (now * rate.perMinute) / 60_000 + 0.001);
        },
      ),
    );
  });

  it("gains nothing from a clock that goes back", () => {
    const rate = { perMinute: 60, burst: 5 };
    assert.equal(tokensAt({ tokens: 2, at: 10_000 }, rate, 5_000), 2);
  });

  it("names the milliseconds after which it is full: never early, never a whole one late", () => {
    fc.assert(
      fc.property(rates, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(100_000), (rate, part, idle) => {
        const bucket = { tokens: rate.burst * part, at: 1_000 };
        const now = 1_000 + idle;
        const after = msUntilFull(bucket, rate, now);
        assert.ok(tokensAt(bucket, rate, now + after) >= rate.burst - 2e-6);
        if (after > 0) assert.ok(tokensAt(bucket, rate, now + after - 1) < rate.burst - 0.5e-6);
      }),
    );
    assert.equal(msUntilFull({ tokens: 0, at: 0 }, { perMinute: 60, burst: 10 }, 500), 9_500);
    assert.equal(msUntilFull(fullBucket({ perMinute: 60, burst: 10 }, 0), { perMinute: 60, burst: 10 }, 0), 0);
  });

  it("passes and refuses as a naive count of single drops does", () => {
    const wholeRates = fc.record({
      everyMs: fc.integer({ min: 1, max: 5_000 }),
      burst: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(
        wholeRates,
        fc.array(fc.nat(3_000), { maxLength: 100, size: "max" }),
        ({ everyMs, burst }, pauses) => {
          const rate = { perMinute: 60_000 / everyMs, burst };
          let now = 0;
          let bucket = fullBucket(rate, now);
          // In whole parts of a request, one a millisecond: a request takes as many as there are milliseconds between two.
          let parts = burst * everyMs;
          for (const pause of pauses) {
            now += pause;
            parts = Math.min(burst * everyMs, parts + pause);
            const answer = takeToken(bucket, rate, now);
            if (parts >= everyMs) {
              assert.equal(answer.kind, "passed");
              parts -= everyMs;
            } else {
              assert.ok(answer.kind === "refused");
              assert.equal(answer.retryAfterSeconds, Math.ceil((everyMs - parts) / 1000));
            }
            if (answer.kind === "passed") bucket = answer.bucket;
          }
        },
      ),
    );
  });
});
