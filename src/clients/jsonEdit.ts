import { ClientError } from "./clientError.ts";
import type { ConfigPath, ConfigValue } from "./configValue.ts";
import { type JsonDialect, type JsonMember, type JsonNode, type JsonObjectNode, parseJsonTree } from "./jsonTree.ts";
import { lineAfter, lineStart, spliced, type TextRange, type TextStyle, textStyle } from "./textStyle.ts";

const LONGEST_INLINE = 80;

/** Puts a value at a path, and leaves every other byte. Throws a `ClientError` where something else than an object is on the way. */
export function setJson(text: string, path: ConfigPath, value: ConfigValue, dialect: JsonDialect): string {
  const style = textStyle(text);
  const root = parseJsonTree(text, dialect);
  if (root === undefined) return withFirstObject(text, nested(path, value), style);
  let node: JsonNode = root;
  for (const [depth, name] of path.entries()) {
    if (node.type !== "object") {
      throw new ClientError(`"${path.slice(0, depth).join(".")}" is no object there: make it one, or remove it.`);
    }
    const member = memberOf(node, name);
    if (member === undefined) {
      return withMember(text, node, name, nested(path.slice(depth + 1), value), style, dialect);
    }
    node = member.value;
  }
  return spliced(text, node.start, node.end, replacement(text, node, value, style));
}

/** As the old value was written: on one line, where it was a list on one line, or the file has one only. */
function replacement(text: string, node: JsonNode, value: ConfigValue, style: TextStyle): string {
  if (!text.includes("\n")) return compact(value);
  const isOneLine = !text.slice(node.start, node.end).includes("\n");
  if (node.type === "array" && isOneLine && Array.isArray(value)) {
    return `[${(value as readonly ConfigValue[]).map(compact).join(", ")}]`;
  }
  return pretty(value, lineIndent(text, node.start), style);
}

/** Takes out what is at a path, with its comma; nothing changes where there is nothing. */
export function removeJson(text: string, path: ConfigPath, dialect: JsonDialect): string {
  let node: JsonNode | undefined = parseJsonTree(text, dialect);
  for (const name of path.slice(0, -1)) {
    if (node?.type !== "object") return text;
    node = memberOf(node, name)?.value;
  }
  if (node?.type !== "object") return text;
  const member = memberOf(node, path.at(-1) ?? "");
  return member === undefined ? text : withoutMember(text, node, member);
}

/** Where the value at a path is written. */
export function jsonRange(text: string, path: ConfigPath, dialect: JsonDialect): TextRange | undefined {
  let node: JsonNode | undefined = parseJsonTree(text, dialect);
  for (const name of path) node = node?.type === "object" ? memberOf(node, name)?.value : undefined;
  return node;
}

/** Of members of the same name the last one counts, for all parsers. */
function memberOf(node: JsonObjectNode, name: string): JsonMember | undefined {
  return node.members.findLast((member) => member.name === name);
}

function nested(path: ConfigPath, value: ConfigValue): ConfigValue {
  return path.reduceRight<ConfigValue>((inner, name) => ({ [name]: inner }), value);
}

function withFirstObject(text: string, value: ConfigValue, style: TextStyle): string {
  const comments = text.trimEnd();
  const lead = comments === "" ? "" : `${comments}${style.lineEnd}`;
  return `${lead}${pretty(value, "", style)}${style.lineEnd}`;
}

function withMember(
  text: string,
  object: JsonObjectNode,
  name: string,
  value: ConfigValue,
  style: TextStyle,
  dialect: JsonDialect,
): string {
  const last = object.members.at(-1);
  const inside = text.slice(object.start, object.end);
  const shownName = nameText(text, object, name, dialect);
  if (last === undefined) return withOnlyMember(text, object, shownName, value, style);
  const end = last.value.end;
  const comma = last.comma === undefined ? "," : "";
  const behind = last.comma === undefined ? end : last.comma + 1;
  if (!inside.includes("\n")) {
    const place = behind + text.slice(behind, object.end - 1).trimEnd().length;
    const trailing = last.comma === undefined ? "" : ",";
    const shown = inline(text, value) ?? pretty(value, lineIndent(text, object.start), style);
    const withNew = spliced(text, place, place, ` ${shownName}: ${shown}${trailing}`);
    return spliced(withNew, end, end, comma);
  }
  const indent = indentOf(text, object, style);
  const member = `${indent}${shownName}: ${pretty(value, indent, style)}${last.comma === undefined ? "" : ","}`;
  const place = endOfLineOf(text, behind, object.end - 1);
  const withNew = spliced(text, place, place, `${style.lineEnd}${member}`);
  return spliced(withNew, end, end, comma);
}

function withOnlyMember(
  text: string,
  object: JsonObjectNode,
  shownName: string,
  value: ConfigValue,
  style: TextStyle,
): string {
  const outer = lineIndent(text, object.start);
  const inside = text.slice(object.start + 1, object.end - 1);
  const content = inside.trimEnd();
  const isOneLineFile = !text.includes("\n") && object.start > 0;
  if (isOneLineFile && content === "")
    return spliced(text, object.start, object.end, `{${shownName}: ${compact(value)}}`);
  const indent = outer + style.indent;
  const member = `${style.lineEnd}${indent}${shownName}: ${pretty(value, indent, style)}${style.lineEnd}${outer}`;
  return spliced(text, object.start + 1 + content.length, object.end - 1, member);
}

/** Where the rest of the line with the last member ends, its comment included; the object may end on the same line. */
function endOfLineOf(text: string, behind: number, limit: number): number {
  const newline = text.indexOf("\n", behind);
  const end = newline < 0 || newline > limit ? limit : newline;
  const rest = text.slice(behind, end).trimEnd();
  // A block comment that goes on in the next line is passed by.
  const isOpen = rest.lastIndexOf("/*") > rest.lastIndexOf("*/") && !/^\s*\/\//.test(rest);
  return isOpen ? behind : behind + rest.length;
}

/** The indentation of members: that of the first one that begins a line. */
function indentOf(text: string, object: JsonObjectNode, style: TextStyle): string {
  for (const member of object.members) {
    const lead = text.slice(lineStart(text, member.start), member.start);
    if (lead.trim() === "" && lineStart(text, member.start) > object.start) return lead;
  }
  const outer = lineIndent(text, object.start);
  return outer + style.indent;
}

function nameText(text: string, object: JsonObjectNode, name: string, dialect: JsonDialect): string {
  const first = object.members[0];
  const isBare = dialect === "json5" && first !== undefined && !/["']/.test(text[first.start] ?? "");
  return isBare && /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function withoutMember(text: string, object: JsonObjectNode, member: JsonMember): string {
  const index = object.members.indexOf(member);
  const previous = object.members[index - 1];
  const isLast = index === object.members.length - 1;
  const end = member.comma === undefined ? member.value.end : member.comma + 1;
  if (object.members.length === 1 && text.slice(object.start + 1, member.start).trim() === "") {
    const rest = text.slice(end, object.end - 1);
    if (rest.trim() === "") return spliced(text, object.start + 1, object.end - 1, "");
  }
  const start = lineStart(text, member.start);
  const ownsStart = text.slice(start, member.start).trim() === "";
  const after = lineAfter(text, end);
  const ownsEnd = text.slice(end, after).trim() === "" && after < object.end;
  const isCommaLeft = isLast && member.comma === undefined && previous?.comma !== undefined;
  // What stands behind it on its line stood behind the one before.
  if (isCommaLeft && !ownsEnd && text.slice(previous.comma + 1, member.start).trim() === "") {
    return spliced(text, previous.comma, end, "");
  }
  const from = ownsStart && ownsEnd ? start : member.start;
  const to = ownsStart && ownsEnd ? after : end + (/^[ \t]*/.exec(text.slice(end, object.end - 1))?.[0].length ?? 0);
  const without = spliced(text, from, to, "");
  return isCommaLeft ? spliced(without, previous.comma, previous.comma + 1, "") : without;
}

/** On one line: in a file of one line as that has it, elsewhere with blanks, and only what is short. */
function inline(text: string, value: ConfigValue): string | undefined {
  if (!text.includes("\n")) return compact(value);
  const spaced = JSON.stringify(value, undefined, 1).replaceAll(/\n\s*/g, " ");
  return spaced.length <= LONGEST_INLINE ? spaced : undefined;
}

function compact(value: ConfigValue): string {
  return JSON.stringify(value);
}

function pretty(value: ConfigValue, indent: string, style: TextStyle): string {
  return JSON.stringify(value, undefined, style.indent).replaceAll("\n", `${style.lineEnd}${indent}`);
}

function lineIndent(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset)))?.[0] ?? "";
}
