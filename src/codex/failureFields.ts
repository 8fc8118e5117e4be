import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { listOf, textOf } from "./eventFields.ts";

/** What an upstream's error says, whatever form it came in. */
export interface FailureFields {
  /** Safe to show: without what looks like a credential, and of bounded length. */
  readonly message: string | undefined;
  readonly type: string | undefined;
  readonly code: string | undefined;
  readonly param: string | null;
  /** The error object itself, for what only some errors say. */
  readonly more: JsonObject;
}

const MAX_MESSAGE_CHARACTERS = 4096;
/** JSON Web Tokens, the keys of OpenAI, OpenRouter and Patchbay, refresh tokens, and what stands behind `Bearer`. */
const CREDENTIALS = /\beyJ[\w-]{8,}(?:\.[\w-]*)*|\b(?:sk|rt|pb)[-_][\w.*-]{8,}|\bBearer\s+\S+/gi;

/**
 * Reads an error of the Codex backend: `{"error":{…}}`, FastAPI's `{"detail":…}` (a sentence, an object or a list), a flat
 * `{code,message}`, or an object with none of it.
 */
export function failureFields(body: unknown): FailureFields {
  if (!isJsonObject(body)) return fields({}, undefined);
  const { error, detail } = body;
  if (isJsonObject(error)) return fields(error, error["message"]);
  if (typeof error === "string") return fields(body, body["error_description"] ?? body["message"] ?? error);
  if (isJsonObject(detail)) return fields(detail, detail["message"] ?? detail["msg"] ?? detail["detail"]);
  if (Array.isArray(detail)) return fields({}, listOf(detail).flatMap(invalidField).join("; "));
  if (typeof detail === "string") return fields(body, detail);
  return fields(body, body["message"]);
}

/** A text of the upstream's that is safe to show; undefined where there is nothing in it. */
export function shownMessage(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  return textOf(text.slice(0, MAX_MESSAGE_CHARACTERS).replaceAll(CREDENTIALS, "[redacted]").trim());
}

function fields(from: JsonObject, message: unknown): FailureFields {
  return {
    message: shownMessage(message),
    type: nameOf(from["type"]),
    code: nameOf(from["code"]),
    param: textOf(from["param"]) ?? null,
    more: from,
  };
}

/** A flat `error` event has its own type in the place of the error's. */
function nameOf(value: unknown): string | undefined {
  const name = shownMessage(value);
  return name === "error" || name?.startsWith("response.") === true ? undefined : name;
}

/** FastAPI lists what is wrong with a body as `{loc, msg, type}`. */
function invalidField(item: JsonObject): string[] {
  const message = textOf(item["msg"]);
  if (message === undefined) return [];
  const place = Array.isArray(item["loc"]) ? item["loc"].filter((part) => part !== "body").join(".") : "";
  return [place === "" ? message : `${place}: ${message}`];
}
