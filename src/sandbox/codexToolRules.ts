import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { invalidType, rejectUnknown, requiredText, tooLong } from "./codexFieldRules.ts";
import { refuseDetail } from "./codexRefusals.ts";
import { responsesTools } from "./offeredTools.ts";
import { badRequest, type RefusedError } from "./refusal.ts";

const LONGEST_NAME = 64;

/** Checks a list of tools, also those within namespaces; none at all is fine. Throws a RefusedError with the words of the backend. */
export function checkTools(tools: unknown, place: string): void {
  if (tools === undefined || tools === null) return;
  if (!Array.isArray(tools)) throw invalidType(place, "an array of objects", tools);
  for (const [index, tool] of tools.entries()) checkTool(tool, `${place}[${index}]`);
}

function checkTool(tool: unknown, place: string): void {
  if (!isJsonObject(tool)) throw invalidType(place, "an object", tool);
  const type = requiredText(tool, place, "type");
  switch (type) {
    case "function":
      rejectUnknown(tool, place, ["type", "name", "description", "parameters", "strict", "defer_loading"]);
      checkName(tool, place);
      checkSchema(tool, place);
      break;
    case "custom":
      rejectUnknown(tool, place, ["type", "name", "description", "format", "defer_loading"]);
      checkName(tool, place);
      checkFormat(tool["format"], `${place}.format`);
      break;
    case "namespace":
      checkName(tool, place);
      checkTools(tool["tools"], `${place}.tools`);
      break;
    case "tool_search":
    case "web_search":
    case "image_generation":
      break;
    default:
      throw refuseDetail(400, `Unsupported tool type: ${type.slice(0, 50)}`);
  }
}

function checkName(tool: JsonObject, place: string): void {
  const name = requiredText(tool, place, "name");
  if (name.length > LONGEST_NAME) throw tooLong(`${place}.name`, name.length, LONGEST_NAME);
  if (/^[\w-]+$/.test(name)) return;
  throw badRequest(
    `Invalid '${place}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
    `${place}.name`,
    "invalid_value",
  );
}

function checkSchema(tool: JsonObject, place: string): void {
  const { parameters, strict } = tool;
  const wrong = (what: string): RefusedError =>
    badRequest(
      `Invalid schema for function '${String(tool["name"])}': In context=(), ${what}.`,
      `${place}.parameters`,
      "invalid_function_parameters",
    );
  if (!isJsonObject(parameters) || parameters["type"] !== "object") throw wrong('schema must have type "object"');
  if (!isJsonObject(parameters["properties"])) throw wrong("object schema missing properties");
  if (strict !== true) return;
  if (parameters["additionalProperties"] !== false)
    throw wrong("'additionalProperties' is required to be supplied and to be false");
  const required: readonly unknown[] = Array.isArray(parameters["required"]) ? parameters["required"] : [];
  const missing = Object.keys(parameters["properties"]).find((name) => !required.includes(name));
  if (missing !== undefined)
    throw wrong(
      `'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'`,
    );
}

function checkFormat(format: unknown, place: string): void {
  if (format === undefined || format === null) return;
  if (!isJsonObject(format)) throw invalidType(place, "an object", format);
  rejectUnknown(format, place, ["type", "syntax", "definition"]);
  if (format["type"] !== "grammar") return;
  requiredText(format, place, "syntax");
  requiredText(format, place, "definition");
}

/** Checks `tool_choice` and that the tools which it names are offered. Throws a RefusedError (400). */
export function checkToolChoice(choice: unknown, tools: unknown, input: readonly unknown[]): void {
  if (choice === undefined || choice === null || choice === "auto" || choice === "none") return;
  const offered = responsesTools(tools, input);
  if (choice === "required") {
    if (offered.length > 0 || (Array.isArray(tools) && tools.length > 0)) return;
    throw badRequest("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice");
  }
  if (!isJsonObject(choice)) throw invalidType("tool_choice", "one of a string or an object", choice);
  const type = requiredText(choice, "tool_choice", "type");
  if (type === "function" || type === "custom") {
    rejectUnknown(choice, "tool_choice", ["type", "name"]);
    const name = requiredText(choice, "tool_choice", "name");
    if (offered.some((tool) => tool.name === name && tool.kind === type)) return;
    throw badRequest(`Tool choice '${type}' not found in 'tools' parameter.`, "tool_choice");
  }
  if (type !== "allowed_tools") return;
  rejectUnknown(choice, "tool_choice", ["type", "mode", "tools"]);
  const allowed: readonly unknown[] = Array.isArray(choice["tools"]) ? choice["tools"] : [];
  for (const [index, tool] of allowed.entries()) {
    const place = `tool_choice.tools[${index}]`;
    if (!isJsonObject(tool)) throw invalidType(place, "an object", tool);
    rejectUnknown(tool, place, ["type", "name", "server_label"]);
  }
}
