import { MICROS_PER_DOLLAR } from "./money.ts";

/**
 * Tokens in disjoint buckets: the four of them add up to everything that was billed, because input tokens are charged
 * at the uncached, the cached or the cache-write rate, never at two of them
 * (developers.openai.com, "Prompt caching": cache-write pricing is not an additive fee).
 */
export interface TokenUsage {
  /** Input at the full rate. */
  readonly uncachedInput: number;
  /** Input read from a prompt cache. */
  readonly cachedInput: number;
  /** Input written to a prompt cache, any retention. */
  readonly cacheWrite: number;
  /** The part of `cacheWrite` with 12-hour retention, which has a rate of its own. */
  readonly cacheWriteLong: number;
  /** Output, reasoning included. */
  readonly output: number;
  /** The part of `output` that was reasoning. */
  readonly reasoning: number;
}

/** What an upstream said a request used, and what it charged where it says so. */
export interface ReportedUsage {
  readonly tokens: TokenUsage;
  /** OpenRouter's `usage.cost`, in integer micro-dollars. */
  readonly costMicros: number | null;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a usage object of chat completions, completions, Responses, embeddings or images, with OpenRouter's extras.
 * Returns undefined where there are no counts in it (`usage: null`, a transcription that is billed by the second).
 */
export function readUsage(usage: unknown): ReportedUsage | undefined {
  if (!isFields(usage)) return undefined;
  const input = count(usage["input_tokens"]) ?? count(usage["prompt_tokens"]);
  const output = count(usage["output_tokens"]) ?? count(usage["completion_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  const inputDetails = fields(usage["input_tokens_details"] ?? usage["prompt_tokens_details"]);
  const outputDetails = fields(usage["output_tokens_details"] ?? usage["completion_tokens_details"]);
  const total = input ?? 0;
  // An upstream that reports more cached than input tokens is wrong somewhere: the buckets must still add up to its input.
  const cachedInput = Math.min(count(inputDetails["cached_tokens"]) ?? 0, total);
  const cacheWrite = Math.min(count(inputDetails["cache_write_tokens"]) ?? 0, total - cachedInput);
  const longWrites = count(fields(inputDetails["cache_write_tokens_details"])["ttl_12h_tokens"]) ?? 0;
  const allOutput = output ?? 0;
  return {
    tokens: {
      uncachedInput: total - cachedInput - cacheWrite,
      cachedInput,
      cacheWrite,
      cacheWriteLong: Math.min(longWrites, cacheWrite),
      output: allOutput,
      reasoning: Math.min(count(outputDetails["reasoning_tokens"]) ?? 0, allOutput),
    },
    costMicros: costMicros(usage["cost"]),
  };
}

/** All input tokens of a usage, whatever their rate. */
export function inputTokens(tokens: TokenUsage): number {
  return tokens.uncachedInput + tokens.cachedInput + tokens.cacheWrite;
}

function costMicros(cost: unknown): number | null {
  if (typeof cost !== "number" || !Number.isFinite(cost) || cost < 0) return null;
  const micros = Math.round(cost * MICROS_PER_DOLLAR);
  return Number.isSafeInteger(micros) ? micros : null;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
