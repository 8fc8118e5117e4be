import assert from "node:assert/strict";

import { loadPrices, savePrices } from "../../src/ledger/priceSnapshot.ts";
import { findPrice, priceOf } from "../../src/ledger/prices.ts";
import type { PriceTable } from "../../src/ledger/prices.ts";
import { BUILT_IN_PRICES } from "../../src/ledger/priceTable.ts";
import { refreshPrices } from "../../src/ledger/refreshPrices.ts";
import { DAY, withLedger } from "./temporaryLedger.ts";

function refreshed(kind: "models.dev" | "openrouter", document: unknown): PriceTable {
  const result = refreshPrices(BUILT_IN_PRICES, { kind, document }, DAY);
  if (!result.ok) assert.fail(result.reason);
  return result.table;
}

function modelsDev(models: object, provider = "openai"): PriceTable {
  return refreshed("models.dev", { [provider]: { id: provider, models } });
}

function openrouter(pricing: object): PriceTable {
  return refreshed("openrouter", { data: [{ id: "vendor/model", pricing }, { broken: true }] });
}

const output = { uncachedInput: 0, cachedInput: 0, cacheWrite: 0, cacheWriteLong: 0, output: 1_000, reasoning: 0 };

describe("refreshing prices from models.dev", () => {
  it("takes over new prices with their date and source, and keeps models that are not mentioned", () => {
    const table = modelsDev({ "gpt-7": { cost: { input: 3, output: 9, cache_read: 0.3, cache_write: 4 } } });
    const price = findPrice(table, "openai", "gpt-7")!;
    assert.deepEqual(price.rates, { input: 3, cachedInput: 0.3, cacheWrite: 4, cacheWriteLong: null, output: 9 });
    assert.equal(table.date, "2026-11-21");
    assert.deepEqual(table.sources[price.source], { name: "models.dev", licence: "MIT", date: "2026-11-21" });
    assert.deepEqual(table.models.openai["gpt-6.1-sol"], BUILT_IN_PRICES.models.openai["gpt-6.1-sol"]);
  });

  it("knows no service tiers of a model that it did not know before", () => {
    const price = findPrice(modelsDev({ "gpt-7": { cost: { input: 3, output: 9 } } }), "openai", "gpt-7")!;
    assert.equal(priceOf(price, null, output), 9_000);
    assert.equal(priceOf(price, "priority", output), null);
    assert.equal(priceOf(price, "flex", output), null);
  });

  it("prefers context tiers to the older field for more than 200 000 tokens", () => {
    const long = { input: 10, output: 45, cache_read: 1 };
    const cost = { input: 5, output: 30, cache_read: 0.5, context_over_200k: long };
    const tiers = [{ ...long, tier: { type: "context", size: 272_000 } }];
    const thresholds = (document: object) =>
      findPrice(modelsDev({ "gpt-5.5": { cost: document } }), "openai", "gpt-5.5")!.longContext.map(
        ({ aboveInputTokens }) => aboveInputTokens,
      );
    assert.deepEqual(thresholds({ ...cost, tiers }), [272_000]);
    assert.deepEqual(thresholds(cost), [200_000]);
  });

  it("keeps what the list does not say while the base price is the same, and forgets it after a change", () => {
    const same = modelsDev({ "gpt-6.1-sol": { cost: { input: 2, output: 10, cache_read: 0.1 } } });
    assert.deepEqual(
      { ...same.models.openai["gpt-6.1-sol"], source: 1 },
      { ...BUILT_IN_PRICES.models.openai["gpt-6.1-sol"], source: 1 },
    );
    const changed = modelsDev({ "gpt-6.1-sol": { cost: { input: 1, output: 10, cache_read: 0.1 } } });
    const price = findPrice(changed, "openai", "gpt-6.1-sol")!;
    assert.deepEqual(price.rates, { input: 1, cachedInput: 0.1, cacheWrite: null, cacheWriteLong: null, output: 10 });
    assert.equal(priceOf(price, null, { ...output, uncachedInput: 272_001 }), null);
    assert.equal(priceOf(price, "priority", output), 20_000);
  });

  it("leaves out prices that it cannot express, one by one", () => {
    const table = modelsDev({
      "gpt-audio": { cost: { input: 1, output: 2, input_audio: 30 } },
      "gpt-thinker": { cost: { input: 1, output: 2, reasoning: 5 } },
      "gpt-steps": { cost: { input: 1, output: 2, tiers: [{ input: 3, output: 4, tier: { type: "time" } }] } },
      "gpt-negative": { cost: { input: -1, output: 2 } },
      "gpt-5.5-fast": { cost: { input: 12.5, output: 75 } },
      "gpt-free": {},
      "gpt-fine": { cost: { input: 1, output: 2, reasoning: 2 } },
    });
    const added = Object.keys(table.models.openai).filter((id) => !Object.hasOwn(BUILT_IN_PRICES.models.openai, id));
    assert.deepEqual(added, ["gpt-fine"]);
  });

  it("of another document changes nothing and says why", () => {
    for (const document of [null, 3, "text", [], {}, { anthropic: {} }, { openai: { models: {} } }, { openai: 1 }]) {
      const result = refreshPrices(BUILT_IN_PRICES, { kind: "models.dev", document }, DAY);
      assert.equal(result.ok, false, JSON.stringify(document));
      assert.match(result.ok ? "" : result.reason, /models\.dev/);
    }
  });
});

describe("refreshing prices from OpenRouter", () => {
  it("reads decimal dollars per token without rounding them away", () => {
    const table = openrouter({ prompt: "0.000000035", completion: "0.00000029", input_cache_read: "0.000000001" });
    assert.deepEqual(findPrice(table, "openrouter", "vendor/model")!.rates, {
      input: 0.035,
      cachedInput: 0.001,
      cacheWrite: null,
      cacheWriteLong: null,
      output: 0.29,
    });
  });

  it("reads prices for long prompts as tiers", () => {
    const overrides = [{ min_prompt_tokens: 200_000, prompt: "0.000004" }];
    const table = openrouter({ prompt: "0.000002", completion: "0.00001", overrides });
    const [tier] = findPrice(table, "openrouter", "vendor/model")!.longContext;
    assert.equal(tier?.aboveInputTokens, 200_000);
    assert.equal(tier?.rates?.input, 4);
    assert.equal(tier?.rates?.output, 10);
  });

  it("changes nothing where no model has a price that can be expressed", () => {
    const base = { prompt: "0.000002", completion: "0.00001" };
    for (const pricing of [
      { prompt: "-1", completion: "-1" },
      { ...base, request: "0.01" },
      { ...base, image: "0.004" },
      { ...base, internal_reasoning: "0.00002" },
      { ...base, overrides: [{ utc_start: "0800", utc_end: "1600", prompt: "0.000001" }] },
      { prompt: "free", completion: "0" },
    ]) {
      const document = { data: [{ id: "vendor/model", pricing }] };
      assert.equal(refreshPrices(BUILT_IN_PRICES, { kind: "openrouter", document }, DAY).ok, false);
    }
  });
});

describe("a refreshed price table", () => {
  it("is kept in the database for the next start", () => {
    withLedger((sql) => {
      assert.equal(loadPrices(sql), BUILT_IN_PRICES);
      const table = modelsDev({ "gpt-7": { cost: { input: 3, output: 9 } } });
      savePrices(sql, table, DAY);
      savePrices(sql, table, DAY);
      assert.deepEqual(loadPrices(sql), table);
    });
  });

  it("gives way to a newer built-in one, and to the built-in one where it cannot be read", () => {
    withLedger((sql) => {
      savePrices(sql, { ...BUILT_IN_PRICES, date: "2020-01-01" }, DAY);
      assert.equal(loadPrices(sql), BUILT_IN_PRICES);
      for (const document of ["{", "{}", "[]"]) {
        sql.run("UPDATE price_snapshot SET document = ?", [document]);
        assert.equal(loadPrices(sql), BUILT_IN_PRICES);
      }
    });
  });
});
