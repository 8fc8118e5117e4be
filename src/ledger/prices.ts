import { inputTokens } from "../wire/usage.ts";
import type { TokenUsage } from "../wire/usage.ts";
import { BUILT_IN_PRICES } from "./priceTable.ts";
import type { CostSource, UpstreamName } from "./usageRow.ts";

/** US dollars per million tokens, which is the same as micro-dollars per token. Null where a rate is not known. */
export interface Rates {
  readonly input: number;
  readonly cachedInput: number | null;
  /** Cache writes that are kept for 30 minutes. */
  readonly cacheWrite: number | null;
  /** Cache writes that are kept for 12 hours. */
  readonly cacheWriteLong: number | null;
  readonly output: number;
}

/** Rates for the whole of a request with more than so many input tokens; null where it is known only that they differ. */
export interface LongContext {
  readonly aboveInputTokens: number;
  readonly rates: Rates | null;
}

/** What a model costs. */
export interface ModelPrice {
  readonly rates: Rates;
  /** In ascending order; empty where length does not matter. */
  readonly longContext: readonly LongContext[];
  /** The multiplier of fast mode (`priority`), and whether it is known to hold for long contexts; null where it is not known. */
  readonly fast: { readonly multiplier: number; readonly longContext: boolean } | null;
  /** The multiplier of `flex` and `batch`; null where it is not known. */
  readonly slow: number | null;
  /** Where the price comes from: an index into the table's sources. */
  readonly source: number;
}

/** Where prices were read, and under which terms. */
export interface PriceSource {
  readonly name: string;
  readonly licence: string;
  /** The day they were read, as `2026-11-21`. */
  readonly date: string;
}

/** Whose price list holds for an upstream. The Codex backend has none of its own: see `costOf`. */
export type PriceList = "openai" | "openrouter";

/** All known prices; plain data that can be stored as JSON. */
export interface PriceTable {
  /** The day of its newest source, as `2026-11-21`. */
  readonly date: string;
  readonly sources: readonly PriceSource[];
  readonly models: Readonly<Record<PriceList, Readonly<Record<string, ModelPrice>>>>;
  /** Other names of models of the same list. */
  readonly aliases: Readonly<Record<PriceList, Readonly<Record<string, string>>>>;
}

/** A cost in integer micro-dollars, null where it is not known. */
export interface Cost {
  readonly costMicros: number | null;
  readonly costSource: CostSource;
}

const UNKNOWN: Cost = { costMicros: null, costSource: "unknown" };

/**
 * What a request cost. What the upstream says it charged beats the table; what neither knows is unknown.
 *
 * Codex requests are covered by a ChatGPT plan, so nobody charges for them singly. They are given OpenAI's list price of the
 * same tokens, so that budgets hold on every upstream alike.
 */
export function costOf(
  upstream: UpstreamName,
  model: string | null,
  serviceTier: string | null,
  tokens: TokenUsage,
  reportedCostMicros: number | null,
  table: PriceTable = BUILT_IN_PRICES,
): Cost {
  if (reportedCostMicros !== null) return { costMicros: reportedCostMicros, costSource: "upstream" };
  if (model === null) return UNKNOWN;
  const price = findPrice(table, upstream, model);
  const costMicros = price === null ? null : priceOf(price, serviceTier, tokens);
  return costMicros === null ? UNKNOWN : { costMicros, costSource: "price_table" };
}

const DATE_SUFFIX = /-\d{4}-\d{2}-\d{2}$/;

/**
 * The price of a model by its exact id, by an alias, or by what is left of it without a date (`gpt-5.5-2026-04-23` is a
 * snapshot of `gpt-5.5`). No other likeness counts: null where none of these is known.
 */
export function findPrice(table: PriceTable, upstream: UpstreamName, model: string): ModelPrice | null {
  const list = PRICE_LISTS[upstream];
  return lookUp(table, list, model) ?? lookUp(table, list, model.replace(DATE_SUFFIX, ""));
}

const PRICE_LISTS: Readonly<Record<UpstreamName, PriceList>> = {
  openai: "openai",
  codex: "openai",
  openrouter: "openrouter",
};

function lookUp(table: PriceTable, list: PriceList, model: string): ModelPrice | null {
  const aliases = table.aliases[list];
  const name = Object.hasOwn(aliases, model) ? (aliases[model] ?? model) : model;
  const models = table.models[list];
  return Object.hasOwn(models, name) ? (models[name] ?? null) : null;
}

/** Micro-dollars for some tokens, rounded half up; null where a rate that is needed is not known. */
export function priceOf(price: ModelPrice, serviceTier: string | null, tokens: TokenUsage): number | null {
  const tier = price.longContext.findLast(({ aboveInputTokens }) => inputTokens(tokens) > aboveInputTokens);
  const multiplier = tierMultiplier(price, serviceTier, tier !== undefined);
  const rates = tier === undefined ? price.rates : tier.rates;
  if (multiplier === null || rates === null) return null;
  const buckets: readonly (readonly [count: number, rate: number | null])[] = [
    [tokens.uncachedInput, rates.input],
    [tokens.cachedInput, rates.cachedInput],
    [tokens.cacheWrite - tokens.cacheWriteLong, rates.cacheWrite],
    [tokens.cacheWriteLong, rates.cacheWriteLong],
    [tokens.output, rates.output],
  ];
  let sum = 0n;
  for (const [count, rate] of buckets) {
    if (count === 0) continue;
    if (rate === null) return null;
    sum += BigInt(count) * BigInt(Math.round(rate * PARTS));
  }
  return Number((sum * BigInt(Math.round(multiplier * TENTHS)) + HALF) / WHOLE);
}

/** Rates have at most six decimals of a micro-dollar, multipliers one: in whole parts of that size sums are exact. */
const PARTS = 1_000_000;
const TENTHS = 10;
const WHOLE = BigInt(PARTS * TENTHS);
const HALF = WHOLE / 2n;

function tierMultiplier(price: ModelPrice, serviceTier: string | null, isLong: boolean): number | null {
  switch (serviceTier) {
    case null:
    case "default":
    case "standard":
      return 1;
    // OpenAI renamed priority processing to fast mode on 2026-07-30; answers still say `priority`.
    case "priority":
    case "fast":
      return price.fast === null || (isLong && !price.fast.longContext) ? null : price.fast.multiplier;
    case "flex":
    case "batch":
      return price.slow;
    default:
      return null;
  }
}
