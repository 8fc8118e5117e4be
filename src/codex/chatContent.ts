import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { isAbsent, optionalText, refusedField, requiredName, requiredObject, requiredText } from "./requestFields.ts";

/** Thoughts in an assistant's content, as several clients keep them; the backend takes encrypted reasoning items only. */
const THOUGHT_PARTS: ReadonlySet<unknown> = new Set(["thinking", "redacted_thinking", "reasoning"]);

/** The texts of a system or developer message, without empty ones. Throws `invalid_request`. */
export function systemTexts(content: unknown, param: string): readonly string[] {
  if (typeof content === "string") return content === "" ? [] : [content];
  const texts = partList(content, param).map(({ part, param }) => {
    if (part["type"] !== "text") throw refusedField(`${param}.type`, 'must be "text" in a system message.');
    return requiredText(part["text"], `${param}.text`);
  });
  return texts.filter((text) => text !== "");
}

/** The content of a user message as input parts. Throws `invalid_request`. */
export function userParts(content: unknown, param: string): readonly JsonObject[] {
  if (typeof content === "string") return [{ type: "input_text", text: content }];
  const parts = partList(content, param).map(({ part, param }) => inputPart(part, param));
  if (parts.length === 0) throw refusedField(param, "must hold at least one part.");
  return parts;
}

/** The content of an assistant message as output parts; none for null, "" and mere thoughts. Throws `invalid_request`. */
export function assistantParts(content: unknown, param: string): readonly JsonObject[] {
  if (isAbsent(content) || content === "") return [];
  if (typeof content === "string") return [{ type: "output_text", text: content }];
  return partList(content, param).flatMap(({ part, param }) => assistantPart(part, param));
}

/** The content of a tool message as the output of its call: text, or input parts. Throws `invalid_request`. */
export function toolOutput(content: unknown, param: string): string | readonly JsonObject[] {
  if (isAbsent(content)) return "";
  if (typeof content === "string") return content;
  if (isJsonObject(content)) return JSON.stringify(content);
  const parts = partList(content, param).map(({ part, param }) => inputPart(part, param));
  const [first] = parts;
  if (first === undefined) return "";
  return parts.length === 1 && typeof first["text"] === "string" ? first["text"] : parts;
}

function partList(content: unknown, param: string): readonly { readonly part: JsonObject; readonly param: string }[] {
  if (!Array.isArray(content)) throw refusedField(param, "must be a string or a list of content parts.");
  return content.map((part: unknown, index) => {
    const place = `${param}[${index}]`;
    return { part: requiredObject(part, place), param: place };
  });
}

function inputPart(part: JsonObject, param: string): JsonObject {
  switch (part["type"]) {
    case "text":
      return { type: "input_text", text: requiredText(part["text"], `${param}.text`) };
    case "image_url":
      return imagePart(part["image_url"], `${param}.image_url`);
    case "file":
      return filePart(requiredObject(part["file"], `${param}.file`), `${param}.file`);
    case "input_audio":
      throw refusedField(param, "cannot be audio: the ChatGPT backend takes text, images and files.");
    default:
      throw refusedField(`${param}.type`, 'must be "text", "image_url" or "file" here.');
  }
}

/** Responses wants the address flat; the nested `{url}` of chat is refused there. */
function imagePart(image: unknown, param: string): JsonObject {
  if (typeof image === "string") return { type: "input_image", image_url: requiredName(image, param) };
  const fields = requiredObject(image, param);
  const detail = optionalText(fields["detail"], `${param}.detail`);
  return {
    type: "input_image",
    image_url: requiredName(fields["url"], `${param}.url`),
    ...(detail !== undefined && { detail }),
  };
}

function filePart(file: JsonObject, param: string): JsonObject {
  const id = optionalText(file["file_id"], `${param}.file_id`);
  const name = optionalText(file["filename"], `${param}.filename`);
  const data = optionalText(file["file_data"], `${param}.file_data`);
  if (data !== undefined && !data.startsWith("data:")) {
    throw refusedField(
      `${param}.file_data`,
      "must be a data URL that begins with its media type, such as data:application/pdf.",
    );
  }
  if (id === undefined && data === undefined) throw refusedField(param, "needs file_data or file_id.");
  return {
    type: "input_file",
    ...(id !== undefined && { file_id: id }),
    ...(name !== undefined && { filename: name }),
    ...(data !== undefined && { file_data: data }),
  };
}

function assistantPart(part: JsonObject, param: string): readonly JsonObject[] {
  if (THOUGHT_PARTS.has(part["type"])) return [];
  switch (part["type"]) {
    case "text": {
      const text = requiredText(part["text"], `${param}.text`);
      return text === "" ? [] : [{ type: "output_text", text }];
    }
    case "refusal":
      return [{ type: "refusal", refusal: requiredText(part["refusal"], `${param}.refusal`) }];
    default:
      throw refusedField(`${param}.type`, 'must be "text" or "refusal" in an assistant message.');
  }
}
