import assert from "node:assert/strict";
import * as fc from "fast-check";
import { grant } from "../../src/ledger/creditJournal.ts";
import { createPurse } from "../../src/ledger/creditPurse.ts";
import { createQuotaCounter } from "../../src/ledger/quotaCounter.ts";
import { QUOTA_WINDOWS } from "../../src/ledger/quotaWindow.ts";
import { type Admitted, createAdmission } from "../../src/proxy/admission.ts";
import { ApiError } from "../../src/wire/errors.ts";
import { DAY, HOUR, withLedger } from "../ledger/temporaryLedger.ts";
import { type AdmissionRig, admissionRig, key, passed, refusal } from "./admissionRig.ts";

/** What a request of ours must not say: opencode takes it for a reason to ask again. */
const RETRY_BAIT = /429|50[0-4]|524|try again|rate limit|overloaded|timeout/i;

describe("admission", () => {
  it("refuses in this order: model, places, rate, quota, credit", () => {
    const rig = admissionRig();
    const everything = {
      models: ["gpt-5*"],
      maxConcurrent: 1,
      rate: { perMinute: 60, burst: 1 },
      quotaTokens: 100,
      quotaWindow: "day",
      isCredit: true,
    } as const;
    rig.freeMicros = 10;
    const first = passed(rig.ask(key(everything)));
    rig.usedTokens = 100;
    const tell = (changes: object, model = "gpt-5.5"): string => {
      const { code, message } = refusal(rig.ask(key({ ...everything, ...changes }), { model }));
      return `${code}: ${message}`;
    };
    assert.match(tell({}, "o3"), /^model_not_allowed: .*may not use this model/);
    assert.match(tell({}), /^rate_limit_exceeded: .*as many requests running as it may/);
    first.end();
    assert.match(tell({}), /^rate_limit_exceeded: .*faster than its rate/);
    rig.now = 1_000;
    assert.match(tell({}), /^quota_exceeded: /);
    rig.usedTokens = 99;
    rig.freeMicros = 0;
    assert.match(tell({}), /^insufficient_credit: /);
    rig.freeMicros = 10;
    passed(rig.ask(key(everything)));
  });

  it("takes nothing for a request that it refuses", () => {
    const rig = admissionRig();
    const bounded = key({ rate: { perMinute: 1, burst: 1 }, maxConcurrent: 1, isCredit: true });
    for (let tries = 0; tries < 5; tries += 1) assert.equal(refusal(rig.ask(bounded)).code, "insufficient_credit");
    assert.deepEqual(rig.admission.takeDirtyBuckets(), new Map());
    assert.equal(rig.admission.standing(bounded).running, 0);
    rig.freeMicros = 50;
    passed(rig.ask(bounded));
    for (let tries = 0; tries < 5; tries += 1) assert.equal(refusal(rig.ask(bounded)).code, "rate_limit_exceeded");
    assert.equal(rig.freeMicros, 40);
    assert.deepEqual([...rig.holds.values()], [10]);
  });

  it("names the seconds after which the refused request passes, for any rate: never early, never a whole second late", () => {
    const rates = fc.record({
      perMinute: fc.double({ min: 0.05, max: 6_000, noNaN: true }),
      burst: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(rates, fc.array(fc.nat(3_000), { minLength: 1, maxLength: 20 }), (rate, pauses) => {
        const limited = key({ rate });
        const steps: number[] = [];
        const replay = (extraMs: number): Admitted | ApiError => {
          const rig = admissionRig();
          for (const pause of steps) {
            rig.now += pause;
            while (!(rig.ask(limited) instanceof ApiError));
          }
          rig.now += extraMs;
          return rig.ask(limited);
        };
        for (const pause of pauses) {
          steps.push(pause);
          const { code, retryAfterSeconds } = refusal(replay(0));
          assert.equal(code, "rate_limit_exceeded");
          assert.ok(retryAfterSeconds !== null && Number.isInteger(retryAfterSeconds) && retryAfterSeconds >= 1);
          passed(replay(retryAfterSeconds * 1000));
          if (retryAfterSeconds > 1) refusal(replay((retryAfterSeconds - 1) * 1000));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("names the seconds after which a used-up window is over, for any window: never early, never a whole second late", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...QUOTA_WINDOWS.filter((window) => window !== "life")),
        fc.nat(20 * 24 * HOUR),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (quotaWindow, begun, part) => {
          const limited = key({ quotaTokens: 5, quotaWindow });
          const rig = admissionRig();
          rig.now = begun;
          passed(rig.ask(limited)).end();
          rig.usedTokens = 5;
          const resetsAt = rig.admission.standing(limited).quotaResetsAt ?? 0;
          rig.now = begun + Math.floor(part * (resetsAt - DAY - begun - 1));
          const { code, retryAfterSeconds } = refusal(rig.ask(limited));
          assert.equal(code, "quota_exceeded");
          assert.ok(retryAfterSeconds !== null && retryAfterSeconds >= 1);
          const then = rig.now;
          if (retryAfterSeconds > 1) {
            rig.now = then + (retryAfterSeconds - 1) * 1000;
            refusal(rig.ask(limited));
          }
          rig.now = then + retryAfterSeconds * 1000;
          passed(rig.ask(limited));
        },
      ),
    );
  });

  it("names no time for a lifetime's quota, which no wait cures", () => {
    const rig = admissionRig();
    rig.usedTokens = 7;
    const { retryAfterSeconds, message } = refusal(rig.ask(key({ quotaTokens: 7 })));
    assert.equal(retryAfterSeconds, null);
    assert.match(message, /raise its quota, or use another key\.$/);
  });

  it("lets the last request before the bound pass, however many tokens it will use", () => {
    const rig = admissionRig();
    rig.usedTokens = 6;
    passed(rig.ask(key({ quotaTokens: 7 })));
  });

  it("opens a window with the start of its first request, so that its own tokens count in it", () => {
    withLedger((sql) => {
      const limited = key({ quotaTokens: 50, quotaWindow: "5h" });
      const quota = createQuotaCounter(sql, () => 0);
      const purse = createPurse(sql, { now: () => DAY });
      let now = DAY + 7;
      const clock = { now: () => now, monotonic: () => now };
      const admission = createAdmission({ clock, quota, purse, buckets: new Map(), unknownPrice: () => "refuse" });
      const request = { model: "gpt-5.5", namesModel: true, estimate: () => 1, expectedTokens: () => 1 };
      // It was seven milliseconds on its way to here.
      admission.admit(limited, { ...request, requestId: "req_1", startedAt: DAY });
      quota.count(limited, DAY, 20);
      assert.deepEqual([quota.used(limited, now), quota.resetsAt(limited, now)], [20, DAY + 5 * HOUR]);
      // One that was longer on its way counts in the window that it was admitted in, whose end stays.
      now += 5;
      admission.admit(limited, { ...request, requestId: "req_2", startedAt: DAY - 900 });
      quota.count(limited, DAY - 900, 7);
      assert.deepEqual([quota.used(limited, now), quota.resetsAt(limited, now)], [27, DAY + 5 * HOUR]);
    });
  });

  it("sets aside what running requests may use, and lets the next wait that does not fit beside them", () => {
    const rig = admissionRig();
    const limited = key({ quotaTokens: 25 });
    const first = passed(rig.ask(limited));
    passed(rig.ask(limited));
    const { code, retryAfterSeconds } = refusal(rig.ask(limited));
    assert.deepEqual([code, retryAfterSeconds], ["rate_limit_exceeded", 1]);
    passed(rig.ask(limited, { expectedTokens: () => 5 })).end();
    passed(rig.ask(limited, { expectedTokens: () => 0 })).end();
    rig.usedTokens = 3;
    first.end();
    passed(rig.ask(limited));
    refusal(rig.ask(limited));
    rig.usedTokens = 25;
    assert.equal(refusal(rig.ask(limited)).code, "quota_exceeded");
  });

  it("lets a single request take more of a quota than is left, and none beside it", () => {
    const rig = admissionRig();
    const limited = key({ quotaTokens: 5 });
    const only = passed(rig.ask(limited));
    assert.equal(refusal(rig.ask(limited, { expectedTokens: () => 1 })).code, "rate_limit_exceeded");
    only.end();
    passed(rig.ask(limited));
  });

  it("never lets a quota be exceeded by more than one request's tokens, however many ask at once", () => {
    const requests = fc.array(fc.record({ tokens: fc.integer({ min: 1, max: 40 }), ends: fc.nat(6) }), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), requests, (quotaTokens, asked) => {
        const rig = admissionRig();
        const limited = key({ quotaTokens });
        const running: { readonly place: Admitted; readonly tokens: number }[] = [];
        const end = ({ place, tokens }: (typeof running)[number]): void => {
          rig.usedTokens += tokens;
          place.end();
        };
        for (const { tokens, ends } of asked) {
          const place = rig.ask(limited, { expectedTokens: () => tokens });
          if (!(place instanceof ApiError)) running.push({ place, tokens });
          for (const one of running.splice(0, Math.max(0, ends - 3))) end(one);
        }
        for (const one of running) end(one);
        assert.ok(rig.usedTokens < quotaTokens + 40, `${rig.usedTokens} of ${quotaTokens}`);
      }),
    );
  });

  it("frees a place and gives back a hold when a request ends, and does so once", () => {
    const rig = admissionRig();
    rig.freeMicros = 30;
    const limited = key({ maxConcurrent: 2, isCredit: true });
    const one = passed(rig.ask(limited));
    const other = passed(rig.ask(limited));
    const { code, retryAfterSeconds } = refusal(rig.ask(limited));
    assert.deepEqual([code, retryAfterSeconds], ["rate_limit_exceeded", 1]);
    one.end();
    one.end();
    assert.deepEqual([rig.admission.standing(limited).running, rig.freeMicros], [1, 20]);
    passed(rig.ask(limited));
    refusal(rig.ask(limited));
    other.end();
    assert.equal(rig.admission.standing(limited).running, 1);
  });

  it("holds on to what a request may use that goes on in the background until its use is known, but frees its place", () => {
    const rig = admissionRig();
    rig.freeMicros = 30;
    const limited = key({ maxConcurrent: 1, isCredit: true, quotaTokens: 15 });
    const begun = passed(rig.ask(limited, { requestId: "req_background" }));
    begun.goesOn();
    begun.end();
    assert.equal(rig.admission.standing(limited).running, 0);
    assert.equal(rig.holds.get("req_background"), 10);
    const waiting = refusal(rig.ask(limited));
    assert.match(waiting.message, /set aside the rest of its token quota/);
    rig.now = 5_000;
    assert.equal(refusal(rig.ask(limited)).retryAfterSeconds, 10, "the longer nothing moves");
    // Asking for the answer uses nothing.
    passed(rig.ask(limited, { estimate: () => 0, expectedTokens: () => 0 })).end();
    rig.admission.usageKnown("req_background");
    rig.admission.usageKnown("req_background");
    assert.deepEqual([rig.holds.size, rig.freeMicros], [0, 30]);
    passed(rig.ask(limited)).end();
    assert.equal(rig.freeMicros, 30);
  });

  it("lets what costs nothing pass beside a request that took more than there is, and not without credit", () => {
    withLedger((sql) => {
      const clock = { now: () => DAY, monotonic: () => 0 };
      grant(sql, "key_a", { kind: "add", micros: 5 }, null, DAY);
      const purse = createPurse(sql, clock);
      const quota = { used: () => 0, resetsAt: () => undefined, begin: () => undefined };
      const admission = createAdmission({ clock, quota, purse, buckets: new Map(), unknownPrice: () => "refuse" });
      const limited = key({ isCredit: true });
      const ask = (requestId: string, micros: number): Admitted =>
        admission.admit(limited, {
          requestId,
          startedAt: DAY,
          model: "gpt-5.5",
          namesModel: true,
          estimate: () => micros,
          expectedTokens: () => 0,
        });
      ask("req_1", 8).goesOn();
      assert.throws(() => ask("req_2", 1), /not enough credit/);
      ask("req_3", 0).end();
      purse.settle({ keyId: "key_a", requestId: "req_1", startedAt: DAY }, 8);
      assert.throws(() => ask("req_4", 0), /not enough credit/);
    });
  });

  it("names a wait for a place that grows while nothing moves: agents ask five times more at most, which covers a minute", () => {
    const rig = admissionRig();
    const limited = key({ maxConcurrent: 2 });
    const first = passed(rig.ask(limited));
    rig.now = 5_000;
    passed(rig.ask(limited));
    const wait = (): number => refusal(rig.ask(limited)).retryAfterSeconds ?? Number.NaN;
    const waits = Array.from({ length: 8 }, () => {
      const seconds = wait();
      rig.now += seconds * 1000;
      return seconds;
    });
    assert.deepEqual(waits, [1, 2, 6, 18, 30, 30, 30, 30]);
    first.end();
    passed(rig.ask(limited));
    assert.equal(wait(), 1);
  });

  it("never lets more run than a key may, and ends with none, in whatever order requests come and go", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(9), { maxLength: 60 }), (maxConcurrent, moves) => {
        const rig = admissionRig();
        const limited = key({ maxConcurrent });
        const running: Admitted[] = [];
        for (const move of moves) {
          if (move < 6) {
            const answer = rig.ask(limited);
            assert.equal(answer instanceof ApiError, running.length === maxConcurrent);
            if (!(answer instanceof ApiError)) running.push(answer);
          } else running.splice(move % Math.max(1, running.length), 1)[0]?.end();
          assert.equal(rig.admission.standing(limited).running, running.length);
        }
        for (const one of running) one.end();
        assert.equal(rig.admission.standing(limited).running, 0);
      }),
    );
  });

  it("counts each key for itself", () => {
    const rig = admissionRig();
    const limits = { maxConcurrent: 1, rate: { perMinute: 1, burst: 1 } };
    passed(rig.ask(key({ ...limits, id: "key_a" })));
    passed(rig.ask(key({ ...limits, id: "key_b" })));
    refusal(rig.ask(key({ ...limits, id: "key_b" })));
  });

  it("goes by the key's patterns, as the model was asked for", () => {
    const rig = admissionRig();
    const bound = key({ models: ["gpt-5*", "qwen/*", "o3"] });
    for (const model of ["gpt-5", "gpt-5.5-mini", "qwen/qwen3-coder", "o3"]) passed(rig.ask(bound, { model })).end();
    for (const model of ["gpt-4.1", "o3-mini", "my/gpt-5", "qwen", null]) {
      const { code, param } = refusal(rig.ask(bound, { model }));
      assert.deepEqual([code, param], ["model_not_allowed", "model"]);
    }
    // A list of models names none, and is no use of any.
    passed(rig.ask(bound, { model: null, namesModel: false }));
  });

  it("asks for an estimate of keys with credit only, and refuses an unknown price unless it is allowed", () => {
    const rig = admissionRig();
    passed(rig.ask(key()));
    assert.equal(rig.estimates, 0);
    rig.freeMicros = 1;
    const unknown = { estimate: () => undefined };
    const { code, param, message } = refusal(rig.ask(key({ isCredit: true }), unknown));
    assert.deepEqual([code, param], ["insufficient_credit", "model"]);
    assert.match(message, /price of this request is not known.*--unknown-price allow/);
    rig.policy = "allow";
    passed(rig.ask(key({ isCredit: true }), unknown));
    rig.freeMicros = 0;
    assert.match(refusal(rig.ask(key({ isCredit: true }), unknown)).message, /patchbay keys credit key_a \+5/);
  });

  it("says nothing that opencode takes for a reason to ask again, whatever the key is called", () => {
    for (const label of ["agent", "team-500", "the rate limit one", "429"]) {
      const refusals: ((rig: AdmissionRig) => Admitted | ApiError)[] = [
        (rig) => rig.ask(key({ label, models: ["gpt-6*"] })),
        (rig) => rig.ask(key({ label, isCredit: true })),
        (rig) => rig.ask(key({ label, isCredit: true }), { estimate: () => undefined }),
        ...QUOTA_WINDOWS.map((quotaWindow) => (rig: AdmissionRig) => {
          rig.usedTokens = 1;
          return rig.ask(key({ label, quotaTokens: 1, quotaWindow }));
        }),
      ];
      for (const provoke of refusals) assert.doesNotMatch(refusal(provoke(admissionRig())).message, RETRY_BAIT);
    }
  });

  it("takes over the buckets of an earlier process and gives out its own, changed ones once", () => {
    const rate = { perMinute: 60, burst: 3 };
    const rig = admissionRig(new Map([["key_a", { tokens: 1, at: 1_000 }]]));
    passed(rig.ask(key({ rate })));
    refusal(rig.ask(key({ rate })));
    assert.deepEqual(rig.admission.takeDirtyBuckets(), new Map([["key_a", { tokens: 0, at: 1_000 }]]));
    assert.deepEqual(rig.admission.takeDirtyBuckets(), new Map());
  });
});
