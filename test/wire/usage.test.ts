import assert from "node:assert/strict";
import * as fc from "fast-check";
import { inputTokens, readUsage } from "../../src/wire/usage.ts";

describe("a usage object", () => {
  it("falls into disjoint buckets that add up to its input, whatever it claims", () => {
    const counts = fc.oneof(fc.integer({ min: 0, max: 1e9 }), fc.constantFrom(-1, 1.5, null, "3", undefined));
    const usage = fc.record({
      input_tokens: fc.integer({ min: 0, max: 1e9 }),
      input_tokens_details: fc.record({ cached_tokens: counts, cache_write_tokens: counts }),
      output_tokens: counts,
      output_tokens_details: fc.record({ reasoning_tokens: counts }),
    });
    fc.assert(
      fc.property(usage, (reported) => {
        const tokens = readUsage(reported)?.tokens;
        assert.ok(tokens);
        assert.equal(inputTokens(tokens), reported.input_tokens);
        for (const value of Object.values(tokens)) assert.ok(Number.isSafeInteger(value) && value >= 0);
        assert.ok(tokens.reasoning <= tokens.output);
      }),
    );
  });

  it("reads the names of both APIs, 12-hour cache writes and OpenRouter's cost", () => {
    assert.deepEqual(
      readUsage({
        input_tokens: 1000,
        input_tokens_details: {
          cached_tokens: 200,
          cache_write_tokens: 300,
          cache_write_tokens_details: { ttl_30m_tokens: 100, ttl_12h_tokens: 200 },
        },
        output_tokens: 50,
        output_tokens_details: { reasoning_tokens: 20 },
        cost: 0.0000014,
      }),
      {
        tokens: {
          uncachedInput: 500,
          cachedInput: 200,
          cacheWrite: 300,
          cacheWriteLong: 200,
          output: 50,
          reasoning: 20,
        },
        costMicros: 1,
      },
    );
    assert.equal(readUsage({ prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 })?.tokens.uncachedInput, 3);
  });

  it("is none where it counts nothing", () => {
    for (const nothing of [null, undefined, 5, "x", [], {}, { type: "duration", seconds: 4 }])
      assert.equal(readUsage(nothing), undefined);
  });
});
