import type { TokenUsage } from "../wire/usage.ts";
import { priceOf } from "./prices.ts";
import type { ModelPrice } from "./prices.ts";

/** What a request is expected to use at most. */
export interface ExpectedRequest {
  readonly bodyBytes: number;
  /** The bound on each answer's output that the request names; undefined where it names none. */
  readonly maxOutputTokens: number | undefined;
  /** How many answers it wants of the same input. */
  readonly answers: number;
  /** As the request names it; null where it names none. */
  readonly serviceTier: string | null;
}

/** English text and code have about four bytes to a token. */
const BYTES_PER_TOKEN = 4;
/** What is reserved for the answer to a request that names no bound. */
export const DEFAULT_OUTPUT_TOKENS = 4_096;

/** The usage of a request that used nothing. */
export const NO_TOKENS: TokenUsage = {
  uncachedInput: 0,
  cachedInput: 0,
  cacheWrite: 0,
  cacheWriteLong: 0,
  output: 0,
  reasoning: 0,
};

/** The tokens that a request is expected to use at most. */
export function expectedTokens(expected: Omit<ExpectedRequest, "serviceTier">): {
  readonly input: number;
  readonly output: number;
} {
  return {
    input: Math.ceil(expected.bodyBytes / BYTES_PER_TOKEN),
    output: (expected.maxOutputTokens ?? DEFAULT_OUTPUT_TOKENS) * expected.answers,
  };
}

/**
 * Micro-dollars to hold for a request before it goes out: nothing comes from a cache, all of it is written to one where that is dearer, and
 * all answers are as long as they may be. Undefined where the model's price is not known (`findPrice` gives null then), or not for this tier
 * or length.
 */
export function estimateCost(price: ModelPrice | null, expected: ExpectedRequest): number | undefined {
  if (price === null) return undefined;
  const { input, output } = expectedTokens(expected);
  // `auto` leaves the tier to the upstream, which charges the standard one unless the account says otherwise.
  const tier = expected.serviceTier === "auto" ? null : expected.serviceTier;
  const uncached = priceOf(price, tier, { ...NO_TOKENS, uncachedInput: input, output });
  if (uncached === null) return undefined;
  return Math.max(uncached, priceOf(price, tier, { ...NO_TOKENS, cacheWrite: input, output }) ?? 0);
}
