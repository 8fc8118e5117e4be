import { ClientError } from "./clientError.ts";

/** How much of JSON5 a file may use: `jsonc` has comments and trailing commas. */
export type JsonDialect = "json" | "jsonc" | "json5";

/** A value and where it stands: `start` to `end` are offsets in the text, `end` excluded. */
export type JsonNode = JsonObjectNode | JsonArrayNode | JsonScalarNode;

/** An object with its members in order. */
export interface JsonObjectNode {
  readonly type: "object";
  readonly start: number;
  readonly end: number;
  readonly members: readonly JsonMember[];
}

/** One member of an object. `start` is where its name begins. */
export interface JsonMember {
  readonly name: string;
  readonly start: number;
  readonly value: JsonNode;
  /** Where the comma after it is; undefined where there is none. */
  readonly comma: number | undefined;
}

interface JsonArrayNode {
  readonly type: "array";
  readonly start: number;
  readonly end: number;
  readonly elements: readonly JsonNode[];
}

interface JsonScalarNode {
  readonly type: "scalar";
  readonly start: number;
  readonly end: number;
  readonly value: string | number | boolean | null;
}

/** Deeper nesting would overflow the stack. */
const MOST_LEVELS = 500;
const IDENTIFIER = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBERS: Readonly<Record<"strict" | "json5", RegExp>> = {
  strict: /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y,
  json5: /[+-]?(?:0[xX][\da-fA-F]+|Infinity|NaN|(?:0|[1-9]\d*)\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y,
};
const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "0": "\0",
};
const STRICT_ESCAPES = '"\\/bfnrt';

/** Parses a document; undefined where there is nothing but blanks and comments. Throws a `ClientError` that names the line. */
export function parseJsonTree(text: string, dialect: JsonDialect): JsonNode | undefined {
  const isJson5 = dialect === "json5";
  let at = 0;

  function fail(where = at): never {
    const line = text.slice(0, where).split("\n").length;
    throw new ClientError(`It is no valid ${dialect.toUpperCase()} (line ${line}): mend that line first.`);
  }

  /** Passes over blanks and comments. */
  function skip(): void {
    for (;;) {
      const character = text[at];
      if (character === undefined) return;
      if (isBlank(character, isJson5)) at += 1;
      else if (character === "/" && dialect !== "json" && text[at + 1] === "/") {
        const end = text.slice(at).search(isJson5 ? /[\n\r\u2028\u2029]/ : /[\n\r]/);
        at = end < 0 ? text.length : at + end;
      } else if (character === "/" && dialect !== "json" && text[at + 1] === "*") {
        const end = text.indexOf("*/", at + 2);
        if (end < 0) fail();
        at = end + 2;
      } else return;
    }
  }

  function value(level: number): JsonNode {
    if (level > MOST_LEVELS) fail();
    const character = text[at];
    if (character === "{") return object(level);
    if (character === "[") return array(level);
    const start = at;
    if (character === '"' || (isJson5 && character === "'")) {
      const content = string();
      return { type: "scalar", start, end: at, value: content };
    }
    const word = matched(/true|false|null/y);
    if (word !== undefined) {
      if (matched(IDENTIFIER) !== undefined) fail(start);
      return { type: "scalar", start, end: at, value: word === "null" ? null : word === "true" };
    }
    const digits = matched(NUMBERS[isJson5 ? "json5" : "strict"]);
    if (digits === undefined || /[\w.]/.test(text[at] ?? "")) fail(start);
    return { type: "scalar", start, end: at, value: numberOf(digits) };
  }

  function object(level: number): JsonObjectNode {
    const start = at;
    const members: JsonMember[] = [];
    at += 1;
    for (;;) {
      skip();
      if (text[at] === "}") {
        if (members.length > 0 && dialect === "json") fail();
        break;
      }
      const nameStart = at;
      const name = memberName();
      skip();
      if (text[at] !== ":") fail();
      at += 1;
      skip();
      const content = value(level + 1);
      skip();
      const comma = text[at] === "," ? at : undefined;
      members.push({ name, start: nameStart, value: content, comma });
      if (comma !== undefined) at += 1;
      else if (text[at] === "}") break;
      else fail();
    }
    at += 1;
    return { type: "object", start, end: at, members };
  }

  function memberName(): string {
    if (text[at] === '"' || (isJson5 && text[at] === "'")) return string();
    const name = isJson5 ? matched(IDENTIFIER) : undefined;
    return name ?? fail();
  }

  function array(level: number): JsonArrayNode {
    const start = at;
    const elements: JsonNode[] = [];
    at += 1;
    for (;;) {
      skip();
      if (text[at] === "]") {
        if (elements.length > 0 && dialect === "json") fail();
        break;
      }
      elements.push(value(level + 1));
      skip();
      if (text[at] === ",") at += 1;
      else if (text[at] === "]") break;
      else fail();
    }
    at += 1;
    return { type: "array", start, end: at, elements };
  }

  function string(): string {
    const quote = text[at];
    const start = at;
    at += 1;
    let content = "";
    for (;;) {
      const character = text[at];
      if (character === undefined || (isJson5 ? /[\n\r]/.test(character) : character < " ")) fail(start);
      at += 1;
      if (character === quote) return content;
      content += character === "\\" ? escaped() : character;
    }
  }

  function escaped(): string {
    const character = text[at] ?? fail();
    at += 1;
    if (character === "u" || (character === "x" && isJson5)) {
      const code = matched(character === "u" ? /[\da-fA-F]{4}/y : /[\da-fA-F]{2}/y) ?? fail();
      return String.fromCharCode(Number.parseInt(code, 16));
    }
    if (!isJson5) return STRICT_ESCAPES.includes(character) ? (ESCAPES[character] ?? character) : fail(at - 1);
    if (character === "\r" && text[at] === "\n") at += 1;
    if (/[\n\r\u2028\u2029]/.test(character)) return "";
    if (/[1-9]/.test(character) || (character === "0" && /\d/.test(text[at] ?? ""))) fail(at - 1);
    return ESCAPES[character] ?? character;
  }

  function matched(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined || found === "") return undefined;
    at += found.length;
    return found;
  }

  skip();
  if (at === text.length) return undefined;
  const root = value(0);
  skip();
  if (at < text.length) fail();
  return root;
}

/** What a tree says, as `JSON.parse` would give it. Of members of the same name the last one counts. */
export function jsonValueOf(node: JsonNode): unknown {
  switch (node.type) {
    case "scalar":
      return node.value;
    case "array":
      return node.elements.map(jsonValueOf);
    case "object": {
      // Without a prototype, so that a member may be named `__proto__`.
      const value = Object.create(null) as Record<string, unknown>;
      for (const member of node.members) value[member.name] = jsonValueOf(member.value);
      return value;
    }
  }
}

function isBlank(character: string, isJson5: boolean): boolean {
  return isJson5 ? /[\s\ufeff]/.test(character) : " \t\n\r".includes(character);
}

function numberOf(digits: string): number {
  const sign = digits.startsWith("-") ? -1 : 1;
  const rest = digits.replace(/^[+-]/, "");
  return sign * Number(rest);
}
