import { ClientError } from "./clientError.ts";
import { type ConfigPath, type ConfigValue, isTable } from "./configValue.ts";
import { linesOf } from "./lineDiff.ts";
import { textStyle } from "./textStyle.ts";

/**
 * The little of YAML that is edited: plain keys at the top, and lists of named items under them, in block style. All the rest is not
 * understood and goes along as it is written, so that a changed byte of it is noticed; what could be read in two ways is refused.
 */

/** An item of a list: its first line begins with a dash. */
interface YamlItem {
  readonly lines: readonly string[];
  /** What stands behind `name:`; undefined where it has no such line. */
  readonly name: string | undefined;
}

/** A key at the top with all that belongs to it. */
interface YamlSection {
  readonly key: string;
  /** The line of the key; what is under it, as far as it is no list. */
  readonly lines: readonly string[];
  /** Undefined where what is under it is no list in block style. */
  readonly items: readonly YamlItem[] | undefined;
  /** Blank lines and comments behind it. */
  readonly trailing: readonly string[];
}

interface YamlFile {
  readonly leading: readonly string[];
  readonly sections: readonly YamlSection[];
}

const KEY = /^([A-Za-z_][\w-]*):(?=\s|$)/;
const DASH = /^( *)- /;
const NOTHING = /^\s*(?:#.*)?\s*$/;
const MEMBER = /^( *(?:- )?)([A-Za-z_]\w*): +(.*?)\s*$/;
const DASH_LENGTH = 2;
const OPEN_KEY = /^[A-Za-z_][\w-]*:\s*(?:#.*)?\s*$/;

/** What a file says: sections by their keys, their items by name, everything that is not read as its text. */
export function parseYamlList(text: string): unknown {
  const { leading, sections } = read(text);
  const document = Object.create(null) as Record<string, unknown>;
  const marker = leading.filter((line) => !NOTHING.test(line));
  if (marker.length > 0) document["---"] = marker.join("");
  for (const { key, lines, items } of sections) {
    document[key] = items === undefined ? scalarOf(key, lines) : { ...bodyOf(lines), ...itemsOf(items) };
  }
  return document;
}

/** Puts a scalar at the top, or an item, whose value has its name, into a list, behind those that are there. */
export function setYamlList(text: string, [key = "", name]: ConfigPath, value: ConfigValue): string {
  const { lineEnd } = textStyle(text);
  // What is added behind a last line without an end begins a line of its own, and ends as that did.
  const isOpen = text !== "" && !text.endsWith("\n");
  const file = read(isOpen ? text + lineEnd : text);
  const old = file.sections.find((one) => one.key === key) ?? { key, lines: [], items: [], trailing: [] };
  const section = name === undefined ? withScalar(old, value, lineEnd) : withItem(old, name, value, lineEnd);
  const isThere = file.sections.includes(old);
  const sections = isThere ? file.sections.map((one) => (one === old ? section : one)) : [...file.sections, section];
  const written = textOf({ ...file, sections });
  return isOpen ? written.slice(0, -lineEnd.length) : written;
}

/** Takes out a section, or an item of a list. */
export function removeYamlList(text: string, [key = "", name]: ConfigPath): string {
  const file = read(text);
  const sections = file.sections.map((section) => {
    if (section.key !== key) return section;
    if (name === undefined) return { ...section, lines: [], items: [] };
    const place = section.items?.findIndex((one) => one.name === name) ?? -1;
    return place < 0 ? section : { ...section, items: section.items?.toSpliced(place, 1) };
  });
  return textOf({ ...file, sections });
}

/** How an item, or a section, is written; undefined where there is none. */
export function yamlSource(text: string, [key = "", name]: ConfigPath): string | undefined {
  const section = read(text).sections.find((one) => one.key === key);
  if (name === undefined) return section?.items === undefined ? section?.lines.join("") : undefined;
  return section?.items?.find((one) => one.name === name)?.lines.join("");
}

/** Writes an item that is there in exactly this way, as deep as its list is now; undefined where there is none. */
export function setYamlSource(text: string, [key = "", name]: ConfigPath, source: string): string | undefined {
  const file = read(text);
  const section = file.sections.find((one) => one.key === key);
  const place = section?.items?.findIndex((one) => one.name === name) ?? -1;
  if (section?.items === undefined || name === undefined || place < 0) return undefined;
  const depth = DASH.exec(section.items[place]?.lines[0] ?? "")?.[1] ?? "";
  const own = DASH.exec(source)?.[1] ?? "";
  const lines = linesOf(source).map((line) => (line.trim() === "" ? line : depth + line.slice(own.length)));
  const changed = { ...section, items: section.items.with(place, { name, lines }) };
  return textOf({ ...file, sections: file.sections.map((one) => (one === section ? changed : one)) });
}

function withScalar(section: YamlSection, value: ConfigValue, lineEnd: string): YamlSection {
  return { ...section, lines: [`${section.key}: ${JSON.stringify(value)}${lineEnd}`], items: undefined };
}

function withItem(section: YamlSection, name: string, value: ConfigValue, lineEnd: string): YamlSection {
  const { key, items } = section;
  if (!isTable(value) || value["name"] !== name) throw new TypeError("an item of a list has its own name");
  if (items === undefined) throw new ClientError(`"${key}" is no list in block style there: use --mode copy.`);
  const indent = DASH.exec(items[0]?.lines[0] ?? "")?.[1] ?? "  ";
  const lines = Object.entries(value).map(
    ([member, one], index) => `${indent}${index === 0 ? "- " : "  "}${member}: ${JSON.stringify(one)}${lineEnd}`,
  );
  const place = items.findIndex((one) => one.name === name);
  const item = { name, lines };
  return {
    ...section,
    lines: section.lines.length === 0 ? [`${key}:${lineEnd}`] : section.lines,
    items: place < 0 ? [...items, item] : items.with(place, item),
  };
}

function read(text: string): YamlFile {
  const lines = linesOf(text);
  const starts = lines.flatMap((line, index) => (KEY.test(line) ? [index] : []));
  const leading = lines.slice(0, starts[0] ?? lines.length);
  const isUnclear =
    leading.some((line) => !NOTHING.test(line) && !/^---\s*$/.test(line)) ||
    // Keeping chomping makes blank lines behind a text a part of it.
    lines.some((line) => /^ *\t/.test(line) || /[|>]\d?\+\d?\s*(?:#.*)?\s*$/.test(line)) ||
    lines.slice(starts[0]).some((line) => /^[^\s#]/.test(line) && !KEY.test(line) && !DASH.test(line));
  const sections = starts.map((start, index) => sectionOf(lines.slice(start, starts[index + 1] ?? lines.length)));
  if (isUnclear || new Set(sections.map(({ key }) => key)).size < sections.length) {
    throw new ClientError("It is YAML of a kind that is not edited: use --mode copy.");
  }
  return { leading, sections };
}

function sectionOf(lines: readonly string[]): YamlSection {
  const key = KEY.exec(lines[0] ?? "")?.[1] ?? "";
  const end = lines.findLastIndex((line) => !NOTHING.test(line) || /^\s+#/.test(line)) + 1;
  const [own, trailing] = [lines.slice(0, end), lines.slice(end)];
  const first = own.findIndex((line, index) => index > 0 && !NOTHING.test(line));
  const indent = first < 0 ? "" : DASH.exec(own[first] ?? "")?.[1];
  if (indent === undefined || !OPEN_KEY.test(own[0] ?? "")) return { key, lines: own, items: undefined, trailing };
  const starts = own.flatMap((line, index) =>
    first >= 0 && index >= first && line.startsWith(`${indent}- `) ? [index] : [],
  );
  const items = starts.map((start, index) => itemOf(own.slice(start, starts[index + 1] ?? own.length)));
  return { key, lines: own.slice(0, starts[0] ?? own.length), items, trailing };
}

function itemOf(lines: readonly string[]): YamlItem {
  const depth = depthOf(lines);
  for (const line of lines) {
    const [, lead, key, source] = line.includes("name:") ? (MEMBER.exec(line) ?? []) : [];
    if (key !== "name" || lead?.length !== depth) continue;
    const name = plain(source ?? "");
    return { lines, name: typeof name === "string" ? name : undefined };
  }
  return { lines, name: undefined };
}

/** How far in an item's members stand. */
function depthOf([first = ""]: readonly string[]): number {
  return (DASH.exec(first)?.[1]?.length ?? 0) + DASH_LENGTH;
}

/** The members of an item that stand on a line each; the rest by its text. */
function membersOf(lines: readonly string[]): Record<string, unknown> {
  const depth = depthOf(lines);
  const members = Object.create(null) as Record<string, unknown>;
  const others: string[] = [];
  for (const line of lines.filter((one) => !NOTHING.test(one))) {
    const [, lead, key, source] = MEMBER.exec(line) ?? [];
    if (lead?.length === depth && key !== undefined && !Object.hasOwn(members, key)) members[key] = plain(source ?? "");
    // Without the list's own indent, which is not the item's.
    else others.push(line.slice(depth - DASH_LENGTH));
  }
  if (others.length > 0) members[""] = others.join("");
  return members;
}

/** What we write is JSON; another program may have written it anew without quotes. */
function plain(source: string): unknown {
  // Failing to parse is slow, and most of what others write is no JSON.
  if (!/^(?:["[{\d-]|true$|false$|null$)/.test(source)) return source.replace(/^'(.*)'$/, "$1");
  try {
    return JSON.parse(source);
  } catch {
    return source.replace(/^'(.*)'$/, "$1");
  }
}

function scalarOf(key: string, [first = "", ...others]: readonly string[]): unknown {
  return others.length === 0 ? plain(first.slice(key.length + 1).trim()) : [first, ...others].join("");
}

function bodyOf([, ...lines]: readonly string[]): object {
  const others = lines.filter((line) => !NOTHING.test(line));
  return others.length === 0 ? {} : { "": others.join("") };
}

function itemsOf(items: readonly YamlItem[]): object {
  const named = Object.create(null) as Record<string, unknown>;
  let unnamed = 0;
  for (const { lines, name } of items) {
    if (name !== undefined && !Object.hasOwn(named, name)) named[name] = membersOf(lines);
    else named[`#${(unnamed += 1)}`] = lines.join("");
  }
  return named;
}

function textOf({ leading, sections }: YamlFile): string {
  return [
    ...leading,
    ...sections.flatMap(({ lines, items = [], trailing }) => [
      ...lines,
      ...items.flatMap((item) => item.lines),
      ...trailing,
    ]),
  ].join("");
}
