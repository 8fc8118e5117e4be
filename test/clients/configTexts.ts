import * as fc from "fast-check";
import { parse } from "smol-toml";
import { isMap, parseDocument } from "yaml";
import type { JsonDialect } from "../../src/clients/jsonTree.ts";

const NAMES = [
  "models",
  "providers",
  "agents",
  "defaults",
  "language_models",
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
  const comments = ["// a { comment\n", "/* another, \n one */", " /**/ ", "// {\r\n  ", "/* provider { */\r\n"];
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
  const scalars = ["1", "-2.5e3", "-0", "1e400", "12345678901234567890", "true", "null", '"text"'];
  const texts = ['"// no { comment"', '"/* nor \\" this"', '"\\u00e9\\n\\ud83d\\ude00"', '"😀\u2028"', '""', '"a\\/b"'];
  const further = ["0x1F", "+1", ".5", "5.", "+Infinity", "NaN", "'sin\\'gle \"'", '"a\\\nb"', "'\\x41'", "'it\\v\\0'"];
  const scalar = fc.constantFrom(...scalars, ...texts, ...(dialect === "json5" ? further : []));
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

/** A TOML text: comments, blank lines, dotted and quoted keys, inline tables, arrays of tables, strings, dates and line ends as they fall. */
export function tomlText(): fc.Arbitrary<string> {
  const key = fc.constantFrom(
    "model",
    "model_provider",
    "openai_base_url",
    "features.web",
    "features . unbounded_connection_retries",
    '"model_providers".corp.name',
    "model_providers.patchbay.name",
    "model_providers.'patchbay'.base_url",
    "model_providers.corp.env_http_headers.X-A",
    "model_providers",
    "features",
    "'quoted key'",
    '"a.b"',
    '""',
    "1234",
    "unbounded_connection_retries",
    '"ключ"',
  );
  const value = fc.constantFrom(
    "1",
    "0xff",
    "1_000.5e-3",
    "inf",
    "nan",
    "1979-05-27T07:32:00Z",
    "1979-05-27 07:32:00.5-07:00",
    "1979-05-27",
    "07:32:00",
    '"text # no comment"',
    '"\\u00e9 \\"quoted\\" \\\\"',
    "'literal \\'",
    '"""\nseveral [lines]\n"""',
    '"""\\\n  [not.a.table]\n  a = 1 \\\n"""',
    "'''\n# no comment\n[nor.a.table]\n'''",
    "[1, 2,\n  # inside\n 3]",
    "[ { a = 1 }, { patchbay = 'x', }, ]",
    "{ a = 1, b.c = 'x' }",
    "{\n  a = 1, # of 1.1\n  patchbay = { name = 'old' },\n}",
    "{}",
    "{ patchbay = { name = 'old' }, other = { name = 'x' } }",
    "{ web = true, unbounded_connection_retries = true }",
    "9223372036854775807",
    "false",
  );
  const header = fc.constantFrom(
    "[model_providers]",
    "[model_providers.patchbay]",
    "[model_providers.patchbay.auth]",
    '[ model_providers . "corp" ]',
    "[features]",
    "[ features ]",
    "[[rules]]",
    "[rules.inner]",
    "[[rules.inner2]]",
    '[projects."/home/me/a.b"]',
    "[projects.'C:\\Users\\me']",
    "[[model_providers]]",
    "[profiles.work]",
  );
  const end = fc.constantFrom("", " # note", "   ", "\t# [tab]");
  const pair = fc
    .tuple(fc.constantFrom("", "  ", "\t"), key, fc.constantFrom(" = ", "=", "   =  "), value, end)
    .map((parts) => parts.join(""));
  const line = fc.oneof(
    { weight: 5, arbitrary: pair },
    { weight: 3, arbitrary: fc.tuple(header, end).map((parts) => parts.join("")) },
    { weight: 2, arbitrary: fc.constantFrom("", "# a comment", "   # [not.a.table]", "# model = 1") },
  );
  const lineEnds = fc.oneof(
    fc.constant(["\n"]),
    fc.constant(["\r\n"]),
    fc.array(fc.constantFrom("\n", "\r\n"), { minLength: 2, maxLength: 4 }),
  );
  return fc.tuple(fc.array(line, { maxLength: 20 }), lineEnds, fc.boolean()).map(([lines, ends, closed]) => {
    // What would make the file invalid is left out: names that were given already, tables that are values elsewhere.
    const kept: string[] = [];
    for (const one of lines) if (isValid([...kept, one].join("\n"))) kept.push(one);
    const ended = kept.map((one, index) => [one, ends[index % ends.length] ?? "\n"] as const);
    return ended.map(([one, lineEnd], index) => (closed || index < kept.length - 1 ? one + lineEnd : one)).join("");
  });
}

/** A YAML text as Continue has them: keys at the top, lists of items, blocks, comments, line ends and indents as they fall. */
export function yamlText(): fc.Arbitrary<string> {
  const scalar = fc.constantFrom(
    "v1",
    '"quoted # no comment"',
    "'single: quoted'",
    "http://localhost:11434/v1 # mine",
    "&anchor 5",
    "null",
    "[chat, edit]",
    "{ a: 1 }",
  );
  const name = fc.constantFrom("GPT", '"Patchbay of my own"', "Patchbay gpt-5.5", "'Llama: local'");
  const nested = fc.constantFrom(
    ["roles:", "  - chat", "  - edit"],
    ["template: |", "  text", "", "  models:", "    - name: no item"],
    ["text: >-", "  folded # text", "  - more"],
    ["requestOptions:", "  headers:", "    X-A: b"],
    ["long: first", "  second"],
    ["# a comment", "model: x   # with one"],
  );
  const item = fc
    .tuple(
      fc.oneof({ weight: 4, arbitrary: name }, { weight: 1, arbitrary: fc.constant(undefined) }),
      scalar,
      fc.array(nested, { maxLength: 2 }),
    )
    .map(([named, value, further]) => [
      ...(named === undefined ? ["uses: owner/model"] : [`name: ${named}`]),
      `provider: ${value}`,
      ...further.flat(),
    ])
    .map((lines) => lines.map((line, index) => (line === "" ? "" : `${index === 0 ? "- " : "  "}${line}`)));
  const list = fc
    .tuple(
      fc.array(item, { maxLength: 3 }),
      fc.constantFrom("", "  ", "    "),
      fc.constantFrom([], [""], ["  # a comment"]),
    )
    .map(([items, indent, first]) => [...first, ...items.flat()].map((line) => (line === "" ? "" : indent + line)));
  const section = fc.oneof(
    fc
      .tuple(fc.constantFrom("models", "context", "rules"), list, fc.constantFrom("", " # of mine"))
      .map(([key, lines, end]) => [`${key}:${end}`, ...lines]),
    fc
      .tuple(fc.constantFrom("name", "version", "schema", "models"), scalar)
      .map(([key, value]) => [`${key}: ${value}`]),
    fc.constant(["data: |", "  models:", "  - name: text"]),
    fc.constantFrom(
      ["mcpServers:", "  docs:", "    - 1"],
      ["# a comment"],
      [""],
      ["---"],
      ["'quoted': 1"],
      ["models: []"],
    ),
  );
  return fc
    .tuple(fc.array(section, { maxLength: 6 }), fc.constantFrom("\n", "\r\n"), fc.boolean())
    .map(([sections, lineEnd, closed]) => {
      const kept: string[] = [];
      for (const one of sections) if (isYaml([...kept, ...one].join("\n"))) kept.push(...one);
      return kept.join(lineEnd) + (closed && kept.length > 0 ? lineEnd : "");
    });
}

function isYaml(text: string): boolean {
  const document = parseDocument(text);
  return document.errors.length === 0 && (document.contents === null || isMap(document.contents));
}

function isValid(text: string): boolean {
  try {
    parse(text, { integersAsBigInt: "asNeeded" });
    return true;
  } catch {
    return false;
  }
}
