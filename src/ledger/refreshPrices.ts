import { readModelsDev } from "./modelsDevPrices.ts";
import { readOpenrouterModels } from "./openrouterPrices.ts";
import type { LongContext, ModelPrice, PriceList, PriceSource, PriceTable, Rates } from "./prices.ts";

/** What a published price list says of one model. */
export interface PublishedPrice {
  readonly rates: Rates;
  readonly longContext: readonly LongContext[];
}

/** Published prices by list and model. */
export type PublishedPrices = Readonly<Partial<Record<PriceList, ReadonlyMap<string, PublishedPrice>>>>;

/** A parsed document, and what it claims to be. */
export interface PriceDocument {
  /** `models.dev`: its `api.json`. `openrouter`: the answer of `GET /api/v1/models`. */
  readonly kind: "models.dev" | "openrouter";
  readonly document: unknown;
}

/** The merged table, or why nothing was changed. */
export type PriceRefresh =
  | { readonly ok: true; readonly table: PriceTable; readonly models: number }
  | { readonly ok: false; readonly reason: string };

/**
 * Merges published prices into a table. Models that the document does not mention stay as they were; prices that the
 * table cannot express (audio, per request, by time of day) are left out. A document that is not what it claims to be, or holds
 * no price at all, changes nothing.
 */
export function refreshPrices(table: PriceTable, { kind, document }: PriceDocument, now: number): PriceRefresh {
  const published = kind === "models.dev" ? readModelsDev(document) : readOpenrouterModels(document);
  if (published === undefined)
    return { ok: false, reason: `This is not the price list of ${NAMES[kind]}; prices stay as they were.` };
  const date = new Date(now).toISOString().slice(0, 10);
  const source: PriceSource = { name: NAMES[kind], licence: LICENCES[kind], date };
  const kept = table.sources.findIndex(({ name }) => name === source.name);
  const index = kept === -1 ? table.sources.length : kept;
  const count = (published.openai?.size ?? 0) + (published.openrouter?.size ?? 0);
  if (count === 0)
    return { ok: false, reason: `The price list of ${NAMES[kind]} holds no prices; they stay as they were.` };
  return {
    ok: true,
    models: count,
    table: {
      date,
      sources: table.sources.toSpliced(index, 1, source),
      models: {
        openai: merge(table.models.openai, published.openai, index),
        openrouter: merge(table.models.openrouter, published.openrouter, index),
      },
      aliases: table.aliases,
    },
  };
}

const NAMES = { "models.dev": "models.dev", openrouter: "OpenRouter" } as const;
const LICENCES = { "models.dev": "MIT", openrouter: "facts, no licence needed" } as const;

function merge(
  known: Readonly<Record<string, ModelPrice>>,
  published: ReadonlyMap<string, PublishedPrice> | undefined,
  source: number,
): Readonly<Record<string, ModelPrice>> {
  const merged = new Map(Object.entries(known));
  for (const [model, price] of published ?? []) merged.set(model, mergeModel(merged.get(model), price, source));
  return Object.fromEntries(merged);
}

/**
 * Published lists know nothing of service tiers and 12-hour cache writes, and sometimes nothing of long contexts. What they do
 * not say stays known as long as the base price is the same; after a change it is unknown.
 */
function mergeModel(known: ModelPrice | undefined, published: PublishedPrice, source: number): ModelPrice {
  if (known === undefined) return { ...published, fast: null, slow: null, source };
  const same = known.rates.input === published.rates.input && known.rates.output === published.rates.output;
  return {
    rates: fillIn(published.rates, known.rates, same),
    longContext: mergeLongContext(known, published, same),
    fast: known.fast,
    slow: known.slow,
    source,
  };
}

function mergeLongContext(known: ModelPrice, published: PublishedPrice, same: boolean): readonly LongContext[] {
  if (published.longContext.length === 0) {
    return same
      ? known.longContext
      : known.longContext.map(({ aboveInputTokens }) => ({ aboveInputTokens, rates: null }));
  }
  return published.longContext.map((tier) => {
    const before = known.longContext.find(({ aboveInputTokens }) => aboveInputTokens === tier.aboveInputTokens)?.rates;
    if (tier.rates === null || before === undefined || before === null) return tier;
    return { ...tier, rates: fillIn(tier.rates, before, same) };
  });
}

function fillIn(published: Rates, known: Rates, same: boolean): Rates {
  if (!same) return published;
  return {
    ...published,
    cachedInput: published.cachedInput ?? known.cachedInput,
    cacheWrite: published.cacheWrite ?? known.cacheWrite,
    cacheWriteLong: published.cacheWriteLong ?? known.cacheWriteLong,
  };
}
