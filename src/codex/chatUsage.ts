import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { countOf } from "./eventFields.ts";

/** A Responses usage in the shape of chat completions; undefined where it holds no counts. Details that were not reported are left out. */
export function chatUsage(usage: unknown): JsonObject | undefined {
  if (!isJsonObject(usage)) return undefined;
  const input = countOf(usage["input_tokens"]);
  const output = countOf(usage["output_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  const promptDetails = pick(usage["input_tokens_details"], ["cached_tokens", "cache_write_tokens"]);
  const completionDetails = pick(usage["output_tokens_details"], ["reasoning_tokens"]);
  return {
    prompt_tokens: input ?? 0,
    completion_tokens: output ?? 0,
    total_tokens: countOf(usage["total_tokens"]) ?? (input ?? 0) + (output ?? 0),
    ...(promptDetails === undefined ? {} : { prompt_tokens_details: promptDetails }),
    ...(completionDetails === undefined ? {} : { completion_tokens_details: completionDetails }),
  };
}

function pick(details: unknown, names: readonly string[]): JsonObject | undefined {
  if (!isJsonObject(details)) return undefined;
  const picked = names.flatMap((name) => {
    const value = countOf(details[name]);
    return value === undefined ? [] : [[name, value] as const];
  });
  return picked.length === 0 ? undefined : Object.fromEntries(picked);
}
