import assert from "node:assert/strict";
import * as fc from "fast-check";

import type { TokenUsage } from "../../src/wire/usage.ts";
import { costOf, findPrice, priceOf } from "../../src/ledger/prices.ts";
import { BUILT_IN_PRICES } from "../../src/ledger/priceTable.ts";

function tokens(changes: Partial<TokenUsage>): TokenUsage {
  return { uncachedInput: 0, cachedInput: 0, cacheWrite: 0, cacheWriteLong: 0, output: 0, reasoning: 0, ...changes };
}

function micros(model: string, changes: Partial<TokenUsage>, tier: string | null = null): number | null {
  return costOf("openai", model, tier, tokens(changes), null).costMicros;
}

describe("the cost of a request", () => {
  it("is the sum over disjoint buckets, each at its own rate", () => {
    // 1200 input (1000 cached, 100 written) and 12 output on gpt-6-sol are $0.00077.
    assert.equal(micros("gpt-6-sol", { uncachedInput: 100, cachedInput: 1_000, cacheWrite: 100, output: 12 }), 770);
  });

  it("of all buckets together is that of each bucket alone, added up", () => {
    const count = fc.integer({ min: 0, max: 50_000 });
    fc.assert(
      fc.property(count, count, count, count, count, (uncachedInput, cachedInput, short, cacheWriteLong, output) => {
        // Rates of gpt-6.1-terra in hundredths of a micro-dollar per token.
        const exact = uncachedInput * 100 + cachedInput * 5 + short * 125 + cacheWriteLong * 250 + output * 500;
        const usage = { uncachedInput, cachedInput, cacheWrite: short + cacheWriteLong, cacheWriteLong, output };
        assert.equal(micros("gpt-6.1-terra", usage), Math.floor((exact + 50) / 100));
      }),
    );
  });

  it("is rounded half up to whole micro-dollars", () => {
    assert.equal(micros("gpt-6-luna", { uncachedInput: 4 }), 0);
    assert.equal(micros("gpt-6-luna", { uncachedInput: 5 }), 1);
    assert.equal(micros("gpt-6-luna", { output: 3 }), 2);
    const price = findPrice(BUILT_IN_PRICES, "openrouter", "deepseek/deepseek-v4.1-flash")!;
    // 0.29 times 50 is 14.499999999999998 in floating point.
    assert.equal(priceOf(price, null, tokens({ output: 50 })), 15);
  });

  it("takes reasoning as a part of the output, not on top of it", () => {
    assert.equal(micros("gpt-5.5", { output: 100, reasoning: 90 }), micros("gpt-5.5", { output: 100 }));
  });

  it("is at the long-context rates for the whole request above 272 000 input tokens, not at exactly that", () => {
    assert.equal(micros("gpt-5.5", { uncachedInput: 272_000, output: 100 }), 272_000 * 5 + 3_000);
    assert.equal(micros("gpt-5.5", { uncachedInput: 1, cachedInput: 272_000, output: 100 }), 10 + 272_000 + 4_500);
    assert.equal(micros("gpt-4.1", { uncachedInput: 300_000 }), 600_000);
  });

  it("is multiplied by the service tier that was served", () => {
    const usage = { uncachedInput: 1_000, output: 100 };
    assert.equal(micros("gpt-6-sol", usage, "default"), 3_000);
    assert.equal(micros("gpt-6-sol", usage, "priority"), 6_000);
    assert.equal(micros("gpt-6-sol", usage, "fast"), 6_000);
    assert.equal(micros("gpt-6-sol", usage, "flex"), 1_500);
    assert.equal(micros("gpt-6-sol", usage, "batch"), 1_500);
    assert.equal(micros("gpt-5.5", usage, "priority"), 20_000);
    assert.equal(micros("gpt-5-mini", usage, "priority"), 810);
  });

  it("of fast mode with a long context is twice the long rate from gpt-5.6 on, and unknown before", () => {
    const usage = { uncachedInput: 300_000 };
    assert.equal(micros("gpt-5.6-sol", usage, "priority"), 300_000 * 16);
    assert.equal(micros("gpt-5.5", usage, "priority"), null);
    assert.equal(micros("gpt-5.4", usage, "priority"), null);
    assert.equal(micros("gpt-5.5", usage, "flex"), 300_000 * 5);
  });

  it("of a write for 12 hours is its own rate, unknown where there is none", () => {
    assert.equal(micros("gpt-6.1-sol", { cacheWrite: 300, cacheWriteLong: 200 }), 250 + 1_000);
    assert.equal(micros("gpt-6-sol", { cacheWrite: 300, cacheWriteLong: 200 }), null);
  });

  it("is found by an alias and by a dated snapshot's base model, and by no other likeness", () => {
    const usage = { output: 1_000 };
    assert.equal(micros("gpt-5.6", usage), 20_000);
    assert.equal(micros("gpt-5.6-2026-07-09", usage), 20_000);
    assert.equal(micros("gpt-5.5-2026-04-23", usage), 30_000);
    assert.equal(micros("gpt-4o-2024-05-13", usage), 15_000);
    for (const unknown of ["gpt-5.5-pro", "gpt-5.55", "GPT-5.5", "gpt-9", "", "constructor", "__proto__"]) {
      assert.equal(micros(unknown, usage), null, unknown);
    }
  });

  it("is unknown for a tier that the table does not know", () => {
    assert.equal(micros("gpt-5.5", { output: 1 }, "scale"), null);
    assert.equal(micros("gpt-4.1", { output: 1 }, "priority"), null);
    assert.deepEqual(costOf("openrouter", "qwen/qwen3-coder", "flex", tokens({ output: 1 }), null), {
      costMicros: null,
      costSource: "unknown",
    });
  });

  it("is what the upstream charged wherever it says so", () => {
    assert.deepEqual(costOf("openrouter", "qwen/qwen3-coder", null, tokens({ output: 1_000 }), 42), {
      costMicros: 42,
      costSource: "upstream",
    });
    assert.deepEqual(costOf("openrouter", null, null, tokens({}), 0), { costMicros: 0, costSource: "upstream" });
  });

  it("of a plan's request is the list price of the same tokens", () => {
    assert.equal(costOf("codex", "gpt-6.1-sol", null, tokens({ output: 10 }), null).costMicros, 100);
  });
});
