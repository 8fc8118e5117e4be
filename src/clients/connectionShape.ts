import { isJsonObject } from "../wire/json.ts";
import type { ConnectedFile, Connection } from "./connectionJournal.ts";
import type { Assignment } from "./fileEdit.ts";

type Check = (value: unknown) => boolean;
/** Every member has its check: a missing one does not compile. */
type Shape<Value> = Readonly<Record<keyof Required<Value>, Check>>;

const FORMATS = new Set<unknown>(["toml", "yaml", "json", "jsonc", "json5"]);

const isText: Check = (value) => typeof value === "string";
const isTextOrNull: Check = (value) => value === null || isText(value);
const isTexts: Check = (value) => isListOf(value, isText);

const ASSIGNMENT: Shape<Assignment> = {
  path: isTexts,
  // What was JSON is a value of a configuration.
  value: (value) => value !== undefined,
  mark: (value) => value === undefined || isListOf(value, isTexts),
};

const FILE: Shape<ConnectedFile> = {
  path: isText,
  format: (value) => FORMATS.has(value),
  assignments: (value) => isListOf(value, (one) => has(one, ASSIGNMENT)),
  before: isTextOrNull,
  after: isText,
  madeFolder: isTextOrNull,
};

const isFiles: Check = (value) => isListOf(value, (one) => has(one, FILE));

const CONNECTION: Shape<Connection> = {
  version: (value) => value === 1,
  id: isText,
  client: isText,
  mode: isText,
  project: isTextOrNull,
  origin: isText,
  label: isText,
  keyId: isText,
  model: isTextOrNull,
  named: isTexts,
  isBounded: (value) => typeof value === "boolean",
  connectedAt: (value) => typeof value === "number",
  files: isFiles,
  earlier: isFiles,
  spareKeyIds: (value) => value === undefined || isTexts(value),
};

/**
 * Whether something that was read is a connection as the journal writes it. By hand, since the journal is read in the extension host too,
 * which is shared with every other extension: schema libraries leave things behind in its globals.
 */
export function isConnection(value: unknown): value is Connection {
  return has(value, CONNECTION);
}

function isListOf(value: unknown, check: Check): boolean {
  return Array.isArray(value) && value.every(check);
}

function has<Value>(value: unknown, shape: Shape<Value>): boolean {
  return isJsonObject(value) && Object.entries<Check>(shape).every(([name, check]) => check(value[name]));
}
