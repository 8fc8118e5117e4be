import * as z from "zod/mini";

import type { PriceTable } from "./prices.ts";

const rate = z.number().check(z.nonnegative());
const optionalRate = z.nullable(rate);

const rates = z.object({
  input: rate,
  cachedInput: optionalRate,
  cacheWrite: optionalRate,
  cacheWriteLong: optionalRate,
  output: rate,
});

const modelPrice = z.object({
  rates,
  longContext: z.array(z.object({ aboveInputTokens: rate, rates: z.nullable(rates) })),
  fast: z.nullable(z.object({ multiplier: rate, longContext: z.boolean() })),
  slow: optionalRate,
  source: z.number(),
});

const models = z.record(z.string(), modelPrice);
const aliases = z.record(z.string(), z.string());

const priceTable = z.object({
  date: z.string(),
  sources: z.array(z.object({ name: z.string(), licence: z.string(), date: z.string() })),
  models: z.object({ openai: models, openrouter: models }),
  aliases: z.object({ openai: aliases, openrouter: aliases }),
});

/** Reads a price table back from stored JSON; undefined where it is none. */
export function parsePriceTable(json: string): PriceTable | undefined {
  try {
    const parsed = priceTable.safeParse(JSON.parse(json));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
