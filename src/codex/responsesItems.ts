import { ApiError } from "../wire/errors.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { refusedField } from "./requestFields.ts";

/** A request's input as the Codex backend takes it, and what of it belongs to the instructions. */
export interface InputItems {
  /** The texts of leading system messages. */
  readonly instructions: readonly string[];
  readonly items: readonly JsonObject[];
}

/** Ids of such items come from another store, and the backend, which keeps nothing, does not find them. */
const PLAIN_TYPES: ReadonlySet<string> = new Set([
  "message",
  "reasoning",
  "function_call",
  "function_call_output",
  "custom_tool_call",
  "custom_tool_call_output",
]);

/** Part members that the backend refuses. */
const REFUSED_PART_MEMBERS = ["cache_control", "prompt_cache_breakpoint"];

/**
 * Reads the `input` of a Responses request. Unknown items pass as they came. Throws an `invalid_request` that names the item.
 *
 * @param isNative the caller is Codex itself: only what the backend refuses outright is changed
 */
export function inputItems(input: unknown, isNative: boolean): InputItems {
  if (typeof input === "string") return { instructions: [], items: [message("user", input)] };
  if (!Array.isArray(input)) {
    throw new ApiError("invalid_request", "'input' must be a text or a list of items.", { param: "input" });
  }
  const instructions: string[] = [];
  const items: JsonObject[] = [];
  for (const [index, item] of (input as readonly unknown[]).entries()) {
    if (!isJsonObject(item)) {
      throw refusedField(`input[${index}]`, "must be an object.");
    }
    if (isNative) {
      items.push(item["role"] === "system" ? { ...item, role: "developer" } : item);
      continue;
    }
    const text = items.length === 0 && item["role"] === "system" ? textOf(item["content"]) : undefined;
    if (text !== undefined) instructions.push(text);
    else {
      const kept = plainItem(item);
      if (kept !== undefined) items.push(kept);
    }
  }
  return { instructions, items };
}

/** An item without what speaks of another place; undefined for reasoning that cannot be replayed. */
export function plainItem(item: JsonObject): JsonObject | undefined {
  const type = typeof item["type"] === "string" ? item["type"] : item["role"] === undefined ? undefined : "message";
  if (type === undefined || !PLAIN_TYPES.has(type)) return item;
  const { id: _id, status: _status, ...kept } = item;
  switch (type) {
    case "message":
      return { ...kept, type, ...roleAndContent(kept) };
    case "reasoning":
      return typeof kept["encrypted_content"] === "string" ? { ...kept, summary: kept["summary"] ?? [] } : undefined;
    case "function_call_output":
    case "custom_tool_call_output":
      return { ...kept, output: outputOf(kept["output"]) };
    default:
      return kept;
  }
}

function roleAndContent(item: JsonObject): JsonObject {
  const role = item["role"] === "system" ? "developer" : item["role"];
  const { content } = item;
  if (typeof content === "string") return { role, content: [textPart(role, content)] };
  return Array.isArray(content) ? { role, content: content.map((part: unknown) => plainPart(part, role)) } : { role };
}

function message(role: string, text: string): JsonObject {
  return { type: "message", role, content: [textPart(role, text)] };
}

function textPart(role: unknown, text: string): JsonObject {
  return { type: role === "assistant" ? "output_text" : "input_text", text };
}

function plainPart(part: unknown, role: unknown): unknown {
  if (!isJsonObject(part)) return part;
  const refused = REFUSED_PART_MEMBERS.some((member) => member in part);
  const kept = refused
    ? Object.fromEntries(Object.entries(part).filter(([member]) => !REFUSED_PART_MEMBERS.includes(member)))
    : part;
  if (kept["type"] === "text") return { ...kept, type: role === "assistant" ? "output_text" : "input_text" };
  // The backend takes an assistant's words as output only.
  return role === "assistant" && kept["type"] === "input_text" ? { ...kept, type: "output_text" } : kept;
}

/** A text or a list of parts; anything else as JSON. */
function outputOf(output: unknown): unknown {
  if (typeof output === "string") return output;
  if (Array.isArray(output)) return output.map((part: unknown) => plainPart(part, "user"));
  return output === undefined || output === null ? "" : JSON.stringify(output);
}

/** The text of a message's content; undefined where it holds anything but text. */
function textOf(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part: unknown) => (isJsonObject(part) ? part["text"] : undefined));
  return texts.every((text) => typeof text === "string") ? texts.join("\n\n") : undefined;
}
