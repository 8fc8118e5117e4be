import { badRequest, type RefusedError } from "./refusal.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Throws a RefusedError (400) that names the first field which is not among the known ones. */
export function rejectUnknown(fields: Fields, place: string, known: readonly string[]): void {
  const name = Object.keys(fields).find((one) => !known.includes(one));
  if (name === undefined) return;
  const path = `${place}.${name}`;
  throw badRequest(`Unknown parameter: '${path}'.`, path, "unknown_parameter");
}

/** The text of a field. Throws a RefusedError (400) where there is none. */
export function requiredText(fields: Fields, place: string, name: string): string {
  const path = `${place}.${name}`;
  const value = fields[name];
  if (value === undefined)
    throw badRequest(`Missing required parameter: '${path}'.`, path, "missing_required_parameter");
  if (typeof value === "string") return value;
  throw invalidType(path, "a string", value);
}

/** A field of another type than it should be. */
export function invalidType(path: string, wanted: string, value: unknown): RefusedError {
  const got = value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
  return badRequest(`Invalid type for '${path}': expected ${wanted}, but got ${got} instead.`, path, "invalid_type");
}

/** A text that is longer than the backend takes. */
export function tooLong(path: string, length: number, limit: number): RefusedError {
  return badRequest(
    `Invalid '${path}': string too long. Expected a string with maximum length ${limit}, but got a string with length ${length} instead.`,
    path,
    "string_above_max_length",
  );
}
