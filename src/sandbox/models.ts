import { type Exchange, jsonAnswer } from "./exchange.ts";
import { PRICED_MODELS } from "./prices.ts";

// 2026-01-01: the lists do not depend on the clock.
const CREATED = 1_767_225_600;

const OPENAI_MODELS = [
  "gpt-6.1-sol",
  "gpt-6-luna",
  "gpt-5.5",
  "gpt-5.4-mini",
  "gpt-4o-mini",
  "text-embedding-3-small",
  "text-embedding-3-large",
  "gpt-image-1",
  "omni-moderation-latest",
];

/** `GET /models` of the pretend OpenAI. */
export function openAiModels(exchange: Exchange): Response {
  return jsonAnswer(exchange, { object: "list", data: OPENAI_MODELS.map((id) => openAiModelObject(id)) });
}

/** `GET /models/:id` of the pretend OpenAI: every id is a model here. */
export function openAiModel(exchange: Exchange, id: string): Response {
  exchange.entry.model = id;
  return jsonAnswer(exchange, openAiModelObject(id));
}

/** `GET /models` of the pretend OpenRouter, with prices as decimal strings in US dollars per token. */
export function openRouterModels(exchange: Exchange): Response {
  const data = PRICED_MODELS.map((model) => ({
    id: model.id,
    canonical_slug: model.id,
    name: model.name,
    created: CREATED,
    description: "A pretend model of the Patchbay sandbox.",
    context_length: model.contextLength,
    architecture: {
      modality: "text->text",
      input_modalities: ["text"],
      output_modalities: ["text"],
      tokenizer: "Other",
      instruct_type: null,
    },
    pricing: {
      prompt: perToken(model.input),
      completion: perToken(model.output),
      input_cache_read: perToken(model.cacheRead),
      ...(model.cacheWrite > 0 ? { input_cache_write: perToken(model.cacheWrite) } : {}),
      request: "0",
    },
    top_provider: { context_length: model.contextLength, max_completion_tokens: null, is_moderated: false },
    per_request_limits: null,
    supported_parameters: ["max_tokens", "tools", "tool_choice", "response_format", "structured_outputs", "reasoning"],
  }));
  return jsonAnswer(exchange, { data });
}

function openAiModelObject(id: string): Record<string, unknown> {
  return { id, object: "model", created: CREATED, owned_by: "patchbay-sandbox" };
}

const DECIMAL_PLACES = 12;

/** US dollars per million tokens as a decimal string in US dollars per token. */
function perToken(perMillion: number): string {
  return (perMillion / 1_000_000).toFixed(DECIMAL_PLACES).replace(/\.?0+$/, "");
}
