import type { TokenUsage } from "../wire/usage.ts";
import { sandboxCost } from "./prices.ts";
import type { Upstream } from "./refusal.ts";

/** The `usage` object of chat completions and completions. OpenRouter adds what it charged (openrouter.ai/docs, "Usage accounting"). */
export function chatUsage(upstream: Upstream, model: string, tokens: TokenUsage): Record<string, unknown> {
  const input = tokens.uncachedInput + tokens.cachedInput + tokens.cacheWrite;
  const usage = {
    prompt_tokens: input,
    completion_tokens: tokens.output,
    total_tokens: input + tokens.output,
    prompt_tokens_details: {
      cached_tokens: tokens.cachedInput,
      cache_write_tokens: tokens.cacheWrite,
      audio_tokens: 0,
    },
    completion_tokens_details: {
      reasoning_tokens: tokens.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
  if (upstream === "openai") return usage;
  const cost = sandboxCost(model, tokens);
  return {
    ...usage,
    cost: cost.total,
    is_byok: false,
    cost_details: {
      upstream_inference_cost: null,
      upstream_inference_prompt_cost: cost.prompt,
      upstream_inference_completions_cost: cost.completion,
    },
  };
}

/** The `usage` object of Responses. */
export function responsesUsage(upstream: Upstream, model: string, tokens: TokenUsage): Record<string, unknown> {
  const input = tokens.uncachedInput + tokens.cachedInput + tokens.cacheWrite;
  const usage = {
    input_tokens: input,
    input_tokens_details: { cached_tokens: tokens.cachedInput, cache_write_tokens: tokens.cacheWrite },
    output_tokens: tokens.output,
    output_tokens_details: { reasoning_tokens: tokens.reasoning },
    total_tokens: input + tokens.output,
  };
  if (upstream !== "openrouter") return usage;
  const cost = sandboxCost(model, tokens);
  return {
    ...usage,
    cost: cost.total,
    is_byok: false,
    cost_details: {
      upstream_inference_cost: null,
      upstream_inference_input_cost: cost.prompt,
      upstream_inference_output_cost: cost.completion,
    },
  };
}

/** The `usage` object of embeddings. */
export function embeddingsUsage(upstream: Upstream, model: string, input: number): Record<string, unknown> {
  const usage = { prompt_tokens: input, total_tokens: input };
  if (upstream === "openai") return usage;
  const tokens = { uncachedInput: input, cachedInput: 0, cacheWrite: 0, cacheWriteLong: 0, output: 0, reasoning: 0 };
  return { ...usage, cost: sandboxCost(model, tokens).total, is_byok: false };
}
