import { ApiError } from "../wire/errors.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { spoken } from "../wire/retryBait.ts";

/**
 * The refusal of one field of a request.
 *
 * @param param where the field stands, such as `messages[3].content`
 * @param requirement what it has to be, as the end of a sentence that begins with the field
 */
export function refusedField(param: string, requirement: string): ApiError {
  // An index could read like a status (`messages[429]`), which opencode takes for a reason to ask again.
  return new ApiError("invalid_request", `${param.replaceAll(/\[\d+\]/g, "[]")} ${requirement}`, {
    param: spoken(param, param.replaceAll(/\[\d+\]/g, "[]")),
  });
}

/** Whether a field counts as not sent: clients write null for that too. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** A string, perhaps an empty one. Throws `invalid_request`. */
export function requiredText(value: unknown, param: string): string {
  if (typeof value !== "string") throw refusedField(param, "must be a string.");
  return value;
}

/** A string with something in it. Throws `invalid_request`. */
export function requiredName(value: unknown, param: string): string {
  if (typeof value !== "string" || value === "") throw refusedField(param, "must be a string that is not empty.");
  return value;
}

/** A string, or undefined where the field is absent. Throws `invalid_request`. */
export function optionalText(value: unknown, param: string): string | undefined {
  return isAbsent(value) ? undefined : requiredText(value, param);
}

/** A boolean, or undefined where the field is absent. Throws `invalid_request`. */
export function optionalBoolean(value: unknown, param: string): boolean | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value !== "boolean") throw refusedField(param, "must be true or false.");
  return value;
}

/** An object. Throws `invalid_request`. */
export function requiredObject(value: unknown, param: string): JsonObject {
  if (!isJsonObject(value)) throw refusedField(param, "must be an object.");
  return value;
}

/** An object, or undefined where the field is absent. Throws `invalid_request`. */
export function optionalObject(value: unknown, param: string): JsonObject | undefined {
  return isAbsent(value) ? undefined : requiredObject(value, param);
}

/** A list, empty where the field is absent. Throws `invalid_request`. */
export function optionalList(value: unknown, param: string): readonly unknown[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) throw refusedField(param, "must be a list.");
  return value;
}
