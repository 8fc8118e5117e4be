import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { invalidType, rejectUnknown, requiredText } from "./codexFieldRules.ts";
import { badRequest } from "./refusal.ts";

const PART_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["input_text", ["text"]],
  ["input_image", ["image_url", "file_id", "detail"]],
  ["input_file", ["file_id", "filename", "file_data", "file_url", "detail"]],
  ["output_text", ["text", "annotations", "logprobs"]],
  ["refusal", ["refusal"]],
]);

const INPUT_TYPES = ["input_text", "input_image", "input_file"];
const OUTPUT_TYPES = ["output_text", "refusal"];

/** The content of a message: a text, or parts that its role may have. Throws a RefusedError (400). */
export function checkParts(content: unknown, place: string, role: "user" | "developer" | "assistant"): void {
  if (typeof content === "string") return;
  checkList(content, place, role === "assistant" ? OUTPUT_TYPES : INPUT_TYPES);
}

/** The output of a tool: a text, or parts. Throws a RefusedError (400). */
export function checkOutputParts(output: unknown, place: string): void {
  if (typeof output === "string") return;
  checkList(output, place, INPUT_TYPES);
}

function checkList(parts: unknown, place: string, types: readonly string[]): void {
  if (!Array.isArray(parts)) throw invalidType(place, "one of an array of objects or string", parts);
  for (const [index, part] of parts.entries()) checkPart(part, `${place}[${index}]`, types);
}

function checkPart(part: unknown, place: string, types: readonly string[]): void {
  if (!isJsonObject(part)) throw invalidType(place, "an object", part);
  const type = requiredText(part, place, "type");
  if (!types.includes(type)) {
    const supported = types.map((one) => `'${one}'`).join(types.length > 2 ? ", " : " and ");
    throw badRequest(
      `Invalid value: '${type.slice(0, 50)}'. Supported values are: ${supported}.`,
      `${place}.type`,
      "invalid_value",
    );
  }
  if ("prompt_cache_breakpoint" in part)
    throw badRequest("prompt_cache_breakpoint is not supported on this model", `${place}.prompt_cache_breakpoint`);
  rejectUnknown(part, place, ["type", ...(PART_FIELDS.get(type) ?? [])]);
  checkValues(part, type, place);
}

function checkValues(part: JsonObject, type: string, place: string): void {
  switch (type) {
    case "input_text":
    case "output_text":
      requiredText(part, place, "text");
      break;
    case "refusal":
      requiredText(part, place, "refusal");
      break;
    case "input_image":
      if (part["file_id"] === undefined) requiredText(part, place, "image_url");
      break;
    case "input_file":
      if (typeof part["file_data"] === "string" && !part["file_data"].startsWith("data:"))
        throw badRequest(
          `Invalid '${place}.file_data'. Expected a base64-encoded data URL with a MIME type.`,
          `${place}.file_data`,
          "invalid_value",
        );
      break;
    default:
      break;
  }
}
