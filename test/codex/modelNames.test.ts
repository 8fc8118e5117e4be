import assert from "node:assert/strict";
import * as fc from "fast-check";
import { bundledModels } from "../../src/codex/bundledModels.ts";
import type { CatalogueModel } from "../../src/codex/catalogueModel.ts";
import { isCodexModel, resolveModel } from "../../src/codex/modelNames.ts";

const UNSET = undefined;

/** Asked name, asked effort, upstream name, upstream effort. */
type Row = readonly [string, string | undefined, string, string | undefined];

const OLD_NAMES: readonly Row[] = [
  ["gpt-5", UNSET, "gpt-5", UNSET],
  ["gpt-5-none", UNSET, "gpt-5", "low"],
  ["gpt-5-minimal", UNSET, "gpt-5", "minimal"],
  ["gpt-5-low", UNSET, "gpt-5", "low"],
  ["gpt-5-medium", UNSET, "gpt-5", "medium"],
  ["gpt-5-high", UNSET, "gpt-5", "high"],
  ["gpt-5-xhigh", UNSET, "gpt-5", "high"],
  ["gpt-5-max", UNSET, "gpt-5", "high"],
  ["gpt-5", "none", "gpt-5", "low"],
  ["gpt-5", "ultra", "gpt-5", "high"],
  ["gpt-5-mini", UNSET, "gpt-5", UNSET],
  ["gpt-5-nano-high", UNSET, "gpt-5", "high"],
  ["gpt-5-pro", UNSET, "gpt-5", UNSET],
  ["gpt-5-chat-latest", UNSET, "gpt-5", UNSET],
  ["gpt-5-2025-08-07", UNSET, "gpt-5", UNSET],
  ["gpt-5-2025-08-07-low", UNSET, "gpt-5", "low"],
  ["gpt-5-codex", UNSET, "gpt-5-codex", UNSET],
  ["gpt-5-codex-minimal", UNSET, "gpt-5-codex", "minimal"],
  ["gpt-5-codex-none", UNSET, "gpt-5-codex", "low"],
  ["gpt-5-codex-xhigh", UNSET, "gpt-5-codex", "high"],
  ["gpt-5-codex-max", UNSET, "gpt-5-codex", "high"],
  ["gpt-5-codex-latest", UNSET, "gpt-5-codex", UNSET],
  ["gpt-5-codex-2025-09-15-high", UNSET, "gpt-5-codex", "high"],
  ["gpt-5-latest-codex", UNSET, "gpt-5-codex", UNSET],
  ["gpt-5-codex-mini", UNSET, "gpt-5-codex-mini", "medium"],
  ["gpt-5-codex-mini-low", UNSET, "gpt-5-codex-mini", "medium"],
  ["gpt-5-codex-mini-none", UNSET, "gpt-5-codex-mini", "medium"],
  ["gpt-5-codex-mini-high", UNSET, "gpt-5-codex-mini", "high"],
  ["gpt-5-codex-mini-xhigh", UNSET, "gpt-5-codex-mini", "high"],
  ["gpt-5-codex-mini-latest", UNSET, "gpt-5-codex-mini", "medium"],
  ["codex", UNSET, "gpt-5-codex", UNSET],
  ["codex-mini-latest", UNSET, "gpt-5-codex", UNSET],
  ["codex-mini-latest-high", UNSET, "gpt-5-codex", "high"],
  ["codex-mini", "minimal", "gpt-5-codex", "minimal"],
  ["codex-mini-2025-05-16", UNSET, "gpt-5-codex", UNSET],
  ["codex-latest", UNSET, "gpt-5-codex", UNSET],
  ["gpt-5.1", UNSET, "gpt-5.1", "low"],
  ["gpt-5.1-none", UNSET, "gpt-5.1", "low"],
  ["gpt-5.1-minimal", UNSET, "gpt-5.1", "low"],
  ["gpt-5.1-high", UNSET, "gpt-5.1", "high"],
  ["gpt-5.1-max", UNSET, "gpt-5.1", "high"],
  ["gpt-5.1-2025-11-13", UNSET, "gpt-5.1", "low"],
  ["gpt-5.1-chat-latest-medium", UNSET, "gpt-5.1", "medium"],
  ["gpt-5.1-codex", UNSET, "gpt-5.1-codex", "low"],
  ["gpt-5.1-codex-minimal", UNSET, "gpt-5.1-codex", "low"],
  ["gpt-5.1-codex-medium", UNSET, "gpt-5.1-codex", "medium"],
  ["gpt-5.1-codex-xhigh", UNSET, "gpt-5.1-codex", "high"],
  ["gpt-5.1-codex-latest", UNSET, "gpt-5.1-codex", "low"],
  ["gpt-5.1-codex-max", UNSET, "gpt-5.1-codex-max", "low"],
  ["gpt-5.1-codex-max-high", UNSET, "gpt-5.1-codex-max", "high"],
  ["gpt-5.1-codex-max-xhigh", UNSET, "gpt-5.1-codex-max", "xhigh"],
  ["gpt-5.1-codex-max-max", UNSET, "gpt-5.1-codex-max", "xhigh"],
  ["gpt-5.1-codex-max", "minimal", "gpt-5.1-codex-max", "low"],
  ["gpt-5.1-codex-max-latest", UNSET, "gpt-5.1-codex-max", "low"],
  ["gpt-5.1-codex-mini", UNSET, "gpt-5.1-codex-mini", "medium"],
  ["gpt-5.1-codex-mini-low", UNSET, "gpt-5.1-codex-mini", "medium"],
  ["gpt-5.1-codex-mini", "minimal", "gpt-5.1-codex-mini", "medium"],
  ["gpt-5.1-codex-mini-max", UNSET, "gpt-5.1-codex-mini", "high"],
  ["gpt-5.1-codex-mini-2025-11-13-high", UNSET, "gpt-5.1-codex-mini", "high"],
];

const OTHER_NAMES: readonly Row[] = [
  ["gpt-5.2", UNSET, "gpt-5.2", UNSET],
  ["gpt-5.2-codex", UNSET, "gpt-5.2-codex", UNSET],
  ["gpt-5.2-codex-high", UNSET, "gpt-5.2-codex", "high"],
  ["gpt-5.3-codex-spark", UNSET, "gpt-5.3-codex-spark", UNSET],
  ["gpt-5.4-mini-minimal", UNSET, "gpt-5.4-mini", "minimal"],
  ["gpt-5.10", UNSET, "gpt-5.10", UNSET],
  ["gpt-5.10-codex-low", UNSET, "gpt-5.10-codex", "low"],
  ["gpt-5-2-codex", UNSET, "gpt-5-2-codex", UNSET],
  ["gpt-50", UNSET, "gpt-50", UNSET],
  ["gpt-6-codex", UNSET, "gpt-6-codex", UNSET],
  ["gpt-7-high", UNSET, "gpt-7", "high"],
  ["gpt-7", "none", "gpt-7", "none"],
  ["gpt-7", "ultra", "gpt-7", "max"],
  ["gpt-7", "sideways", "gpt-7", "sideways"],
  ["gpt-6.2-sol-ultra", UNSET, "gpt-6.2-sol-ultra", UNSET],
  ["codex-7", UNSET, "codex-7", UNSET],
  ["codex-next-mini", UNSET, "codex-next-mini", UNSET],
  ["gpt-4o-mini", UNSET, "gpt-4o-mini", UNSET],
  ["o4-mini-high", UNSET, "o4-mini", "high"],
  ["openai/gpt-5.1-codex", UNSET, "openai/gpt-5.1-codex", UNSET],
  ["high", UNSET, "high", UNSET],
  ["-high", UNSET, "-high", UNSET],
  ["", UNSET, "", UNSET],
  ["constructor", UNSET, "constructor", UNSET],
  ["__proto__-low", UNSET, "__proto__", "low"],
];

const LISTED_NAMES: readonly Row[] = [
  ["gpt-6.1-sol", UNSET, "gpt-6.1-sol", UNSET],
  ["gpt-6.1-sol-high", UNSET, "gpt-6.1-sol", "high"],
  ["gpt-6.1-sol-max", UNSET, "gpt-6.1-sol", "max"],
  ["gpt-6.1-sol-minimal", UNSET, "gpt-6.1-sol", "low"],
  ["gpt-6.1-sol-none", UNSET, "gpt-6.1-sol", "low"],
  ["gpt-6.1-sol", "ultra", "gpt-6.1-sol", "max"],
  ["gpt-6.1-sol", "sideways", "gpt-6.1-sol", "sideways"],
  ["gpt-6.1-sol-high", "low", "gpt-6.1-sol", "low"],
  ["gpt-6-sol", "minimal", "gpt-6-sol", "low"],
  ["gpt-5.5", "max", "gpt-5.5", "xhigh"],
  ["gpt-5.5-max", UNSET, "gpt-5.5", "xhigh"],
  ["gpt-5.5-none", UNSET, "gpt-5.5", "low"],
  ["gpt-5.6-luna-xhigh", UNSET, "gpt-5.6-luna", "xhigh"],
  ["gpt-daybreak-red-latest-high", UNSET, "gpt-daybreak-red-latest", "high"],
  ["codex-auto-review", UNSET, "codex-auto-review", UNSET],
  ["codex-auto-review-minimal", UNSET, "codex-auto-review", "low"],
];

function listed(slug: string, efforts: readonly string[]): CatalogueModel {
  return { ...bundledModels[0]!, slug, efforts };
}

function assertRows(rows: readonly Row[]): void {
  for (const [model, effort, upstreamModel, upstreamEffort] of rows) {
    assert.deepEqual(
      resolveModel({ model, effort }, bundledModels, {}),
      { model: upstreamModel, effort: upstreamEffort },
      `${model} ${effort ?? ""}`,
    );
  }
}

describe("the name of a model and its effort", () => {
  it("keep the old rules for names of the retired families", () => assertRows(OLD_NAMES));

  it("go up as they are, but for the suffix, where the name is newer or unknown", () => assertRows(OTHER_NAMES));

  it("are brought to what the catalogue allows where the model is listed", () => assertRows(LISTED_NAMES));

  it("are not cut where the suffix is part of a listed name", () => {
    const models = [listed("gpt-7-max", ["low", "high"]), listed("gpt-7", ["low", "medium"])];
    const resolve = (model: string) => resolveModel({ model, effort: undefined }, models, {});
    assert.deepEqual(resolve("gpt-7-max"), { model: "gpt-7-max", effort: undefined });
    assert.deepEqual(resolve("gpt-7-max-high"), { model: "gpt-7-max", effort: "high" });
    assert.deepEqual(resolve("gpt-7-high"), { model: "gpt-7", effort: "medium" });
  });

  it("are never collapsed where the catalogue lists the name", () => {
    const models = [listed("gpt-5.1-codex-nova", ["low"]), listed("gpt-5-mini", ["low"])];
    const resolve = (model: string) => resolveModel({ model, effort: undefined }, models, {}).model;
    assert.equal(resolve("gpt-5.1-codex-nova-high"), "gpt-5.1-codex-nova");
    assert.equal(resolve("gpt-5-mini"), "gpt-5-mini");
    assert.equal(resolve("gpt-5-nano"), "gpt-5");
  });

  it("keep the old rules and the catalogue's where an old model is still listed under its plain name", () => {
    const models = [listed("gpt-5.1", ["medium", "high"])];
    const resolve = (model: string) => resolveModel({ model, effort: undefined }, models, {});
    assert.deepEqual(resolve("gpt-5.1-2025-11-13"), { model: "gpt-5.1", effort: "medium" });
    assert.deepEqual(resolve("gpt-5.1-chat-latest-xhigh"), { model: "gpt-5.1", effort: "high" });
  });

  it("take the lower of two efforts that are equally near, and the lowest below all", () => {
    const models = [listed("m", ["low", "high", "ultra"]), listed("plain", [])];
    const effortOf = (model: string) => resolveModel({ model, effort: undefined }, models, {}).effort;
    assert.equal(effortOf("m-medium"), "low");
    assert.equal(effortOf("m-minimal"), "low");
    assert.equal(effortOf("m-xhigh"), "high");
    assert.equal(effortOf("m-max"), "max");
    assert.equal(effortOf("plain-high"), undefined);
  });

  it("never send a mode of Codex CLI upstream, whatever is asked", () => {
    const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"];
    fc.assert(
      fc.property(
        fc.constantFrom(...bundledModels.map((model) => model.slug), "gpt-5", "gpt-7"),
        fc.option(fc.constantFrom(...efforts), { nil: undefined }),
        fc.constantFrom("", ...efforts.slice(0, -1).map((effort) => `-${effort}`)),
        (slug, effort, suffix) => {
          const resolved = resolveModel({ model: `${slug}${suffix}`, effort }, bundledModels, {});
          const allowed = bundledModels.find((model) => model.slug === slug)?.efforts;
          assert.equal(resolved.model, slug);
          assert.notEqual(resolved.effort, "ultra");
          if (allowed !== undefined && resolved.effort !== undefined) assert(allowed.includes(resolved.effort));
        },
      ),
    );
  });
});

describe("an alias of the user's", () => {
  const aliases = {
    "gpt-5.1-codex": "gpt-6.1-sol",
    "gpt-5.5-max": "gpt-6-sol",
    daily: "gpt-6-luna-high",
    "x/y": "gpt-7",
  };
  const resolve = (model: string, effort?: string) => resolveModel({ model, effort }, bundledModels, aliases);

  it("comes before every rule, and carries the suffix over", () => {
    assert.deepEqual(resolve("gpt-5.1-codex"), { model: "gpt-6.1-sol", effort: undefined });
    assert.deepEqual(resolve("gpt-5.1-codex-high"), { model: "gpt-6.1-sol", effort: "high" });
    assert.deepEqual(resolve("gpt-5.1-codex-max"), { model: "gpt-5.1-codex-max", effort: "low" });
    assert.deepEqual(resolve("x/y-low"), { model: "gpt-7", effort: "low" });
  });

  it("may itself end like an effort", () => {
    assert.deepEqual(resolve("gpt-5.5-max"), { model: "gpt-6-sol", effort: undefined });
  });

  it("may name an effort, which the caller's suffix and field override", () => {
    assert.deepEqual(resolve("daily"), { model: "gpt-6-luna", effort: "high" });
    assert.deepEqual(resolve("daily-low"), { model: "gpt-6-luna", effort: "low" });
    assert.deepEqual(resolve("daily-low", "max"), { model: "gpt-6-luna", effort: "max" });
  });
});

describe("a model of Codex", () => {
  const aliases = { daily: "gpt-6-luna", "x/y": "gpt-7" };

  it("is one that the catalogue, an alias or its name says so of, with a suffix or without", () => {
    const names = [
      "gpt-6.1-sol",
      "gpt-6.1-sol-high",
      "daily",
      "daily-low",
      "x/y",
      "gpt-5",
      "gpt-5-mini",
      "gpt-5.1-high",
    ];
    for (const name of [...names, "codex-mini-latest", "gpt-5.2-codex", "gpt-9-codex-high", "codex-auto-review"])
      assert(isCodexModel(name, bundledModels, aliases), name);
  });

  it("is no other", () => {
    const names = ["gpt-4o", "gpt-7", "gpt-5.2", "o4-mini-high", "text-embedding-3-small", "", "toString", "__proto__"];
    for (const name of [...names, "openai/gpt-5.1-codex", "z/gpt-5"])
      assert(!isCodexModel(name, bundledModels, aliases), name);
  });
});
