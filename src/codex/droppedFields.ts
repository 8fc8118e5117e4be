import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { isAbsent } from "./requestFields.ts";

/** Fields that the translation reads: what they say goes upstream, shapes the answer, or is refused with a sentence. */
const TRANSLATED: ReadonlySet<string> = new Set([
  "audio",
  "function_call",
  "functions",
  "logprobs",
  "messages",
  "modalities",
  "model",
  "n",
  "parallel_tool_calls",
  "prompt_cache_key",
  "reasoning",
  "reasoning_effort",
  "response_format",
  "service_tier",
  "stream",
  "stream_options",
  "tool_choice",
  "tools",
  "user",
  "verbosity",
  "web_search_options",
]);

/** What the API does without the field: leaving it out then changes nothing. */
const DEFAULTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["frequency_penalty", 0],
  ["presence_penalty", 0],
  ["store", false],
  ["temperature", 1],
  ["top_logprobs", 0],
  ["top_p", 1],
]);

/** What a log line takes. */
const PLAIN_NAME = /^[\w.-]{1,64}$/;
const ODD_NAME = "(other)";

/** The names of a chat request's fields that say something and have no counterpart upstream. */
export function unknownFields(body: JsonObject): readonly string[] {
  const names = saying(body).filter((name) => !TRANSLATED.has(name));
  const reasoning = body["reasoning"];
  const details = isJsonObject(reasoning) ? saying(reasoning).filter((name) => name !== "effort") : [];
  return [...names, ...details.map((name) => `reasoning.${name}`)].map(shownName);
}

/** A field's name as a log line takes it: one that is not plain is not told, because the caller may have made it up at any length. */
export function shownName(name: string): string {
  return PLAIN_NAME.test(name) ? name : ODD_NAME;
}

function saying(fields: JsonObject): readonly string[] {
  return Object.keys(fields).filter((name) => {
    const value = fields[name];
    if (isAbsent(value) || (DEFAULTS.has(name) && DEFAULTS.get(name) === value)) return false;
    return typeof value !== "object" || Object.keys(value).length > 0;
  });
}
