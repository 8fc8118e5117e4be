import type { ModelPrice, PriceTable, Rates } from "./prices.ts";

/** OpenAI bills a request with more input than this at the long-context rates; exactly this much is still short. */
const OPENAI_LONG_CONTEXT_TOKENS = 272_000;

const MODELS_DEV = 0;
const OPENAI_PAGES = 1;

interface OpenaiTraits {
  /** Twice the input and cache rates and 1.5 times the output rate above 272 000 input tokens (gpt-5.4 and later). */
  readonly long?: boolean;
  readonly cacheWrite?: number;
  readonly cacheWriteLong?: number;
  readonly fast?: ModelPrice["fast"];
  readonly source?: number;
}

const FAST: ModelPrice["fast"] = { multiplier: 2, longContext: true };
/** Fast mode of gpt-5.4 and gpt-5.5 is not offered for long contexts; for models without them it makes no difference. */
const FAST_SHORT: ModelPrice["fast"] = { multiplier: 2, longContext: false };

function openai(input: number, cachedInput: number | null, output: number, traits: OpenaiTraits = {}): ModelPrice {
  const rates: Rates = {
    input,
    cachedInput,
    // Before gpt-5.6 writing to the cache is free: tokens written are plain input.
    cacheWrite: traits.cacheWrite ?? input,
    cacheWriteLong: traits.cacheWriteLong ?? null,
    output,
  };
  return {
    rates,
    longContext:
      traits.long === true ? [{ aboveInputTokens: OPENAI_LONG_CONTEXT_TOKENS, rates: longRates(rates) }] : [],
    fast: traits.fast ?? null,
    slow: 0.5,
    source: traits.source ?? MODELS_DEV,
  };
}

function longRates(rates: Rates): Rates {
  const double = (rate: number | null): number | null => (rate === null ? null : rate * 2);
  return {
    input: rates.input * 2,
    cachedInput: double(rates.cachedInput),
    cacheWrite: double(rates.cacheWrite),
    cacheWriteLong: double(rates.cacheWriteLong),
    output: rates.output * 1.5,
  };
}

function embedding(input: number): ModelPrice {
  const rates = { input, cachedInput: null, cacheWrite: null, cacheWriteLong: null, output: 0 };
  return { rates, longContext: [], fast: null, slow: 0.5, source: MODELS_DEV };
}

function openrouter(input: number, cachedInput: number | null, cacheWrite: number | null, output: number): ModelPrice {
  const rates = { input, cachedInput, cacheWrite, cacheWriteLong: null, output };
  return { rates, longContext: [], fast: null, slow: null, source: MODELS_DEV };
}

/**
 * Prices known when this version was made. Service-tier multipliers and long-context rules are from OpenAI's pages
 * (openai.com/api-fast-mode, developers.openai.com/api/docs/guides/prompt-caching and the model pages).
 */
export const BUILT_IN_PRICES: PriceTable = {
  date: "2026-10-01",
  sources: [
    { name: "models.dev", licence: "MIT", date: "2026-09-28" },
    { name: "developers.openai.com model pages", licence: "facts, no licence needed", date: "2026-10-01" },
  ],
  models: {
    openai: {
      // OpenAI's model pages; models.dev does not list these yet. Writes for 12 hours cost 2.5 times the input.
      "gpt-6.1-sol": openai(2, 0.1, 10, {
        long: true,
        cacheWrite: 2.5,
        cacheWriteLong: 5,
        fast: FAST,
        source: OPENAI_PAGES,
      }),
      "gpt-6.1-terra": openai(1, 0.05, 5, {
        long: true,
        cacheWrite: 1.25,
        cacheWriteLong: 2.5,
        fast: FAST,
        source: OPENAI_PAGES,
      }),
      // models.dev (MIT): everything below.
      "gpt-6-astra": openai(10, 1, 50, { long: true, cacheWrite: 12.5, fast: FAST }),
      "gpt-6-sol": openai(2, 0.2, 10, { long: true, cacheWrite: 2.5, fast: FAST }),
      "gpt-6-luna": openai(0.1, 0.01, 0.5, { long: true, cacheWrite: 0.125, fast: FAST }),
      "gpt-5.6-sol": openai(4, 0.4, 20, { long: true, cacheWrite: 5, fast: FAST }),
      "gpt-5.6-terra": openai(2, 0.2, 12, { long: true, cacheWrite: 2.5, fast: FAST }),
      "gpt-5.6-luna": openai(0.2, 0.02, 1.2, { long: true, cacheWrite: 0.25, fast: FAST }),
      "gpt-5.5": openai(5, 0.5, 30, { long: true, fast: { multiplier: 2.5, longContext: false } }),
      "gpt-5.4": openai(2.5, 0.25, 15, { long: true, fast: FAST_SHORT }),
      "gpt-5.4-mini": openai(0.75, 0.075, 4.5, { fast: FAST_SHORT }),
      "gpt-5.4-nano": openai(0.2, 0.02, 1.25, { fast: FAST_SHORT }),
      "gpt-5.3-codex": openai(1.75, 0.175, 14),
      "gpt-5.2": openai(1.75, 0.175, 14, { fast: FAST_SHORT }),
      "gpt-5.1": openai(1.25, 0.125, 10, { fast: FAST_SHORT }),
      "gpt-5": openai(1.25, 0.125, 10, { fast: FAST_SHORT }),
      "gpt-5-mini": openai(0.25, 0.025, 2, { fast: { multiplier: 1.8, longContext: false } }),
      "gpt-5-nano": openai(0.05, 0.005, 0.4),
      "gpt-4.1": openai(2, 0.5, 8),
      "gpt-4.1-mini": openai(0.4, 0.1, 1.6),
      "gpt-4.1-nano": openai(0.1, 0.025, 0.4),
      "gpt-4o": openai(2.5, 1.25, 10),
      // The one dated snapshot with a price of its own.
      "gpt-4o-2024-05-13": openai(5, null, 15),
      "gpt-4o-mini": openai(0.15, 0.075, 0.6),
      "text-embedding-3-small": embedding(0.02),
      "text-embedding-3-large": embedding(0.13),
    },
    openrouter: {
      // models.dev (MIT). OpenRouter says what it charged; these stand in where a stream was cut before it did.
      "anthropic/claude-opus-5.5": openrouter(4, 0.2, 5, 20),
      "anthropic/claude-sonnet-5": openrouter(2, 0.2, 2.5, 10),
      "google/gemini-3.8-flash": openrouter(0.75, 0.075, null, 3.75),
      "moonshotai/kimi-k2-0905": openrouter(0.6, null, null, 2.5),
      "qwen/qwen3-coder": openrouter(0.3, 0.1, null, 1),
      "z-ai/glm-4.6": openrouter(0.43, 0.08, null, 1.75),
      "deepseek/deepseek-v4.1-flash": openrouter(0.035, 0.001, null, 0.29),
    },
  },
  aliases: { openai: { "gpt-5.6": "gpt-5.6-sol" }, openrouter: {} },
};
