import { isJsonObject, type JsonObject } from "../wire/json.ts";

/** What a request to the Codex backend is made of. */
export interface UpstreamBodyParts {
  readonly model: string;
  readonly effort: string | undefined;
  /** Undefined only for Codex itself, which sends its prompt as a developer message. */
  readonly instructions: string | undefined;
  readonly input: readonly JsonObject[];
  readonly rest: JsonObject;
  /** Stable for a conversation: the prompt cache hangs on it. */
  readonly promptCacheKey: string;
}

/** Sent where a caller gives no instructions and none are remembered: the backend insists on some. */
export const DEFAULT_INSTRUCTIONS = "You are a helpful assistant.";

/** Reasoning comes back in this form only, as nothing is stored; without it the next request starts thinking anew. */
const ENCRYPTED_REASONING = "reasoning.encrypted_content";

/** The body of a Responses request as the backend demands it: never stored, always streamed. */
export function upstreamBody(parts: UpstreamBodyParts): JsonObject {
  const { model, effort, instructions, input, rest, promptCacheKey } = parts;
  const reasoning = isJsonObject(rest["reasoning"]) ? rest["reasoning"] : undefined;
  return {
    model,
    ...(instructions === undefined ? {} : { instructions }),
    ...rest,
    input,
    ...(reasoning === undefined && effort === undefined
      ? {}
      : { reasoning: effort === undefined ? withoutEffort(reasoning) : { ...reasoning, effort } }),
    include: withEncryptedReasoning(rest["include"]),
    store: false,
    stream: true,
    prompt_cache_key: promptCacheKey,
  };
}

/** The body of a request to compact a conversation: answered in one piece, and cached by nobody. */
export function compactBody(parts: Omit<UpstreamBodyParts, "effort" | "promptCacheKey">): JsonObject {
  const { model, instructions, input, rest } = parts;
  const { include: _include, ...others } = rest;
  return { model, ...(instructions === undefined ? {} : { instructions }), ...others, input };
}

function withEncryptedReasoning(include: unknown): readonly unknown[] {
  const asked: readonly unknown[] = Array.isArray(include) ? include : [];
  return asked.includes(ENCRYPTED_REASONING) ? asked : [...asked, ENCRYPTED_REASONING];
}

function withoutEffort(reasoning: JsonObject | undefined): JsonObject {
  const { effort: _effort, ...others } = reasoning ?? {};
  return others;
}
