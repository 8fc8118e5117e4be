import { isJsonObject, type JsonObject } from "../wire/json.ts";
import {
  optionalBoolean,
  optionalObject,
  optionalText,
  refusedField,
  requiredName,
  requiredObject,
} from "./requestFields.ts";

/** The `text` settings of a Responses request from `response_format` and `verbosity`; undefined where neither says anything. Throws `invalid_request`. */
export function translateTextSettings(body: JsonObject): JsonObject | undefined {
  const format = textFormat(optionalObject(body["response_format"], "response_format"));
  const verbosity = optionalText(body["verbosity"], "verbosity");
  if (format === undefined && verbosity === undefined) return undefined;
  return { ...(format !== undefined && { format }), ...(verbosity !== undefined && { verbosity }) };
}

/**
 * The input with the word "json" in it, without which the backend refuses `json_object`: a system message that asked for JSON has become
 * `instructions`, which does not count. Only the first item is looked at, so that a conversation keeps its beginning when a later
 * message happens to say the word.
 */
export function withJsonWord(input: readonly JsonObject[]): readonly JsonObject[] {
  const content = input[0]?.["content"];
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  const said = parts.some(
    (part) => isJsonObject(part) && part["type"] === "input_text" && /json/i.test(String(part["text"])),
  );
  if (said) return input;
  const reminder = { type: "message", role: "developer", content: [{ type: "input_text", text: "Answer in JSON." }] };
  return [reminder, ...input];
}

function textFormat(format: JsonObject | undefined): JsonObject | undefined {
  if (format === undefined) return undefined;
  switch (format["type"]) {
    case "text":
      return undefined;
    case "json_object":
      return { type: "json_object" };
    case "json_schema":
      return schemaFormat(requiredObject(format["json_schema"], "response_format.json_schema"));
    default:
      throw refusedField("response_format.type", 'must be "text", "json_object" or "json_schema".');
  }
}

function schemaFormat(wanted: JsonObject): JsonObject {
  const param = "response_format.json_schema";
  const description = optionalText(wanted["description"], `${param}.description`);
  return {
    type: "json_schema",
    name: requiredName(wanted["name"], `${param}.name`),
    ...(description !== undefined && { description }),
    schema: requiredObject(wanted["schema"], `${param}.schema`),
    // Absent means false in chat and true in Responses.
    strict: optionalBoolean(wanted["strict"], `${param}.strict`) ?? false,
  };
}
