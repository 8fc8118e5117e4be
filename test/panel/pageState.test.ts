import assert from "node:assert/strict";
import * as fc from "fast-check";
import { readHostMessage } from "../../src/panel/hostMessage.ts";
import { pageHtml } from "../../src/panel/pageHtml.ts";
import { GROUPINGS, MEASURES, RANGES, readPageState } from "../../src/panel/pageState.ts";
import { seriesOf } from "../../src/panel/usageSeries.ts";
import { EMPTY, FULL, sampleUsage } from "./samples.ts";

describe("what the usage panel takes in", () => {
  it("is a kept state, of which it believes only what makes sense", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (kept, view) => {
        for (const state of [readPageState(kept), readPageState({ view }), readPageState({ view: { range: kept } })]) {
          assert.ok(RANGES.includes(state.view.range));
          assert.ok(GROUPINGS.includes(state.view.groupBy));
          assert.ok(MEASURES.includes(state.measure));
          assert.equal(typeof state.table, "boolean");
        }
      }),
    );
    const kept = { view: { range: "30d", groupBy: "key", key: "k", model: null }, measure: "cost", table: true };
    assert.deepEqual(readPageState(kept), kept);
  });

  it("is a message of its version, and nothing else", () => {
    assert.equal(readHostMessage(FULL), FULL);
    assert.equal(readHostMessage({ ...EMPTY, version: 2 }), undefined);
    assert.equal(readHostMessage({ ...EMPTY, proxy: undefined }), undefined);
    assert.equal(readHostMessage({ version: 1, type: "live", sentAt: 1, requests: [] }), undefined);
    fc.assert(fc.property(fc.anything(), (data) => readHostMessage(data) === undefined));
  });

  it("is one script by nonce and one style sheet, and no address breaks out of its place", () => {
    const html = pageHtml({
      cspSource: "https://webview.example",
      nonce: "n0nce",
      place: "view",
      scriptUri: 'https://webview.example/a.js"><script>',
      styleUri: "https://webview.example/a.css",
    });
    const policy = /content="([^"]*default-src[^"]*)"/.exec(html)?.[1];
    assert.equal(
      policy,
      "default-src 'none'; style-src https://webview.example; script-src 'nonce-n0nce'; base-uri 'none'; form-action 'none'",
    );
    assert.equal(html.match(/<script/g)?.length, 1);
    assert.ok(!/unsafe|\sstyle="|\son\w+="/.test(html));
  });
});

describe("the series of the usage panel's chart", () => {
  it("gather the groups for which there is no colour, and lose nothing", () => {
    const usage = sampleUsage();
    const [group] = usage.groups;
    const many = {
      ...usage,
      groups: Array.from({ length: 12 }, (_, place) => ({ ...group!, label: `model-${place}` })),
      buckets: [{ at: "2026-11-21", tokens: Array.from({ length: 12 }, (_, place) => place), costs: [] }],
    };
    const { series } = seriesOf(many, "tokens");
    assert.deepEqual(
      series.map(({ label }) => label),
      ["model-0", "model-1", "model-2", "model-3", "model-4", "model-5", "6 others"],
    );
    assert.deepEqual(series.at(-1)?.values, [6 + 7 + 8 + 9 + 10 + 11]);
  });

  it("tell no cost from an unknown one", () => {
    const usage = { ...sampleUsage(), buckets: [{ at: "2026-11-21", tokens: [1, 1], costs: [0, null] }] };
    const costs = seriesOf({ ...usage, groups: usage.groups.slice(0, 2) }, "cost").series.map(
      ({ values }) => values[0],
    );
    assert.deepEqual(costs, [0, null]);
  });
});
