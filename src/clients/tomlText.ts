import { type ConfigObject, type ConfigValue, isTable } from "./configValue.ts";

/** A value as TOML writes it on one line; dates and long integers as they were parsed. Null cannot be said in TOML and is left out of tables. */
export function tomlValue(value: ConfigValue | Date | bigint): string {
  if (typeof value === "string") return tomlString(value);
  if (typeof value === "number") return tomlNumber(value);
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return `[${(value as readonly ConfigValue[]).map(tomlValue).join(", ")}]`;
  const members = membersOf(value as ConfigObject | null);
  return members.length === 0 ? "{}" : `{ ${members.map(([name, one]) => tomlLine([name], one)).join(", ")} }`;
}

function tomlNumber(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Object.is(value, -0) ? "-0.0" : String(value);
}

/** `name = value`, the name dotted where it has several parts. */
export function tomlLine(path: readonly string[], value: ConfigValue): string {
  return `${tomlKey(path)} = ${tomlValue(value)}`;
}

/** A key of one or several parts, quoted where it must be. */
export function tomlKey(path: readonly string[]): string {
  return path.map((name) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : tomlString(name))).join(".");
}

/** The lines of a table: its header and its members, the inner ones inline. */
export function tomlTable(path: readonly string[], table: ConfigObject): readonly string[] {
  return [`[${tomlKey(path)}]`, ...membersOf(table).map(([name, value]) => tomlLine([name], value))];
}

function membersOf(table: ConfigObject | null): readonly (readonly [string, ConfigValue])[] {
  return isTable(table) ? Object.entries(table).filter(([, value]) => value !== null) : [];
}

/** The escapes of TOML's basic strings are those of JSON, but for DEL, which it wants escaped too. */
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
