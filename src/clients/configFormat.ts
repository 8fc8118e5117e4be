import { parse as parseJsonc, type ParseError } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";
import { ClientError } from "./clientError.ts";
import { type ConfigPath, type ConfigValue, isSameValue } from "./configValue.ts";
import { removeJson, setJson } from "./jsonEdit.ts";
import { type JsonDialect, jsonValueOf, parseJsonTree } from "./jsonTree.ts";
import { removeToml, setToml } from "./tomlEdit.ts";
import { parseTomlTree } from "./tomlTree.ts";

/** The formats of configuration files that are edited. */
export type FormatName = "toml" | JsonDialect;

/** How a format is read and edited. All of it throws a `ClientError` where the text is not valid. */
export interface ConfigFormat {
  /** What the text says; an object without members where it says nothing. */
  parse(text: string): unknown;
  set(text: string, path: ConfigPath, value: ConfigValue): string;
  remove(text: string, path: ConfigPath): string;
}

/** A format by its name. */
export function configFormat(name: FormatName): ConfigFormat {
  switch (name) {
    case "toml":
      return { parse: tomlDocument, set: setToml, remove: removeToml };
    case "json":
    case "jsonc":
    case "json5":
      return {
        parse: (text) => jsonDocument(text, name),
        set: (text, path, value) => setJson(text, path, value, name),
        remove: (text, path) => removeJson(text, path, name),
      };
  }
}

/** By another parser than the one that edits, so that neither's mistake goes unnoticed. */
function tomlDocument(text: string): unknown {
  try {
    return parseToml(text, { integersAsBigInt: "asNeeded" });
  } catch (error) {
    // Its message has the line; the other parser's own is shorter.
    parseTomlTree(text);
    throw new ClientError("It is no valid TOML: mend it first.", { cause: error });
  }
}

function jsonDocument(text: string, dialect: JsonDialect): unknown {
  const root = parseJsonTree(text, dialect);
  const value = root === undefined ? {} : jsonValueOf(root);
  if (dialect === "json5" || root === undefined) return value;
  const errors: ParseError[] = [];
  const other: unknown = parseJsonc(text, errors, {
    allowTrailingComma: dialect === "jsonc",
    disallowComments: dialect === "json",
  });
  // It loses members that are named `__proto__`.
  if (errors.length > 0 || (!text.includes("__proto__") && !isSameValue(value, other))) {
    throw new ClientError(`It is no valid ${dialect.toUpperCase()}: mend it first.`);
  }
  return value;
}
