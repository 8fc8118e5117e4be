import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { invalidType, rejectUnknown, requiredText, tooLong } from "./codexFieldRules.ts";
import { checkPairs } from "./codexPairRules.ts";
import { checkOutputParts, checkParts } from "./codexPartRules.ts";
import { refuseDetail } from "./codexRefusals.ts";
import { checkTools } from "./codexToolRules.ts";
import { badRequest, refuse, type RefusedError } from "./refusal.ts";

const LONGEST_ID = 64;

/** What ids of items begin with; other items' ids are only measured. */
const ID_PREFIXES: ReadonlyMap<string, string> = new Map([
  ["message", "msg"],
  ["reasoning", "rs"],
  ["function_call", "fc"],
  ["custom_tool_call", "ctc"],
]);

// Codex puts it on items for itself, and the backend lets it pass.
const CODEX_FIELD = "internal_chat_message_metadata_passthrough";

const FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["message", ["role", "content", "phase"]],
  ["reasoning", ["summary", "content", "encrypted_content"]],
  ["function_call", ["call_id", "name", "arguments", "namespace"]],
  ["function_call_output", ["call_id", "output"]],
  ["custom_tool_call", ["call_id", "name", "input", "namespace"]],
  ["custom_tool_call_output", ["call_id", "output", "name"]],
  ["additional_tools", ["role", "tools"]],
  ["compaction", ["encrypted_content"]],
  ["compaction_trigger", []],
  ["configuration_update", ["reasoning"]],
]);

/** Checks all items and that calls and outputs belong together. Throws a RefusedError with the words of the backend. */
export function checkInput(input: readonly unknown[], isCodex: boolean): void {
  for (const item of input) {
    if (isJsonObject(item) && item["role"] === "system") throw refuseDetail(400, "System messages are not allowed");
  }
  const items = input.map((item, index) => checkItem(item, `input[${index}]`, isCodex));
  checkPairs(items);
}

function checkItem(item: unknown, place: string, isCodex: boolean): JsonObject {
  if (!isJsonObject(item)) throw invalidType(place, "an object", item);
  const type = itemType(item, place);
  if (type === "item_reference") throw notStored(item);
  if (type === "reasoning" && typeof item["encrypted_content"] !== "string") throw notStored(item);
  checkFieldNames(item, type, place, isCodex);
  checkId(item, type, place);
  switch (type) {
    case "message":
      checkMessage(item, place);
      break;
    case "function_call":
      checkCallId(item, place);
      requiredText(item, place, "name");
      requiredText(item, place, "arguments");
      break;
    case "custom_tool_call":
      checkCallId(item, place);
      requiredText(item, place, "name");
      requiredText(item, place, "input");
      break;
    case "function_call_output":
    case "custom_tool_call_output":
      checkCallId(item, place);
      checkOutputParts(item["output"], `${place}.output`);
      break;
    case "reasoning":
      if (!Array.isArray(item["summary"]))
        throw invalidType(`${place}.summary`, "an array of objects", item["summary"]);
      break;
    case "additional_tools":
      checkTools(item["tools"], `${place}.tools`);
      break;
    case "tool_search_call":
      if (!isJsonObject(item["arguments"])) throw invalidType(`${place}.arguments`, "an object", item["arguments"]);
      break;
    default:
      break;
  }
  return item;
}

/** A message may leave out its type. */
function itemType(item: JsonObject, place: string): string {
  if (item["type"] === undefined && typeof item["role"] === "string") return "message";
  const type = requiredText(item, place, "type");
  if (FIELDS.has(type) || OTHER_TYPES.has(type)) return type;
  throw badRequest(`Invalid value: '${type.slice(0, 50)}'.`, `${place}.type`, "invalid_value");
}

const OTHER_TYPES = new Set([
  "item_reference",
  "web_search_call",
  "image_generation_call",
  "local_shell_call",
  "tool_search_call",
  "tool_search_output",
  "agent_message",
  "context_compaction",
]);

function checkFieldNames(item: JsonObject, type: string, place: string, isCodex: boolean): void {
  const fields = FIELDS.get(type);
  // Calls that the backend made itself come back as they were.
  if (fields === undefined) return;
  // Codex sends back what the backend made with the status that it had (measured with 0.169), so that it must be let through.
  const made = item["role"] === "assistant" || type === "function_call" || type === "custom_tool_call";
  const status = isCodex && made ? ["status"] : [];
  rejectUnknown(item, place, ["type", "id", CODEX_FIELD, ...fields, ...status]);
}

function checkId(item: JsonObject, type: string, place: string): void {
  const { id } = item;
  if (id === undefined || id === null) return;
  if (typeof id !== "string") throw invalidType(`${place}.id`, "a string", id);
  if (id.length > LONGEST_ID) throw tooLong(`${place}.id`, id.length, LONGEST_ID);
  const prefix = ID_PREFIXES.get(type);
  if (prefix === undefined || id.startsWith(prefix)) return;
  throw badRequest(
    `Invalid '${place}.id': '${id}'. Expected an ID that begins with '${prefix}'.`,
    `${place}.id`,
    "invalid_value",
  );
}

function checkCallId(item: JsonObject, place: string): void {
  const id = requiredText(item, place, "call_id");
  if (id.length > LONGEST_ID) throw tooLong(`${place}.call_id`, id.length, LONGEST_ID);
  if (id === "") throw badRequest(`Invalid '${place}.call_id': empty string.`, `${place}.call_id`, "empty_string");
}

function checkMessage(item: JsonObject, place: string): void {
  const role = requiredText(item, place, "role");
  if (role !== "user" && role !== "developer" && role !== "assistant")
    throw badRequest(
      `Invalid value: '${role.slice(0, 50)}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.`,
      `${place}.role`,
      "invalid_value",
    );
  checkParts(item["content"], `${place}.content`, role);
}

/** Nothing is stored here, so that nothing can be pointed at. */
function notStored(item: JsonObject): RefusedError {
  const id = typeof item["id"] === "string" ? item["id"].slice(0, 100) : "";
  return refuse(
    404,
    `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
    null,
    "input",
  );
}
