import * as fc from "fast-check";
import { parse } from "smol-toml";
import type { JsonDialect } from "../../src/clients/jsonTree.ts";

const NAMES = [
  "model",
  "model_provider",
  "model_providers",
  "provider",
  "patchbay",
  "features",
  "openai_base_url",
  "options",
  "a-b",
  "Ünïcode",
  "with space",
  "",
  "__proto__",
  'quo"te',
];

const name = fc.constantFrom(...NAMES);

/** A JSON text in the given dialect: comments, blanks, quotes, commas and line ends as they fall. */
export function jsonText(dialect: JsonDialect): fc.Arbitrary<string> {
  const blanks = ["", " ", "\n", "\n  ", "\r\n\t", "  "];
  const comments = ["// a { comment\n", "/* another, \n one */", " /**/ ", "// {\r\n  "];
  const blank = fc.constantFrom(...blanks, ...(dialect === "json" ? [] : comments));
  const bareName = fc.constantFrom("model", "provider", "$x", "patchbay");
  const shownName =
    dialect === "json5"
      ? fc.oneof(
          name.map((one) => JSON.stringify(one)),
          bareName,
          fc.constant("'model'"),
        )
      : name.map((one) => JSON.stringify(one));
  const scalars = ["1", "-2.5e3", "true", "null", '"text"', '"// no { comment"', '"\\u00e9\\n"'];
  const further = ["0x1F", "+1", ".5", "5.", "'sin\\'gle \"'", '"a\\\nb"', "'\\x41'"];
  const scalar = fc.constantFrom(...scalars, ...(dialect === "json5" ? further : []));
  const { object } = fc.letrec<{ object: string; value: string; array: string }>((tie) => ({
    value: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("object"), tie("array")),
    array: joined(tie("value"), blank, dialect).map((inner) => `[${inner}]`),
    object: joined(
      fc
        .tuple(shownName, blank, blank, tie("value"))
        .map(([key, one, other, value]) => `${key}${one}:${other}${value}`),
      blank,
      dialect,
    ).map((inner) => `{${inner}}`),
  }));
  const document = fc.tuple(blank, object, blank).map((parts) => parts.join(""));
  return fc.oneof({ weight: 9, arbitrary: document }, { weight: 1, arbitrary: blank });
}

function joined(part: fc.Arbitrary<string>, blank: fc.Arbitrary<string>, dialect: JsonDialect): fc.Arbitrary<string> {
  return fc
    .tuple(fc.array(fc.tuple(blank, part, blank), { maxLength: 4 }), blank, fc.boolean())
    .map(([parts, inside, trailing]) => {
      const comma = trailing && parts.length > 0 && dialect !== "json" ? "," : "";
      return parts.map((one) => one.join("")).join(",") + comma + inside;
    });
}

/** A TOML text: comments, blank lines, dotted and quoted keys, inline tables, arrays of tables, line ends as they fall. */
export function tomlText(): fc.Arbitrary<string> {
  const key = fc.constantFrom(
    "model",
    "model_provider",
    "openai_base_url",
    "features.web",
    '"model_providers".corp.name',
    "model_providers.patchbay.name",
    "model_providers.'patchbay'.base_url",
    "model_providers",
    "'quoted key'",
    "unbounded_connection_retries",
    '"ключ"',
  );
  const value = fc.constantFrom(
    "1",
    "0xff",
    "1979-05-27T07:32:00Z",
    '"text # no comment"',
    "'literal \\'",
    '"""\nseveral [lines]\n"""',
    "[1, 2,\n  # inside\n 3]",
    "{ a = 1, b.c = 'x' }",
    "{}",
    "{ patchbay = { name = 'old' }, other = { name = 'x' } }",
    "9223372036854775807",
    "false",
  );
  const header = fc.constantFrom(
    "[model_providers]",
    "[model_providers.patchbay]",
    "[model_providers.patchbay.auth]",
    "[model_providers.corp]",
    "[ features ]",
    "[[rules]]",
    "[rules.inner]",
    '[projects."/home/me/a.b"]',
    "[[model_providers]]",
  );
  const end = fc.constantFrom("", " # note", "   ");
  const pair = fc
    .tuple(fc.constantFrom("", "  "), key, value, end)
    .map(([indent, one, what, rest]) => `${indent}${one} = ${what}${rest}`);
  const line = fc.oneof(
    { weight: 5, arbitrary: pair },
    { weight: 3, arbitrary: fc.tuple(header, end).map((parts) => parts.join("")) },
    { weight: 2, arbitrary: fc.constantFrom("", "# a comment", "   # [not.a.table]") },
  );
  return fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom("\n", "\r\n"), fc.boolean())
    .map(([lines, lineEnd, closed]) => lines.join(lineEnd) + (closed && lines.length > 0 ? lineEnd : ""))
    .filter(isValid);
}

function isValid(text: string): boolean {
  try {
    parse(text, { integersAsBigInt: "asNeeded" });
    return true;
  } catch {
    return false;
  }
}
