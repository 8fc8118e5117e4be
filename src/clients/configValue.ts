/** A value that is put into a configuration file. */
export type ConfigValue = string | number | boolean | null | readonly ConfigValue[] | ConfigObject;

/** An object, or a table, that is put into a configuration file. */
export interface ConfigObject {
  readonly [name: string]: ConfigValue;
}

/** Names from the outermost to the innermost. */
export type ConfigPath = readonly string[];

/** What is at a path of a parsed document; undefined where there is nothing. */
export function valueAt(document: unknown, path: ConfigPath): unknown {
  let value = document;
  for (const name of path) {
    if (!isTable(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** A copy of a parsed document with another value at a path. What is on the way and is no object is replaced by one. */
export function withValue(document: unknown, path: ConfigPath, value: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  const copy = copyOf(document);
  copy[name] = withValue(copy[name], rest, value);
  return copy;
}

/** A copy of a parsed document with nothing at a path. */
export function withoutValue(document: unknown, path: ConfigPath): unknown {
  const [name, ...rest] = path;
  if (name === undefined || !isTable(document) || !Object.hasOwn(document, name)) return document;
  const copy = copyOf(document);
  if (rest.length === 0) delete copy[name];
  else copy[name] = withoutValue(copy[name], rest);
  return copy;
}

/** Whether two parsed values mean the same; the order of an object's members means nothing. */
export function isSameValue(one: unknown, other: unknown): boolean {
  if (one instanceof Date || other instanceof Date) {
    // The dates of TOML tell in their text whether they have a time or a zone.
    return one instanceof Date && other instanceof Date && one.toISOString() === other.toISOString();
  }
  if (Array.isArray(one) || Array.isArray(other)) {
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((value, index) => isSameValue(value, other[index]))
    );
  }
  if (!isTable(one) || !isTable(other)) return Object.is(one, other);
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSameValue(one[name], other[name]))
  );
}

/** Whether a parsed value is an object or a table. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Without a prototype, so that a member may be named `__proto__`. */
function copyOf(document: unknown): Record<string, unknown> {
  const copy = Object.create(null) as Record<string, unknown>;
  if (isTable(document)) for (const name of Object.keys(document)) copy[name] = document[name];
  return copy;
}
