import { safeParse } from "zod/mini";
import type { output, ZodMiniType } from "zod/mini";
import { badRequest } from "./refusal.ts";

const MAXIMUM_DEPTH = 128;

/** Parses a request body that has to be a JSON object. Throws a RefusedError (400) on anything else, also on absurd nesting. */
export function parseJsonObject(bytes: Uint8Array): Record<string, unknown> {
  const text = new TextDecoder().decode(bytes);
  if (nesting(text) > MAXIMUM_DEPTH) throw badRequest(`The JSON body is nested deeper than ${MAXIMUM_DEPTH} levels.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest("We could not parse the JSON body of your request.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badRequest("The body of your request must be a JSON object.");
  return value as Record<string, unknown>;
}

/** Checks the fields that the sandbox reads. Throws a RefusedError (400) that names the first wrong one. */
export function checkFields<Schema extends ZodMiniType>(
  schema: Schema,
  fields: Record<string, unknown>,
): output<Schema> {
  const checked = safeParse(schema, fields);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const path = issue?.path.map(String).join(".") ?? "";
  const missing = issue?.path.length === 1 && !Object.hasOwn(fields, path);
  throw missing
    ? badRequest(`Missing required parameter: '${path}'.`, path, "missing_required_parameter")
    : badRequest(`Invalid type for '${path}': ${issue?.message ?? "wrong"}.`, path, "invalid_type");
}

function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (quoted) {
      if (character === "\\") index += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, (depth += 1));
    else if (character === "}" || character === "]") depth -= 1;
  }
  return deepest;
}
