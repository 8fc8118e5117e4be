import { ApiError } from "../wire/errors.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { shownName } from "./droppedFields.ts";
import { inputItems } from "./responsesItems.ts";

/** A Responses request, read for the Codex backend. */
export interface ResponsesReading {
  /** As asked, suffix and all; null where the request names none. */
  readonly model: string | null;
  readonly effort: string | undefined;
  readonly stream: boolean;
  /** A hint at the session; never goes upstream. */
  readonly user: string | undefined;
  readonly promptCacheKey: string | undefined;
  readonly instructions: string | undefined;
  readonly input: readonly JsonObject[];
  /** Everything else that goes upstream as it came, reasoning without its effort. */
  readonly rest: JsonObject;
  /** The names of fields that the backend refuses and that were therefore left out, sorted. */
  readonly dropped: readonly string[];
}

/** Set or read by us. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  "model",
  "instructions",
  "input",
  "stream",
  "store",
  "prompt_cache_key",
  "user",
]);

/** What else the backend takes; anything but these it refuses with "Unsupported parameter" (seen by third parties until August 2026). */
const PASSING_FIELDS: ReadonlySet<string> = new Set([
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "reasoning",
  "include",
  "text",
  "service_tier",
  "client_metadata",
]);

/** What changes the meaning of the request and cannot be had: the backend stores nothing. */
const IMPOSSIBLE_FIELDS: Readonly<Record<string, string>> = {
  previous_response_id: "ChatGPT's Codex backend stores no responses: send the whole conversation in 'input' instead.",
  conversation: "ChatGPT's Codex backend stores no conversations: send the whole conversation in 'input' instead.",
  prompt: "ChatGPT's Codex backend has no stored prompts: send the text in 'instructions' and 'input' instead.",
};

/**
 * Reads a Responses request. Throws an `invalid_request` that names the parameter.
 *
 * @param isNative the caller is Codex itself, which knows what its backend takes: nothing of its request is changed that need not be
 */
export function readResponsesRequest(body: JsonObject, isNative: boolean): ResponsesReading {
  for (const [field, sentence] of Object.entries(IMPOSSIBLE_FIELDS)) {
    if (isGiven(body[field])) throw new ApiError("invalid_request", sentence, { param: field });
  }
  const { instructions: hoisted, items } = inputItems(body["input"], isNative);
  const written = optionalText(body, "instructions");
  const instructions = [written, ...hoisted].filter((text) => text !== undefined && text !== "").join("\n\n");
  const rest: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const [field, value] of Object.entries(body)) {
    if (OWN_FIELDS.has(field) || !isGiven(value)) continue;
    const kept = isNative || PASSING_FIELDS.has(field) ? passing(field, value, isNative) : undefined;
    if (kept !== undefined) rest[field] = kept;
    else if (!isDefault(field, value)) dropped.push(field);
  }
  return {
    model: optionalText(body, "model") || null,
    // As in chat completions, where some callers put it here too.
    effort: optionalText(body, "reasoning_effort") || effortOf(body["reasoning"]),
    stream: body["stream"] === true,
    // An empty one names nobody: all who send it would share a conversation.
    user: optionalText(body, "user") || undefined,
    promptCacheKey: optionalText(body, "prompt_cache_key") || undefined,
    instructions: instructions === "" ? undefined : instructions,
    input: items,
    rest,
    dropped: [...new Set(dropped.map(shownName))].toSorted(),
  };
}

function passing(field: string, value: unknown, isNative: boolean): unknown {
  switch (field) {
    case "service_tier":
      // The backend refuses every other tier.
      return value === "priority" ? value : undefined;
    case "tools":
      return isNative || !Array.isArray(value) ? value : value.map(tool);
    case "tool_choice":
      return isNative ? value : tool(value);
    default:
      return value;
  }
}

/** Tools under the names that the backend knows, with the schema members that it insists on. */
function tool(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  if (typeof value["type"] === "string" && value["type"].startsWith("web_search_preview")) {
    return { ...value, type: "web_search" };
  }
  if (Array.isArray(value["tools"])) return { ...value, tools: value["tools"].map(tool) };
  const parameters = value["parameters"];
  const lacksProperties =
    value["type"] === "function" &&
    isJsonObject(parameters) &&
    parameters["type"] === "object" &&
    parameters["properties"] === undefined;
  return lacksProperties ? { ...value, parameters: { ...parameters, properties: {} } } : value;
}

function effortOf(reasoning: unknown): string | undefined {
  const effort = isJsonObject(reasoning) ? reasoning["effort"] : undefined;
  return typeof effort === "string" ? effort : undefined;
}

function optionalText(body: JsonObject, field: string): string | undefined {
  const value = body[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") {
    throw new ApiError("invalid_request", `'${field}' must be a text.`, { param: field });
  }
  return value;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** What says only what the backend does anyway is not missed. */
function isDefault(field: string, value: unknown): boolean {
  switch (field) {
    case "background":
      return value === false;
    case "truncation":
      return value === "disabled";
    case "service_tier":
      return value === "auto" || value === "default";
    case "metadata":
      return isJsonObject(value) && Object.keys(value).length === 0;
    default:
      return false;
  }
}
