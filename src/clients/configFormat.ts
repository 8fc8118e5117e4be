import { parse as parseJsonc, type ParseError } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";
import { ClientError } from "./clientError.ts";
import { type ConfigPath, type ConfigValue, isSameValue } from "./configValue.ts";
import { jsonRange, removeJson, setJson } from "./jsonEdit.ts";
import { type JsonDialect, jsonValueOf, parseJsonTree } from "./jsonTree.ts";
import { spliced, type TextRange } from "./textStyle.ts";
import { removeToml, setToml, tomlRange } from "./tomlEdit.ts";
import { parseTomlTree } from "./tomlTree.ts";
import { invalidYamlLine } from "./invalidYamlLine.ts";
import { parseYamlList, removeYamlList, setYamlList, setYamlSource, yamlSource } from "./yamlList.ts";

/** The formats of configuration files that are edited. */
export type FormatName = "toml" | "yaml" | JsonDialect;

/** How a format is read and edited. All of it throws a `ClientError` where the text is not valid. */
export interface ConfigFormat {
  /** What the text says; an object without members where it says nothing. */
  parse(text: string): unknown;
  set(text: string, path: ConfigPath, value: ConfigValue): string;
  /** How the value at a path is written; undefined where it is not written in one piece. */
  source(text: string, path: ConfigPath): string | undefined;
  /** Writes the value at a path, where there is one in one piece, in exactly this way. */
  setSource(text: string, path: ConfigPath, source: string): string | undefined;
  remove(text: string, path: ConfigPath): string;
}

/** A format by its name. */
export function configFormat(name: FormatName): ConfigFormat {
  switch (name) {
    case "toml":
      return {
        parse: tomlDocument,
        set: setToml,
        source: (text, path) => sourceAt(text, tomlRange(text, path)),
        setSource: (text, path, source) => withSource(text, tomlRange(text, path), source),
        remove: removeToml,
      };
    case "yaml":
      return {
        parse: yamlDocument,
        set: setYamlList,
        source: yamlSource,
        setSource: setYamlSource,
        remove: removeYamlList,
      };
    case "json":
    case "jsonc":
    case "json5":
      return {
        parse: (text) => jsonDocument(text, name),
        set: (text, path, value) => setJson(text, path, value, name),
        source: (text, path) => sourceAt(text, jsonRange(text, path, name)),
        setSource: (text, path, source) => withSource(text, jsonRange(text, path, name), source),
        remove: (text, path) => removeJson(text, path, name),
      };
  }
}

function sourceAt(text: string, range: TextRange | undefined): string | undefined {
  return range === undefined ? undefined : text.slice(range.start, range.end);
}

function withSource(text: string, range: TextRange | undefined, source: string): string | undefined {
  return range === undefined ? undefined : spliced(text, range.start, range.end, source);
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

/** What is edited is little of YAML; that the rest is valid too, another parser says. */
function yamlDocument(text: string): unknown {
  const value = parseYamlList(text);
  const line = invalidYamlLine(text);
  if (line === undefined) return value;
  throw new ClientError(`It is no valid YAML (line ${line}): mend that line first.`);
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
