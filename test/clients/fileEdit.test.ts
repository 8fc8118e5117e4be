import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { stringify } from "smol-toml";
import { clientModels } from "../../src/clients/clientModels.ts";
import type { ClientPlace, ConnectionFacts } from "../../src/clients/clientRow.ts";
import { CLIENT_TABLE } from "../../src/clients/clientTable.ts";
import type { FormatName } from "../../src/clients/configFormat.ts";
import { configFormat } from "../../src/clients/configFormat.ts";
import { isSameValue, valueAt } from "../../src/clients/configValue.ts";
import { applyEdit, type FileEdit, undoEdit } from "../../src/clients/fileEdit.ts";
import { linesOf } from "../../src/clients/lineDiff.ts";
import { BUILT_IN_PRICES } from "../../src/ledger/priceTable.ts";
import { jsonText, tomlText, yamlText } from "./configTexts.ts";

const TOML_EDITS: readonly FileEdit[] = [
  { format: "toml", assignments: [{ path: ["openai_base_url"], value: "http://127.0.0.1:8390/k/pb_key/v1" }] },
  {
    format: "toml",
    assignments: [
      { path: ["model_provider"], value: "patchbay" },
      {
        path: ["model_providers", "patchbay"],
        value: {
          name: "Patchbay",
          base_url: "http://127.0.0.1:8390/v1",
          auth: { command: "node", args: ["a b", "c"] },
        },
        mark: [["base_url"]],
      },
      { path: ["features", "unbounded_connection_retries"], value: false },
    ],
  },
];

const JSON_ASSIGNMENTS = [
  {
    path: ["provider", "patchbay"],
    value: { npm: "x", options: { baseURL: "http://127.0.0.1:8390/v1" }, models: { "a/b": { cost: 0.5 } } },
    mark: [["options", "baseURL"]],
  },
  { path: ["model"], value: "patchbay/gpt-5.5" },
];

const FORMATS: readonly (readonly [FormatName, fc.Arbitrary<string>, readonly FileEdit[]])[] = [
  ["toml", tomlText(), TOML_EDITS],
  ...(["json", "jsonc", "json5"] as const).map(
    (format) => [format, jsonText(format), [{ format, assignments: JSON_ASSIGNMENTS }]] as const,
  ),
];

/** Files in which something is in the way are refused; a generator makes those, too. */
function applied(text: string, edit: FileEdit): string | undefined {
  return refusable(() => applyEdit(text, edit));
}

function refusable<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    assert.match(
      String(error),
      /(no table|no object|list of tables|cannot be edited safely|version that is not known|[Uu]se --mode copy)/,
    );
    return undefined;
  }
}

/** Whether a text says what another one says. */
function says(format: FormatName, text: string, other: string): boolean {
  try {
    return isSameValue(configFormat(format).parse(text), configFormat(format).parse(other));
  } catch {
    return false;
  }
}

const PLACE: ClientPlace = { environment: {}, platform: "linux", homeDirectory: "/home/me", project: undefined };
const FACTS: ConnectionFacts = {
  origin: "http://127.0.0.1:8390",
  key: "pb_key",
  keyFile: "/data/keys/x",
  keyCommand: ["/usr/bin/node", "/opt/patch bay/cli.js", "client-key", "x"],
  models: clientModels([], BUILT_IN_PRICES),
  model: undefined,
  isBounded: true,
};

function textsOf(format: FormatName): fc.Arbitrary<string> {
  if (format === "toml") return tomlText();
  return format === "yaml" ? yamlText() : jsonText(format);
}

describe("Connecting and disconnecting a client", function () {
  this.timeout(60_000);
  for (const row of CLIENT_TABLE) {
    for (const { id: mode } of row.modes) {
      const paths = row.reads(PLACE);
      const planOf = (texts: ReadonlyMap<string, string | undefined>) =>
        row.plan({ place: PLACE, mode, texts, facts: FACTS });
      const [known] = planOf(new Map(paths.map((path) => [path, undefined]))).edits;
      if (known === undefined) continue;
      it(`leaves a file of any content as it was: ${row.id}, ${mode}`, () => {
        let connected = 0;
        const text = textsOf(known.format);
        fc.assert(
          fc.property(text, (before) => {
            const texts = new Map(paths.map((path) => [path, path === known.path ? before : undefined]));
            const edit = refusable(() => planOf(texts).edits.find(({ path }) => path === known.path));
            const after = edit === undefined ? undefined : applied(before, edit);
            if (edit === undefined || after === undefined) return;
            connected += 1;
            assert.deepEqual(undoEdit(after, { ...edit, before, after }), { text: before, leftAlone: [] });
          }),
          { numRuns: 150 },
        );
        assert(connected > 40, String(connected));
      });
    }
  }
});

describe("An edit of a configuration file", function () {
  this.timeout(60_000);
  for (const [format, texts, edits] of FORMATS) {
    it(`in ${format} is undone byte for byte, whatever the file`, () => {
      let edited = 0;
      fc.assert(
        fc.property(texts, fc.constantFrom(...edits), (before, edit) => {
          const after = applied(before, edit);
          if (after === undefined) return;
          edited += 1;
          for (const { path, value } of edit.assignments) {
            assert(isSameValue(valueAt(configFormat(format).parse(after), path), value));
          }
          assert.equal(applyEdit(after, edit), after);
          assert.deepEqual(undoEdit(after, { ...edit, before, after }), { text: before, leftAlone: [] });
        }),
        { numRuns: 400 },
      );
      assert(edited > 100);
    });

    // Plain JSON has no comments.
    if (format !== "json")
      it(`in ${format} is taken out to the byte, also after the user added lines around it`, () => {
        let checked = 0;
        const added = format === "toml" ? "# added by the user\n" : "// added by the user\n";
        fc.assert(
          fc.property(texts, fc.constantFrom(...edits), fc.nat(), (before, edit, seed) => {
            const after = applied(before, edit);
            if (after === undefined) return;
            // A comment may go wherever a line of the user's begins that is not in the middle of a text.
            const kept = linesOf(before);
            const place = kept.slice(0, seed % (kept.length + 1)).join("");
            if (!after.startsWith(place) || !/(?:^|\n)$/.test(place)) return;
            const edited = place + added + after.slice(place.length);
            if (!says(format, edited, after)) return;
            checked += 1;
            const undone = undoEdit(edited, { ...edit, before, after });
            assert.deepEqual(undone.leftAlone, []);
            // Where lines of the user's were replaced by ours, either side of them is right for it.
            assert(undone.text.includes(added));
            assert.equal(undone.text.replace(added, ""), before);
          }),
          { numRuns: 300 },
        );
        assert(checked > 50, String(checked));
      });

    it(`in ${format} is taken out by its values where its lines are no longer there`, () => {
      fc.assert(
        fc.property(texts, fc.constantFrom(...edits), (before, edit) => {
          const after = applied(before, edit);
          if (after === undefined) return;
          // What was written is not known any more, so that only the values tell.
          const { text, leftAlone } = undoEdit(after, { ...edit, before, after: "\n" });
          assert.deepEqual(leftAlone, []);
          assert(isSameValue(configFormat(format).parse(text), configFormat(format).parse(before)));
        }),
        { numRuns: 200 },
      );
    });
  }

  for (const [format, texts, edits] of FORMATS) {
    it(`in ${format} is taken out also after a program wrote the whole file anew`, () => {
      let checked = 0;
      fc.assert(
        fc.property(texts, fc.constantFrom(...edits), (before, edit) => {
          // What JSON cannot say would be lost on the way.
          if (/1e400|Infinity|NaN|-0/.test(before)) return;
          const after = applied(before, edit);
          if (after === undefined) return;
          const said = configFormat(format).parse(after);
          const written = format === "toml" ? stringify(said) : JSON.stringify(said, undefined, 4);
          if (!says(format, written, after)) return;
          checked += 1;
          const { text, leftAlone } = undoEdit(written, { ...edit, before, after });
          assert.deepEqual(leftAlone, []);
          // A table that had nothing in it may have gone on the way.
          assert(says(format, text, before) || says(format, `${text}\n[model_providers]\n`, before), text);
        }),
        { numRuns: 200 },
      );
      assert(checked > 50, String(checked));
    });
  }

  for (const [format, path, before] of [
    ["jsonc", ["provider"], '{"model":"a"}'],
    ["jsonc", ["provider", "patchbay"], '{ "provider": { "mine": {} } }'],
    ["json5", ["models"], "{\n  a: 1,\n  b: 2 }"],
    ["toml", ["model_providers", "patchbay"], "model_providers = {}"],
    ["toml", ["model_providers", "patchbay"], 'model_providers = { mine = { name = "m" } }'],
  ] as const) {
    it(`in ${format} on the user's line is taken out to the byte after that line was changed: ${JSON.stringify(before)}`, () => {
      const edit: FileEdit = { format, assignments: [{ path, value: { baseUrl: "http://127.0.0.1:8390/v1" } }] };
      const after = applyEdit(before, edit);
      const comment = format === "toml" ? " # mine\n" : " // mine\n";
      assert.equal(undoEdit(after.trimEnd() + comment, { ...edit, before, after }).text, before + comment);
    });
  }

  it("in JSON5 is read by our parser as by JavaScript", () => {
    fc.assert(
      fc.property(jsonText("json5"), (text) => {
        if (!text.includes(":") || text.includes("__proto__")) return;
        const ours = configFormat("json5").parse(text);
        assert(isSameValue(ours, runInNewContext(`(${text.replace(/^\ufeff/, "")}\n)`)), text);
      }),
      { numRuns: 300 },
    );
  });
});
