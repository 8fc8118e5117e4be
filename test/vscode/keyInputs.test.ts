import assert from "node:assert/strict";
import * as fc from "fast-check";
import { parseCreditChange } from "../../src/ledger/creditChange.ts";
import { QUOTA_WINDOWS } from "../../src/ledger/quotaWindow.ts";
import { readWrittenChanges } from "../../src/node/keyDraft.ts";
import { creditInput, modelsInput, quotaInput, rateInput } from "../../src/vscode/keyInputs.ts";

const NONE = { requests_per_minute: null, quota_tokens: null, quota_window: null };
const UNIT_MINUTES = { s: 1 / 60, m: 1, h: 60, d: 1_440 } as const;

describe("what the editor offers when a key's limit is changed", () => {
  it("is the quota as it is, so that leaving it there changes nothing", () => {
    assert.equal(quotaInput(NONE), "0");
    assert.equal(quotaInput({ ...NONE, quota_tokens: 2_000_000, quota_window: "day" }), "2000000/day");
    assert.equal(quotaInput({ ...NONE, quota_tokens: 5, quota_window: "life" }), "5");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e12 }), fc.constantFrom(...QUOTA_WINDOWS), (quotaTokens, quotaWindow) => {
        const quota = quotaInput({ ...NONE, quota_tokens: quotaTokens, quota_window: quotaWindow });
        assert.deepEqual(readWrittenChanges({ quota }, 0), { quotaTokens, quotaWindow });
      }),
    );
    assert.deepEqual(readWrittenChanges({ quota: quotaInput(NONE) }, 0), { quotaTokens: null, quotaWindow: "life" });
  });

  it("is the rate as it was written, and leaving it there changes nothing", () => {
    assert.equal(rateInput(NONE), "0");
    assert.deepEqual(readWrittenChanges({ rate: rateInput(NONE) }, 0), { ratePerMinute: null });
    const unit = fc.constantFrom("s", "m", "h", "d" as const);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), unit, (count, per) => {
        const { ratePerMinute = null } = readWrittenChanges({ rate: `${count}/${per}` }, 0);
        const rate = rateInput({ ...NONE, requests_per_minute: ratePerMinute });
        assert.match(rate, /^\d+\/[mhd]$/);
        const { ratePerMinute: again } = readWrittenChanges({ rate }, 0);
        assert.ok(Math.abs(Number(again) - count / UNIT_MINUTES[per]) < 1e-9);
      }),
      { examples: [[1_000, "h"]] },
    );
    const perHour = readWrittenChanges({ rate: "1000/h" }, 0).ratePerMinute ?? null;
    assert.equal(rateInput({ ...NONE, requests_per_minute: perHour }), "1000/h");
    assert.equal(rateInput({ ...NONE, requests_per_minute: 2.5 }), "150/h");
  });
});

describe("what is written of a key in the editor", () => {
  it("adds to a credit where no sign says otherwise", () => {
    const read = (text: string): object => parseCreditChange(creditInput(text));
    assert.deepEqual(read(" 5.00 "), { kind: "add", micros: 5_000_000 });
    assert.deepEqual(read("$2"), { kind: "add", micros: 2_000_000 });
    assert.deepEqual(read("-1"), { kind: "add", micros: -1_000_000 });
    assert.deepEqual(read("=0"), { kind: "set", micros: 0 });
  });

  it("names models with commas or spaces between them", () => {
    assert.deepEqual(modelsInput(" gpt-*, x-ai/*  o3,"), ["gpt-*", "x-ai/*", "o3"]);
    assert.deepEqual(modelsInput(" "), []);
  });
});
