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
/** As the last item of an input it asks for one item that stands for all before it. */
const COMPACTION_TRIGGER = "compaction_trigger";

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

/** The input of a request to compact a conversation: the path of its own that there was for it is gone since August 2026. */
export function compactionInput(input: readonly JsonObject[]): readonly JsonObject[] {
  return [...input.filter((item) => item["type"] !== COMPACTION_TRIGGER), { type: COMPACTION_TRIGGER }];
}

/** Whether an input asks for the compaction of what stands in it. */
export function asksForCompaction(input: readonly JsonObject[]): boolean {
  return input.at(-1)?.["type"] === COMPACTION_TRIGGER;
}

function withEncryptedReasoning(include: unknown): readonly unknown[] {
  const asked: readonly unknown[] = Array.isArray(include) ? include : [];
  return asked.includes(ENCRYPTED_REASONING) ? asked : [...asked, ENCRYPTED_REASONING];
}

function withoutEffort(reasoning: JsonObject | undefined): JsonObject {
  const { effort: _effort, ...others } = reasoning ?? {};
  return others;
}
