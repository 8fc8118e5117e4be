import assert from "node:assert/strict";
import type { UpstreamName } from "../../src/ledger/usageRow.ts";
import { plainModel, planModels, upstreamChoices, withRoute } from "../../src/vscode/upstreamChoices.ts";

function listed(id: string, upstream: UpstreamName) {
  return { id, object: "model" as const, created: 0, owned_by: "openai", upstream };
}

const MODELS = [
  listed("gpt-5.5", "codex"),
  listed("gpt-5.5-high", "codex"),
  listed("gpt-5.1-codex-max", "codex"),
  listed("gpt-4.1", "openai"),
  listed("openai/gpt-5.5", "openrouter"),
];

function upstreams(...keyed: readonly UpstreamName[]) {
  return (["openai", "openrouter", "codex"] as const).map((name) => ({
    name,
    baseUrl: "https://example.com",
    hasKey: keyed.includes(name),
  }));
}

describe("another upstream for a model of the plan", () => {
  it("is offered for the plan's own models, without their efforts, those asked for lately first", () => {
    const choices = planModels(MODELS, ["gpt-5.1-codex-max"], { "gpt-5.5": "openai" });
    assert.deepEqual(
      choices.map(({ label, description }) => [label, description]),
      [
        ["gpt-5.1-codex-max", "asked for lately"],
        ["gpt-5.5", "answered by OpenAI now"],
      ],
    );
  });

  it("is offered for what a client with a sign-in of its own asked for, where nobody is signed in here", () => {
    const choices = planModels([listed("gpt-4.1", "openai")], ["gpt-5.5-high", "gpt-5.5"], {});
    assert.deepEqual(
      choices.map(({ value }) => value),
      ["gpt-5.5"],
    );
    assert.equal(plainModel("gpt-5.5-high", new Set(["gpt-5.5"])), "gpt-5.5");
    assert.equal(plainModel("gpt-5.1-codex-max", new Set(["gpt-5.5"])), "gpt-5.1-codex-max");
  });

  it("says that each request costs money, and asks for a key where there is none", () => {
    const keyed = upstreamChoices("gpt-5.5", upstreams("openai", "openrouter"), MODELS, {});
    assert.deepEqual(
      keyed.map(({ value }) => value),
      [
        { kind: "route", upstream: "openai" },
        { kind: "name", name: "openai/gpt-5.5" },
      ],
    );
    for (const { detail } of keyed) assert.match(detail ?? "", /costs (?:money|OpenRouter credits)/);
    const without = upstreamChoices("gpt-5.5", upstreams(), MODELS.slice(0, 3), {});
    assert.deepEqual(
      without.map(({ value }) => value),
      [
        { kind: "key", upstream: "openai" },
        { kind: "key", upstream: "openrouter" },
      ],
    );
  });

  it("offers the way back first where the model is answered elsewhere already", () => {
    const choices = upstreamChoices("gpt-5.5", upstreams("openai"), MODELS.slice(0, 3), { "gpt-5.5": "openai" });
    assert.deepEqual(choices[0]?.value, { kind: "back" });
    assert.ok(!choices.some(({ value }) => value.kind === "route"));
  });

  it("goes before the user's other routes, of which the first match wins, and leaves them as they are", () => {
    const routes = { "gpt-*": "codex", o3: "openai" } as const;
    const routed = withRoute(routes, "gpt-5.5", "openai");
    assert.deepEqual(Object.entries(routed), [["gpt-5.5", "openai"], ...Object.entries(routes)]);
    assert.deepEqual(withRoute(routed, "gpt-5.5", undefined), routes);
  });
});
