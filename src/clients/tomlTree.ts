import { type AST, parseTOML } from "toml-eslint-parser";
import { ClientError } from "./clientError.ts";
import type { ConfigPath } from "./configValue.ts";

/** What a statement of a TOML file is about. Numbers in a path are places in an array of tables. */
export type TomlPath = readonly (string | number)[];

/** A `key = value`, at the top, in a table or in an inline table. Offsets are of the text, `end` excluded. */
export interface TomlPair {
  readonly path: TomlPath;
  readonly start: number;
  readonly end: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** The pairs of an inline table; undefined where the value is none. */
  readonly inline: readonly TomlPair[] | undefined;
}

/** A `[table]` or one of an `[[array]]`, with its pairs. */
export interface TomlTable {
  readonly path: TomlPath;
  readonly start: number;
  readonly end: number;
  /** Where its header ends. */
  readonly headerEnd: number;
  readonly isArray: boolean;
  readonly pairs: readonly TomlPair[];
}

/** The statements of a file: the pairs before the first table, then the tables. */
export interface TomlTree {
  readonly pairs: readonly TomlPair[];
  readonly tables: readonly TomlTable[];
}

/** Parses a document for editing. Throws a `ClientError` that names the line. */
export function parseTomlTree(text: string): TomlTree {
  let program: AST.TOMLProgram;
  try {
    program = parseTOML(text, { tomlVersion: "1.1" });
  } catch (error) {
    const line = error instanceof Error && "lineNumber" in error ? ` (line ${String(error.lineNumber)})` : "";
    throw new ClientError(`It is no valid TOML${line}: mend that line first.`, { cause: error });
  }
  const body = program.body[0].body;
  return {
    pairs: body.flatMap((node) => (node.type === "TOMLKeyValue" ? [pairOf(node, [])] : [])),
    tables: body.flatMap((node) => (node.type === "TOMLTable" ? [tableOf(node)] : [])),
  };
}

function tableOf(node: AST.TOMLTable): TomlTable {
  return {
    path: node.resolvedKey,
    start: node.range[0],
    end: node.range[1],
    headerEnd: node.key.range[1] + (node.kind === "array" ? 2 : 1),
    isArray: node.kind === "array",
    pairs: node.body.map((pair) => pairOf(pair, node.resolvedKey)),
  };
}

function pairOf(node: AST.TOMLKeyValue, outer: TomlPath): TomlPair {
  const path = [...outer, ...node.key.keys.map((key) => (key.type === "TOMLBare" ? key.name : key.value))];
  const { value } = node;
  return {
    path,
    start: node.range[0],
    end: node.range[1],
    valueStart: value.range[0],
    valueEnd: value.range[1],
    inline: value.type === "TOMLInlineTable" ? value.body.map((pair) => pairOf(pair, path)) : undefined,
  };
}

/** Whether a path is another one or leads into it. */
export function isWithin(path: TomlPath, outer: TomlPath | ConfigPath): boolean {
  return path.length >= outer.length && outer.every((name, index) => path[index] === name);
}
