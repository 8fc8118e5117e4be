import type { TokenUsage } from "../wire/usage.ts";
import { MICROS_PER_DOLLAR } from "../wire/money.ts";

/** US dollars per million tokens. */
export interface SandboxPrice {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly output: number;
}

/** One model that the pretend OpenRouter lists. Any other id is served at the default price. */
export interface PricedModel extends SandboxPrice {
  readonly id: string;
  readonly name: string;
  readonly contextLength: number;
}

/** The pretend OpenRouter's catalogue; prices are in the order of magnitude of real ones and mean nothing. */
export const PRICED_MODELS: readonly PricedModel[] = [
  model("openai/gpt-5.5", "OpenAI: GPT-5.5", 400_000, 5, 0.5, 0, 30),
  model("openai/gpt-5.4-mini", "OpenAI: GPT-5.4 Mini", 400_000, 0.75, 0.075, 0, 4.5),
  model("openai/gpt-6-luna", "OpenAI: GPT-6 Luna", 400_000, 0.1, 0.01, 0.125, 0.5),
  model("anthropic/claude-sonnet-5", "Anthropic: Claude Sonnet 5", 1_000_000, 2, 0.2, 2.5, 10),
  model("google/gemini-3.8-flash", "Google: Gemini 3.8 Flash", 1_000_000, 0.75, 0.075, 0, 3.75),
  model("x-ai/grok-code-fast-1", "xAI: Grok Code Fast 1", 256_000, 0.2, 0.02, 0, 1.5),
  model("qwen/qwen3-coder", "Qwen: Qwen3 Coder", 262_144, 0.3, 0.1, 0, 1),
  model("openai/text-embedding-3-small", "OpenAI: Text Embedding 3 Small", 8192, 0.02, 0.02, 0, 0),
];

const DEFAULT_PRICE: SandboxPrice = { input: 1, cacheRead: 0.1, cacheWrite: 1.25, output: 4 };

/** The price that the pretend OpenRouter charges for a model. */
export function sandboxPrice(id: string): SandboxPrice {
  return PRICED_MODELS.find((model) => model.id === id) ?? DEFAULT_PRICE;
}

/** What the pretend OpenRouter charges, in US dollars: the prompt's part and the completion's. */
export function sandboxCost(id: string, tokens: TokenUsage): { prompt: number; completion: number; total: number } {
  const price = sandboxPrice(id);
  const prompt =
    tokens.uncachedInput * price.input +
    tokens.cachedInput * price.cacheRead +
    tokens.cacheWrite * (price.cacheWrite || price.input);
  const completion = tokens.output * price.output;
  return { prompt: dollars(prompt), completion: dollars(completion), total: dollars(prompt + completion) };
}

/** Micro-dollars to dollars without the digits that binary fractions add. */
function dollars(micros: number): number {
  return Number((micros / MICROS_PER_DOLLAR).toFixed(10));
}

function model(
  id: string,
  name: string,
  contextLength: number,
  input: number,
  cacheRead: number,
  cacheWrite: number,
  output: number,
): PricedModel {
  return { id, name, contextLength, input, cacheRead, cacheWrite, output };
}
