import assert from "node:assert/strict";

import * as fc from "fast-check";

import { DEFAULT_OUTPUT_TOKENS, estimateCost } from "../../src/ledger/costEstimate.ts";
import { priceOf } from "../../src/ledger/prices.ts";
import type { ModelPrice } from "../../src/ledger/prices.ts";

const PRICE: ModelPrice = {
  rates: { input: 2, cachedInput: 0.5, cacheWrite: 2.5, cacheWriteLong: 4, output: 10 },
  longContext: [{ aboveInputTokens: 1_000, rates: null }],
  fast: null,
  slow: 0.5,
  source: 0,
};
const WITHOUT_WRITES: ModelPrice = { ...PRICE, rates: { ...PRICE.rates, cacheWrite: null }, longContext: [] };

describe("the estimate of a request's cost", () => {
  it("counts a token for each four bytes that begin, at the dearest input rate, and all the output that may come", () => {
    const expected = { bodyBytes: 401, maxOutputTokens: 10, answers: 1, serviceTier: null };
    assert.equal(estimateCost(PRICE, expected), Math.round(101 * 2.5) + 100);
    assert.equal(estimateCost(WITHOUT_WRITES, expected), 302);
    assert.equal(estimateCost(WITHOUT_WRITES, { ...expected, answers: 5 }), 702);
    assert.equal(estimateCost(PRICE, { ...expected, serviceTier: "auto" }), estimateCost(PRICE, expected));
    assert.equal(estimateCost(WITHOUT_WRITES, { ...expected, serviceTier: "flex" }), 151);
  });

  it("takes a default where the request bounds its output by nothing, and nothing where it asks for none", () => {
    const expected = { bodyBytes: 0, answers: 1, serviceTier: null };
    assert.equal(estimateCost(PRICE, { ...expected, maxOutputTokens: undefined }), 10 * DEFAULT_OUTPUT_TOKENS);
    assert.equal(estimateCost(PRICE, { ...expected, maxOutputTokens: 0 }), 0);
  });

  it("is not known where the price is not: of the model, its tier or its length", () => {
    const expected = { bodyBytes: 400, maxOutputTokens: 10, answers: 1, serviceTier: null };
    assert.equal(estimateCost(null, expected), undefined);
    assert.equal(estimateCost(PRICE, { ...expected, serviceTier: "priority" }), undefined);
    assert.equal(estimateCost(PRICE, { ...expected, bodyBytes: 4_004 }), undefined);
  });

  it("is never below what a request costs that keeps within it", () => {
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.nat(10_000),
        fc.nat(),
        fc.nat(),
        fc.nat(),
        (bodyBytes, maxOutputTokens, ...parts) => {
          const input = Math.ceil(bodyBytes / 4);
          const cachedInput = Math.min(parts[0] ?? 0, input);
          const cacheWrite = Math.min(parts[1] ?? 0, input - cachedInput);
          const tokens = {
            uncachedInput: input - cachedInput - cacheWrite,
            cachedInput,
            cacheWrite,
            cacheWriteLong: 0,
            output: Math.min(parts[2] ?? 0, maxOutputTokens),
            reasoning: 0,
          };
          const price = { ...PRICE, longContext: [] };
          const cost = priceOf(price, null, tokens) ?? Number.NaN;
          assert.ok((estimateCost(price, { bodyBytes, maxOutputTokens, answers: 1, serviceTier: null }) ?? -1) >= cost);
        },
      ),
    );
  });
});
