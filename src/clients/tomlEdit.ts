import { ClientError } from "./clientError.ts";
import { type ConfigObject, type ConfigPath, type ConfigValue, isTable } from "./configValue.ts";
import { lineAfter, lineStart, spliced, type TextRange, textStyle } from "./textStyle.ts";
import { tomlLine, tomlTable, tomlValue } from "./tomlText.ts";
import { isWithin, parseTomlTree, type TomlPair, type TomlTree } from "./tomlTree.ts";

/**
 * Puts a value at a path, and leaves every other byte: an existing value is replaced in its place, a scalar at the top goes before the
 * first table, a table of its own to the end. Throws a `ClientError` where something else than a table is on the way.
 */
export function setToml(text: string, path: ConfigPath, value: ConfigValue): string {
  const tree = parseTomlTree(text);
  const exact = pairsOf(tree).find((pair) => isSame(pair.path, path));
  if (exact !== undefined) return spliced(text, exact.valueStart, exact.valueEnd, tomlValue(value));
  if (partsOf(text, tree, path).length === 0) return inserted(text, tree, path, value);
  const without = removeToml(text, path);
  return inserted(without, parseTomlTree(without), path, value);
}

/** Takes out what is at a path, tables within it included; nothing changes where there is nothing. */
export function removeToml(text: string, path: ConfigPath): string {
  let left = text;
  for (;;) {
    const tree = parseTomlTree(left);
    const range = partsOf(left, tree, path).at(-1);
    if (range === undefined) return left;
    left = spliced(left, range.start, range.end, "");
  }
}

/** Where the value at a path is written, if that is in one piece: a table with a header of its own is not. */
export function tomlRange(text: string, path: ConfigPath): TextRange | undefined {
  const pair = pairsOf(parseTomlTree(text)).find((one) => isSame(one.path, path));
  return pair === undefined ? undefined : { start: pair.valueStart, end: pair.valueEnd };
}

/** All pairs, those of inline tables included. */
function pairsOf(tree: TomlTree): readonly TomlPair[] {
  return [...tree.pairs, ...tree.tables.flatMap((table) => table.pairs)].flatMap(deep);
}

function deep(pair: TomlPair): readonly TomlPair[] {
  return [pair, ...(pair.inline ?? []).flatMap(deep)];
}

function isSame(one: TomlPair["path"], other: ConfigPath): boolean {
  return one.length === other.length && isWithin(one, other);
}

/** What a path consists of, first things first: tables with all that is in them, lines, members of inline tables. */
function partsOf(text: string, tree: TomlTree, path: ConfigPath): readonly TextRange[] {
  const tables = tree.tables.filter((table) => isWithin(table.path, path));
  const others = tree.tables.filter((table) => !tables.includes(table));
  const pairs = [...tree.pairs, ...others.flatMap((table) => table.pairs)];
  return [
    ...tables.map((table) => tableRange(text, table)),
    ...pairs.filter((pair) => isWithin(pair.path, path)).map((pair) => linesRange(text, pair)),
    ...pairs.flatMap((pair) => inlineRanges(text, pair, path)),
  ].toSorted((one, other) => one.start - other.start);
}

function linesRange(text: string, { start, end }: TextRange): TextRange {
  return { start: lineStart(text, start), end: lineAfter(text, end) };
}

/** With the blank line before it, where something is before that. */
function tableRange(text: string, table: TextRange): TextRange {
  const { start, end } = linesRange(text, table);
  const blank = /\n(\r?\n)$/.exec(text.slice(0, start))?.[1]?.length ?? 0;
  return { start: start - blank, end };
}

function inlineRanges(text: string, pair: TomlPair, path: ConfigPath): readonly TextRange[] {
  if (pair.inline === undefined || isWithin(pair.path, path) || !isWithin(path, pair.path)) return [];
  return pair.inline.flatMap((inner, index, all) => {
    if (!isWithin(inner.path, path)) return inlineRanges(text, inner, path);
    const next = all[index + 1];
    if (next !== undefined) return [{ start: inner.start, end: next.start }];
    const previous = all[index - 1];
    if (previous !== undefined) return [{ start: previous.end, end: inner.end }];
    const inside = { start: pair.valueStart + 1, end: pair.valueEnd - 1 };
    const around = text.slice(inside.start, inner.start) + text.slice(inner.end, inside.end);
    return [around.trim() === "" ? inside : { start: inner.start, end: inner.end }];
  });
}

function inserted(text: string, tree: TomlTree, path: ConfigPath, value: ConfigValue): string {
  const around = pairsOf(tree).findLast((pair) => isWithin(path, pair.path));
  if (around !== undefined) return intoInline(text, around, path, value);
  const list = tree.tables.find((table) => table.isArray && isWithin(path, table.path.slice(0, -1)));
  if (list !== undefined) throw inTheWay(list.path.slice(0, -1));
  const root = { path: [], pairs: tree.pairs, headerEnd: undefined };
  const sections = [root, ...tree.tables];
  // What dotted keys have begun can only be gone on with by dotted keys beside them.
  const dotted = sections.find((one) => one.pairs.some((pair) => sharesMore(pair.path, path, one.path.length)));
  if (dotted !== undefined) return intoSection(text, dotted, path, value);
  if (isTable(value)) return withTable(text, path, value);
  const parent = sections.find((one) => isSame(one.path, path.slice(0, -1)));
  if (parent !== undefined) return intoSection(text, parent, path, value);
  return withTable(text, path.slice(0, -1), { [path.at(-1) ?? ""]: value });
}

/** Whether two paths have a further table in common than the one that they stand in. */
function sharesMore(one: TomlPair["path"], other: ConfigPath, depth: number): boolean {
  const shared = depth + 1;
  return one.length > shared && other.length > shared && isWithin(one, other.slice(0, shared));
}

function intoInline(text: string, around: TomlPair, path: ConfigPath, value: ConfigValue): string {
  if (around.inline === undefined) throw inTheWay(around.path);
  const line = tomlLine(path.slice(around.path.length), value);
  const last = around.inline.at(-1);
  if (last === undefined) return spliced(text, around.valueStart, around.valueEnd, `{ ${line} }`);
  return spliced(text, last.end, last.end, `, ${line}`);
}

interface Section {
  readonly path: TomlPair["path"];
  readonly pairs: readonly TomlPair[];
  /** Undefined for what stands before the first table. */
  readonly headerEnd: number | undefined;
}

function intoSection(text: string, section: Section, path: ConfigPath, value: ConfigValue): string {
  const name = path.slice(section.path.length);
  const members = isTable(value) ? Object.entries(value) : [];
  const lines =
    members.length > 0 ? members.map(([inner, one]) => tomlLine([...name, inner], one)) : [tomlLine(name, value)];
  const { lineEnd } = textStyle(text);
  const behind = section.pairs.at(-1)?.end ?? section.headerEnd;
  if (behind === undefined) {
    const block = lines.join(lineEnd) + lineEnd;
    return text === "" ? block : `${block}${/^\r?\n/.test(text) ? "" : lineEnd}${text}`;
  }
  const place = lineAfter(text, behind);
  const isOpen = place === text.length && !text.endsWith("\n");
  return spliced(text, place, place, isOpen ? lineEnd + lines.join(lineEnd) : lines.join(lineEnd) + lineEnd);
}

function withTable(text: string, path: ConfigPath, table: ConfigObject): string {
  const { lineEnd } = textStyle(text);
  const open = text === "" || text.endsWith("\n") ? "" : lineEnd;
  const gap = text === "" || /(?:^|\n)\r?\n$/.test(text) ? "" : lineEnd;
  return `${text}${open}${gap}${tomlTable(path, table).join(lineEnd)}${lineEnd}`;
}

function inTheWay(path: TomlPair["path"]): ClientError {
  return new ClientError(`"${path.join(".")}" is no table there: make it one, or remove it.`);
}
