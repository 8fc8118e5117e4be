import assert from "node:assert/strict";
import * as fc from "fast-check";
import { parse } from "yaml";
import { ClientError } from "../../src/clients/clientError.ts";
import { isSameValue } from "../../src/clients/configValue.ts";
import { applyEdit, type FileEdit, undoEdit } from "../../src/clients/fileEdit.ts";
import { yamlText } from "./configTexts.ts";

const ENTRY = {
  name: "Patchbay gpt-5.5",
  provider: "openai",
  model: "gpt-5.5",
  apiBase: "http://127.0.0.1:8390/v1",
  apiKey: "pb_key",
  roles: ["chat", "edit"],
};
const OTHER = { ...ENTRY, name: "Patchbay b", model: "b" };
const EDIT: FileEdit = {
  format: "yaml",
  assignments: [ENTRY, OTHER].map((value) => ({ path: ["models", value.name], value, mark: [["apiBase"]] })),
};

interface Parsed {
  readonly models?: readonly { readonly name?: string }[] | null;
}

function edited(before: string): string | undefined {
  try {
    return applyEdit(before, EDIT);
  } catch (error) {
    assert(error instanceof ClientError, String(error));
    return undefined;
  }
}

describe("A list in a YAML file", function () {
  this.timeout(60_000);

  it("gets our items behind those that are there, and nothing else changes, as a parser of all of YAML reads it", () => {
    let count = 0;
    fc.assert(
      fc.property(yamlText(), (before) => {
        const after = edited(before);
        if (after === undefined) return;
        count += 1;
        const [was, is] = [before, after].map((text) => (parse(text) ?? {}) as Parsed);
        const theirs = (was?.models ?? []).filter(({ name }) => name !== ENTRY.name);
        assert(isSameValue({ ...is, models: undefined }, { ...was, models: undefined }), after);
        const others = is?.models?.filter(({ name }) => name !== ENTRY.name && name !== OTHER.name);
        assert(isSameValue(others, theirs), after);
        for (const entry of [ENTRY, OTHER]) {
          const found = is?.models?.find(({ name }) => name === entry.name);
          assert(isSameValue(found, entry), after);
        }
        assert.deepEqual(undoEdit(after, { ...EDIT, before, after }), { text: before, leftAlone: [] });
      }),
      { numRuns: 1000 },
    );
    assert(count > 200, String(count));
  });

  it("is without them again after the user added items and comments around them", () => {
    const before = "name: Mine\nmodels:\n  # local ones\n  - name: Llama\n    provider: ollama\nrules: []\n";
    const after = edited(before) ?? "";
    const own = "  - name: Later\n    provider: x\n";
    const changed = after.replace("rules: []\n", `${own}rules: [a]\n`).replace('model: "b"', "model: b");
    const { text, leftAlone } = undoEdit(changed, { ...EDIT, before, after });
    assert.deepEqual(leftAlone, []);
    assert.equal(text, before.replace("rules: []\n", `${own}rules: [a]\n`));
  });

  it("is without them again after a program wrote the file anew", () => {
    const before = 'name: Mine\nmodels:\n    - name: "Llama"\n      provider: ollama # here\n';
    const after = edited(before) ?? "";
    const anew = [
      "name: Mine",
      "models:",
      "  - name: Llama",
      "    provider: ollama",
      "  - name: Patchbay gpt-5.5",
      "    provider: openai",
      "    model: gpt-5.5",
      "    apiBase: http://127.0.0.1:8390/v1",
      "    apiKey: pb_key",
      "    roles:",
      "      - chat",
      "      - edit",
      "  - name: Patchbay b",
      "    apiBase: http://127.0.0.1:8390/v1",
      "    defaultCompletionOptions:",
      "      contextLength: 1000",
      "",
    ].join("\n");
    const { text, leftAlone } = undoEdit(anew, { ...EDIT, before, after });
    assert.deepEqual(leftAlone, []);
    assert.equal(text, anew.slice(0, anew.indexOf("  - name: Patchbay")));
  });

  it("gives an item of the same name back as it was written, also where the list is deeper by then", () => {
    const item = "- name: Patchbay b\n  provider: openai   # mine\n  roles: [chat]\n\n  text: |\n    a\n";
    const before = `models:\n${item}`;
    const after = edited(before) ?? "";
    const deeper = after.replaceAll(/^(?=[- ])/gm, "    ").replace("models:", "# of mine\nmodels: # ours");
    const { text, leftAlone } = undoEdit(deeper, { ...EDIT, before, after });
    assert.deepEqual(leftAlone, []);
    assert.equal(text, `# of mine\nmodels: # ours\n${item.replaceAll(/^(?=[- ])/gm, "    ")}`);
  });

  it("keeps the key with the user's items where it was made for ours", () => {
    const after = edited("name: Mine\n") ?? "";
    const own = "  - name: Later\n    provider: x\n";
    const { text } = undoEdit(after + own, { ...EDIT, before: "name: Mine\n", after });
    assert.equal(text, `name: Mine\nmodels:\n${own}`);
  });

  for (const [what, line, text] of [
    ["a list without an end", 2, "text: [a, b\nmodels:\n  - name: a\n"],
    ["a quote without an end", 3, 'models:\n  - name: "a\n'],
    ["an indent that fits nothing", 3, "models:\n  - name: a\n   model: b\n"],
    ["a value in a value", 2, "name: mine\ntext: b: c\nmodels:\n  - name: a\n"],
  ] as const) {
    it(`that is no valid YAML for ${what} is not edited, and the line is told`, () => {
      assert.throws(() => applyEdit(text, EDIT), {
        message: `It is no valid YAML (line ${line}): mend that line first.`,
      });
    });
  }

  for (const [what, text] of [
    ["a flow mapping", "{ models: [] }\n"],
    ["a flow list", "models: [ { name: a } ]\n"],
    ["a list of another form", "models:\n  ? a\n"],
    ["keys twice", "models:\n  - name: a\nmodels:\n  - name: b\n"],
    ["quoted keys", '"models":\n  - name: a\n'],
    ["several documents", "name: a\n---\nmodels:\n"],
    ["tabs", "models:\n\t- name: a\n"],
    ["kept blank lines", "text: |+\n  a\n\n"],
  ] as const) {
    it(`that is written with ${what} is not edited`, () => {
      assert.throws(() => applyEdit(text, EDIT), /use --mode copy/);
    });
  }
});
