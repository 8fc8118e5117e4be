import * as z from "zod/mini";

import type { LongContext, Rates } from "./prices.ts";
import type { PublishedPrice, PublishedPrices } from "./refreshPrices.ts";

const rate = z.number().check(z.nonnegative());

const ratesShape = z.looseObject({
  input: rate,
  output: rate,
  cache_read: z.optional(z.nullable(rate)),
  cache_write: z.optional(z.nullable(rate)),
});

const costShape = z.looseObject({
  ...ratesShape.def.shape,
  reasoning: z.optional(z.nullable(rate)),
  input_audio: z.optional(z.nullable(rate)),
  output_audio: z.optional(z.nullable(rate)),
  tiers: z.optional(z.nullable(z.array(z.unknown()))),
  context_over_200k: z.optional(z.unknown()),
});

const tierShape = z.looseObject({
  ...ratesShape.def.shape,
  tier: z.looseObject({ type: z.literal("context"), size: rate }),
});

const providerShape = z.looseObject({ models: z.record(z.string(), z.unknown()) });
const modelShape = z.looseObject({ cost: costShape });
const documentShape = z.looseObject({ openai: z.optional(providerShape), openrouter: z.optional(providerShape) });

const LEGACY_THRESHOLD_TOKENS = 200_000;

/**
 * The prices in a parsed `api.json` of models.dev: US dollars per million tokens, context tiers that hold above their size.
 * Undefined where it is another document. A model whose price has parts that we cannot express is left out.
 */
export function readModelsDev(document: unknown): PublishedPrices | undefined {
  const parsed = documentShape.safeParse(document);
  if (!parsed.success || (parsed.data.openai === undefined && parsed.data.openrouter === undefined)) return undefined;
  const openai = readModels(parsed.data.openai?.models);
  // Their long-context tier repeats the standard one; fast mode is a multiplier on the model itself.
  for (const model of openai.keys()) if (model.endsWith("-fast")) openai.delete(model);
  return { openai, openrouter: readModels(parsed.data.openrouter?.models) };
}

function readModels(models: Readonly<Record<string, unknown>> | undefined): Map<string, PublishedPrice> {
  const prices = new Map<string, PublishedPrice>();
  for (const [id, model] of Object.entries(models ?? {})) {
    const parsed = modelShape.safeParse(model);
    const price = parsed.success ? readCost(parsed.data.cost) : undefined;
    if (price !== undefined) prices.set(id, price);
  }
  return prices;
}

function readCost(cost: z.infer<typeof costShape>): PublishedPrice | undefined {
  if ((cost.input_audio ?? 0) !== 0 || (cost.output_audio ?? 0) !== 0) return undefined;
  if ((cost.reasoning ?? cost.output) !== cost.output) return undefined;
  const longContext = readTiers(cost);
  return longContext === undefined ? undefined : { rates: readRates(cost), longContext };
}

function readTiers(cost: z.infer<typeof costShape>): LongContext[] | undefined {
  const tiers: LongContext[] = [];
  for (const entry of cost.tiers ?? []) {
    const tier = tierShape.safeParse(entry);
    if (!tier.success) return undefined;
    tiers.push({ aboveInputTokens: tier.data.tier.size, rates: readRates(tier.data) });
  }
  if (tiers.length === 0 && cost.context_over_200k !== undefined && cost.context_over_200k !== null) {
    const legacy = ratesShape.safeParse(cost.context_over_200k);
    if (!legacy.success) return undefined;
    tiers.push({ aboveInputTokens: LEGACY_THRESHOLD_TOKENS, rates: readRates(legacy.data) });
  }
  return tiers.sort((one, other) => one.aboveInputTokens - other.aboveInputTokens);
}

function readRates(rates: z.infer<typeof ratesShape>): Rates {
  return {
    input: rates.input,
    cachedInput: rates.cache_read ?? null,
    cacheWrite: rates.cache_write ?? null,
    cacheWriteLong: null,
    output: rates.output,
  };
}
