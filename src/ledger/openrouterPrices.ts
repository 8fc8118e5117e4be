import * as z from "zod/mini";

import type { LongContext, Rates } from "./prices.ts";
import type { PublishedPrice, PublishedPrices } from "./refreshPrices.ts";

const price = z.optional(z.nullable(z.union([z.string(), z.number()])));

const pricingShape = z.looseObject({
  prompt: price,
  completion: price,
  input_cache_read: price,
  input_cache_write: price,
  internal_reasoning: price,
  request: price,
  image: price,
  discount: price,
  overrides: z.optional(z.nullable(z.array(z.unknown()))),
});

const overrideShape = z.looseObject({
  min_prompt_tokens: z.number().check(z.nonnegative()),
  utc_start: z.optional(z.null()),
  utc_end: z.optional(z.null()),
  prompt: price,
  completion: price,
  input_cache_read: price,
  input_cache_write: price,
});

const modelShape = z.looseObject({ id: z.string(), pricing: pricingShape });
const documentShape = z.looseObject({ data: z.array(z.unknown()) });

type Pricing = z.infer<typeof pricingShape>;

/** Prices are given per token, ours are per million. */
const PER_MILLION = 1_000_000;
/** A rate is kept to this many parts of a dollar per million tokens, so that no digits appear that the text did not have. */
const PARTS = 1_000_000;

/**
 * The prices in the parsed answer of OpenRouter's `GET /models`: decimal strings in US dollars per token. Undefined where it is
 * another document. Models are left out that also cost per request or image, change with the time of day, or have no
 * fixed price (-1).
 */
export function readOpenrouterModels(document: unknown): PublishedPrices | undefined {
  const parsed = documentShape.safeParse(document);
  if (!parsed.success) return undefined;
  const openrouter = new Map<string, PublishedPrice>();
  for (const entry of parsed.data.data) {
    const model = modelShape.safeParse(entry);
    const published = model.success ? readPricing(model.data.pricing) : undefined;
    if (model.success && published !== undefined) openrouter.set(model.data.id, published);
  }
  return { openrouter };
}

function readPricing(pricing: Pricing): PublishedPrice | undefined {
  const extras = [pricing.request, pricing.image, pricing.discount];
  if (extras.some((extra) => extra !== undefined && extra !== null && Number(extra) !== 0)) return undefined;
  const reasoning = perMillion(pricing.internal_reasoning);
  const rates = readRates(pricing);
  if (rates === undefined || (reasoning !== null && reasoning !== 0 && reasoning !== rates.output)) return undefined;
  const longContext: LongContext[] = [];
  for (const entry of pricing.overrides ?? []) {
    const override = overrideShape.safeParse(entry);
    const overridden = override.success ? readRates({ ...pricing, ...override.data }) : undefined;
    if (!override.success || overridden === undefined) return undefined;
    longContext.push({ aboveInputTokens: override.data.min_prompt_tokens, rates: overridden });
  }
  return { rates, longContext: longContext.sort((one, other) => one.aboveInputTokens - other.aboveInputTokens) };
}

function readRates(pricing: Pricing): Rates | undefined {
  const input = perMillion(pricing.prompt);
  const output = perMillion(pricing.completion);
  if (input === null || output === null) return undefined;
  return {
    input,
    cachedInput: perMillion(pricing.input_cache_read),
    cacheWrite: perMillion(pricing.input_cache_write),
    cacheWriteLong: null,
    output,
  };
}

function perMillion(value: string | number | null | undefined): number | null {
  if (value === undefined || value === null || value === "") return null;
  const perToken = Number(value);
  if (!Number.isFinite(perToken) || perToken < 0) return null;
  return Math.round(perToken * PER_MILLION * PARTS) / PARTS;
}
