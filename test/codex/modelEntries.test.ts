import assert from "node:assert/strict";
import { bundledModels } from "../../src/codex/bundledModels.ts";
import { type CatalogueModel, readCatalogue } from "../../src/codex/catalogueModel.ts";
import { codexModelEntry, codexModels, openAiModels } from "../../src/codex/modelEntries.ts";
import { resolveModel } from "../../src/codex/modelNames.ts";

describe("Codex models in OpenAI's list", () => {
  it("are the visible ones, each followed by its names with an effort, none of them twice", () => {
    const ids = openAiModels(bundledModels).map((entry) => entry.id);
    assert.deepEqual(ids.slice(0, 7), [
      "gpt-6.1-sol",
      "gpt-6.1-sol-low",
      "gpt-6.1-sol-medium",
      "gpt-6.1-sol-high",
      "gpt-6.1-sol-xhigh",
      "gpt-6.1-sol-max",
      "gpt-6-astra",
    ]);
    assert.equal(new Set(ids).size, ids.length);
    assert(!ids.some((id) => id.includes("daybreak") || id.includes("ultra") || id.startsWith("codex-auto-review")));
  });

  it("all resolve to the model and effort that they name", () => {
    for (const { id, name } of openAiModels(bundledModels)) {
      const { model, effort } = resolveModel({ model: id, effort: undefined }, bundledModels, {});
      assert.equal(effort === undefined ? model : `${model}-${effort}`, id);
      assert(name.endsWith(effort === undefined ? "" : `(${effort})`));
    }
  });

  it("leave a name with an effort out where another model has it", () => {
    const model: CatalogueModel = { ...bundledModels[0]!, slug: "m", efforts: ["high", "max"] };
    const ids = openAiModels([model, { ...model, slug: "m-max", efforts: [] }]).map((entry) => entry.id);
    assert.deepEqual(ids, ["m", "m-high", "m-max"]);
  });

  it("have the members that OpenAI's clients decode, and the context where it is known", () => {
    const [known, ...rest] = openAiModels([
      { ...bundledModels[0]!, efforts: [] },
      { ...bundledModels[0]!, slug: "m", contextWindow: undefined, efforts: [] },
    ]);
    assert.deepEqual(known, {
      id: "gpt-6.1-sol",
      object: "model",
      created: 0,
      owned_by: "openai",
      upstream: "codex",
      name: "GPT-6.1-Sol",
      context_length: 272_000,
    });
    assert(rest.every((entry) => !("context_length" in entry)));
  });
});

describe("the models member for Codex CLI", () => {
  it("holds the upstream's entries as they came, hidden ones included", () => {
    const models = [
      { slug: "a", visibility: "hide", base_instructions: "Be brief.", unheard: { of: [1] } },
      { slug: "b", visibility: "list" },
    ];
    assert.deepEqual(codexModels(readCatalogue({ models })), models);
  });

  it("holds nothing of the bundled models", () => {
    assert.deepEqual(codexModels(bundledModels), []);
  });

  it("ends with the foreign models, but never holds these alone for a caller that is signed in", () => {
    const live = readCatalogue({ models: [{ slug: "a" }] });
    const foreign = [{ slug: "v/m" }, { slug: "a", of: "another" }];
    assert.deepEqual(codexModels(live, { foreign }), [{ slug: "a" }, { slug: "v/m" }]);
    assert.deepEqual(codexModels(bundledModels, { foreign }), []);
    assert.deepEqual(codexModels(bundledModels, { foreign, callerIsSignedIn: true }), []);
    assert.deepEqual(codexModels(bundledModels, { foreign, callerIsSignedIn: false }), foreign);
  });

  it("never describes a foreign model with a modality that Codex CLI rejects, nor without instructions", () => {
    const facts = { slug: "v/m", displayName: "M", contextWindow: undefined, defaultEffort: undefined, efforts: [] };
    const entry = codexModelEntry({ ...facts, inputModalities: ["text", "file", "image", "audio"] });
    assert.deepEqual(entry["input_modalities"], ["text", "image"]);
    assert.match(String(entry["base_instructions"]), /^You are a coding agent/);
    assert(!("context_window" in entry) && !("default_reasoning_level" in entry));
  });
});
