import { findPrice, type PriceTable } from "../ledger/prices.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";

/** A model as it is written into a client's configuration. What is not known is undefined. */
export interface ClientModel {
  readonly id: string;
  readonly name: string;
  /** Tokens. */
  readonly contextTokens: number | undefined;
  readonly outputTokens: number | undefined;
  /** US dollars per million tokens. */
  readonly cost: ClientModelCost | undefined;
  /** Tools work with it at the Responses endpoint only. */
  readonly needsResponses: boolean;
  /** Fast and cheap enough for titles and summaries. */
  readonly isSmall: boolean;
}

/** US dollars per million tokens. */
export interface ClientModelCost {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number | undefined;
  readonly cacheWrite: number | undefined;
}

/** Models of OpenRouter that are always offered; `:exacto` chooses providers by how well they call tools. */
const CODING_MODELS = [
  { id: "x-ai/grok-code-fast-1", name: "Grok Code Fast 1", contextTokens: 256_000, outputTokens: 10_000 },
  { id: "qwen/qwen3-coder:exacto", name: "Qwen3 Coder 480B", contextTokens: 262_144, outputTokens: 65_536 },
  { id: "moonshotai/kimi-k2-0905:exacto", name: "Kimi K2", contextTokens: 262_144, outputTokens: 65_536 },
  { id: "z-ai/glm-4.6:exacto", name: "GLM 4.6", contextTokens: 202_752, outputTokens: 65_536 },
] as const;

/** What is offered where the proxy cannot be asked, or offers nothing yet. */
const FALLBACK_MODELS: readonly JsonObject[] = [
  { id: "gpt-5.5", name: "GPT-5.5", upstream: "openai" },
  { id: "gpt-5.4-mini", name: "GPT-5.4 mini", upstream: "openai" },
];

const CONTEXT_TOKENS = 272_000;
const OUTPUT_TOKENS = 128_000;
const PER_MILLION = 1_000_000;
const DECIMALS = 6;
const WORKING_MODEL = /^(?:gpt-[5-9]|o[3-9]|codex)/;
const OTHER_KIND = /audio|realtime|image|tts|transcribe|search|embedding|instruct|chat-latest|review|daybreak/;
const DATED = /-\d{4}-\d{2}-\d{2}$/;
const EFFORTS = /-(?:none|minimal|low|medium|high|xhigh|max)$/;
const RESPONSES_ONLY = /^gpt-(?:5\.[6-9]|[6-9])/;
const SMALL = /mini|nano|luna|fast/;

/**
 * The models to offer to a client, from the entries of `GET /v1/models` and the known prices: those of the ChatGPT plan, then those of
 * OpenAI, both without dated and effort-named doubles, then coding models of OpenRouter, then those that the user named.
 */
export function clientModels(
  entries: readonly JsonObject[],
  prices: PriceTable,
  named: readonly string[] = [],
): readonly ClientModel[] {
  const listed = new Map(entries.map((entry) => [String(entry["id"]), entry]));
  const ownEntries = entries.filter((entry) => isForWork(entry, listed));
  const own = entries.length === 0 ? FALLBACK_MODELS : ownEntries;
  const coding = CODING_MODELS.map((model) => modelOf({ ...listedAs(model.id, listed), ...model }, prices, model));
  const further = named
    .filter((id) => !coding.some((model) => model.id === id) && !own.some((entry) => entry["id"] === id))
    .map((id) => modelOf({ ...listedAs(id, listed), id }, prices));
  return [...own.map((entry) => modelOf(entry, prices)), ...coding, ...further];
}

/** Those whose tools work with chat completions, for clients that ask for nothing else. */
export function chatModels(models: readonly ClientModel[]): readonly ClientModel[] {
  return models.filter(({ needsResponses }) => !needsResponses);
}

/** The model that a client is to work with: the one that was asked for, else the first. */
export function workingModel(models: readonly ClientModel[], asked: string | undefined): string {
  return asked ?? models[0]?.id ?? "gpt-5.5";
}

/** The model for small work beside it, of the same maker where there is one. */
export function smallModel(models: readonly ClientModel[], working: string): string {
  const isSlashed = working.includes("/");
  return models.find((model) => model.isSmall && model.id.includes("/") === isSlashed)?.id ?? working;
}

function isForWork(entry: JsonObject, listed: ReadonlyMap<string, JsonObject>): boolean {
  const id = String(entry["id"]);
  if (entry["upstream"] !== "codex" && entry["upstream"] !== "openai") return false;
  if (!WORKING_MODEL.test(id) || OTHER_KIND.test(id) || DATED.test(id)) return false;
  return !EFFORTS.test(id) || !listed.has(id.replace(EFFORTS, ""));
}

/** A variant (`:exacto`) costs and holds what its model does. */
function listedAs(id: string, listed: ReadonlyMap<string, JsonObject>): JsonObject {
  return listed.get(id) ?? listed.get(id.split(":", 1)[0] ?? id) ?? { upstream: "openrouter" };
}

function modelOf(
  entry: JsonObject,
  prices: PriceTable,
  known: { readonly contextTokens?: number; readonly outputTokens?: number } = {},
): ClientModel {
  const id = String(entry["id"]);
  const isOpenai = entry["upstream"] === "codex" || entry["upstream"] === "openai";
  const provider = isJsonObject(entry["top_provider"]) ? entry["top_provider"] : {};
  return {
    id,
    name: typeof entry["name"] === "string" ? entry["name"] : id,
    contextTokens: count(entry["context_length"]) ?? known.contextTokens ?? (isOpenai ? CONTEXT_TOKENS : undefined),
    outputTokens:
      count(provider["max_completion_tokens"]) ?? known.outputTokens ?? (isOpenai ? OUTPUT_TOKENS : undefined),
    cost: listedCost(entry["pricing"]) ?? knownCost(id, isOpenai, prices),
    needsResponses: entry["upstream"] === "openai" && RESPONSES_ONLY.test(id),
    isSmall: SMALL.test(id),
  };
}

function listedCost(pricing: unknown): ClientModelCost | undefined {
  if (!isJsonObject(pricing)) return undefined;
  const input = perMillion(pricing["prompt"]);
  const output = perMillion(pricing["completion"]);
  if (input === undefined || output === undefined) return undefined;
  const [cacheRead, cacheWrite] = [perMillion(pricing["input_cache_read"]), perMillion(pricing["input_cache_write"])];
  return { input, output, cacheRead, cacheWrite };
}

function knownCost(id: string, isOpenai: boolean, prices: PriceTable): ClientModelCost | undefined {
  const price = findPrice(prices, isOpenai ? "openai" : "openrouter", id.split(":", 1)[0] ?? id);
  if (price === null) return undefined;
  const { input, output, cachedInput, cacheWrite } = price.rates;
  return { input, output, cacheRead: cachedInput ?? undefined, cacheWrite: cacheWrite ?? undefined };
}

/** OpenRouter tells prices as decimal texts, for one token. */
function perMillion(price: unknown): number | undefined {
  const value = typeof price === "string" && price.trim() !== "" ? Number(price) : Number.NaN;
  return Number.isFinite(value) && value >= 0 ? Number((value * PER_MILLION).toFixed(DECIMALS)) : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 ? value : undefined;
}
