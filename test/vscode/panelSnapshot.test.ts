import assert from "node:assert/strict";
import type { ControlUsageView } from "../../src/node/controlUsageView.ts";
import { panelSnapshot } from "../../src/vscode/panelSnapshot.ts";
import { panelUsage } from "../../src/vscode/panelUsage.ts";
import { FIRST_VIEW, readPageMessage } from "../../src/vscode/panelView.ts";
import { contextKeys, factsOf, keyOf, liveRequest, NOW, planOf, planWindow, upView, usageOf } from "./usageRig.ts";

function reportOf(names: readonly (string | null)[]): ControlUsageView {
  const { upstream: _upstream, ...totals } = usageOf("openai", 10, 1);
  return {
    sums: { today: totals, "7d": totals, "30d": totals },
    groups: names.map((name) => ({ ...totals, name })),
    steps: [
      { at: "2026-11-20", groups: [] },
      { at: "2026-11-21", groups: names.map((name) => ({ name, tokens: 10, cost_usd: 1 })) },
    ],
    models: ["gpt-5.5"],
  };
}

const PARTS = { now: NOW, view: FIRST_VIEW, connection: upView(), keys: contextKeys(), failures: undefined };

describe("what the usage panel is told", () => {
  it("is everything that it shows", () => {
    const facts = factsOf({
      keys: [keyOf({ credit_usd: 3 })],
      running: new Map([["one", liveRequest("one")]]),
      plan: planOf([planWindow()]),
    });
    const snapshot = panelSnapshot({ ...PARTS, facts, usage: reportOf(["gpt-5.5"]) });
    assert.equal(snapshot.proxy.url, "http://127.0.0.1:8390");
    assert.deepEqual(snapshot.choices, { keys: [{ id: "key_1", label: "laptop" }], models: ["gpt-5.5"] });
    assert.deepEqual(
      snapshot.requests.map(({ id }) => id),
      ["one"],
    );
    assert.deepEqual(
      snapshot.balances.map(({ title }) => title),
      ["ChatGPT Plus, 5 hours", "Key laptop"],
    );
    assert.deepEqual(snapshot.steps, []);
  });

  it("holds the way to the first request until there has been one", () => {
    const keys = contextKeys({ "patchbay.hasUsage": false, "patchbay.hasUpstream": false });
    const { steps, usage } = panelSnapshot({ ...PARTS, keys, facts: factsOf(), usage: undefined });
    assert.deepEqual(
      steps.map(({ done }) => done),
      [false, true, false, false],
    );
    assert.equal(usage, null);
  });

  it("offers only what can be done now", () => {
    const keys = contextKeys({ "patchbay.isUp": false, "patchbay.status": "stopped" });
    const connection = upView({ status: "stopped", url: undefined });
    const stopped = panelSnapshot({ ...PARTS, connection, keys, facts: factsOf(), usage: undefined });
    assert.deepEqual(
      stopped.proxy.actions.map(({ command }) => command),
      ["patchbay.startProxy"],
    );
    const running = panelSnapshot({ ...PARTS, facts: factsOf(), usage: undefined });
    assert.deepEqual(
      running.proxy.actions.map(({ command }) => command),
      ["patchbay.copyBaseUrl"],
    );
  });

  it("gathers what is more than it can show, and loses nothing of it", () => {
    const names = Array.from({ length: 30 }, (_, index) => `model-${index}`);
    const { groups, buckets } = panelUsage(FIRST_VIEW, reportOf(names), (id) => id);
    assert.equal(groups.length, 20);
    assert.equal(groups.at(-1)?.label, "11 others");
    const sum = (values: readonly (number | null)[] = []) => values.reduce<number>((all, one) => all + (one ?? 0), 0);
    assert.deepEqual(
      buckets.map(({ tokens, costs }) => [sum(tokens), sum(costs)]),
      [
        [0, 0],
        [300, 30],
      ],
    );
    assert.equal(sum(groups.map(({ input_tokens: tokens }) => tokens)), 300);
  });

  it("calls keys by their labels, and what has no name by a word", () => {
    const view = { ...FIRST_VIEW, groupBy: "key" } as const;
    const { groups } = panelUsage(view, reportOf(["key_1", null]), () => "laptop");
    assert.deepEqual(
      groups.map(({ label }) => label),
      ["laptop", "no key"],
    );
  });
});

describe("messages of the panel's page", () => {
  it("are taken as they are meant", () => {
    const ready = { version: 1, type: "ready", view: FIRST_VIEW };
    assert.deepEqual(readPageMessage(ready), ready);
    const run = { version: 1, type: "run", action: { label: "Start", command: "patchbay.startProxy" } };
    assert.deepEqual(readPageMessage(run), run);
  });

  it("run no commands but our own", () => {
    for (const command of ["workbench.action.terminal.new", "patchbay.nothing", "", 5, null])
      assert.equal(readPageMessage({ version: 1, type: "run", action: { label: "x", command } }), undefined);
  });

  it("are passed over where they are malformed or of another version", () => {
    const views = [
      undefined,
      {},
      { ...FIRST_VIEW, range: "1y" },
      { ...FIRST_VIEW, groupBy: "day" },
      { ...FIRST_VIEW, key: 1 },
    ];
    for (const view of views) assert.equal(readPageMessage({ version: 1, type: "choose", view }), undefined);
    for (const message of [
      null,
      "ready",
      [],
      { type: "ready", view: FIRST_VIEW },
      { version: 2, type: "ready", view: FIRST_VIEW },
    ])
      assert.equal(readPageMessage(message), undefined);
  });
});
