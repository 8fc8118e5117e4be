import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { PanelProxyState, PanelSnapshot } from "../../src/panel/messages.ts";
import { type OpenPanel, type PanelBrowser, startPanelBrowser } from "./panelRig.ts";
import { EMPTY, FAILED, FULL, STOPPED } from "./samples.ts";
import { THEMES } from "./themes.ts";

interface Finding {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Everything that axe-core finds, its advice on good practice included. */
async function findings({ page }: OpenPanel): Promise<string[]> {
  const { violations } = await page.evaluate<{ violations: readonly Finding[] }>("window.axe.run(document)");
  return violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => node.html).join("\n")}`);
}

function inState(state: PanelProxyState): PanelSnapshot {
  const actions = [{ label: "Show Logs", command: "patchbay.showLogs" }];
  return { ...FULL, proxy: { ...FULL.proxy, state, sentence: "Something is to be said.", actions } };
}

const STATES: readonly [name: string, snapshot: PanelSnapshot | undefined][] = [
  ["before the first message", undefined],
  ["full", FULL],
  ["empty", EMPTY],
  ["stopped", STOPPED],
  ["failed", FAILED],
  ["starting", inState("starting")],
  ["attached", inState("attached")],
  ["draining", inState("draining")],
  ["with its port taken", inState("port_conflict")],
];

describe("the usage panel's accessibility", function () {
  this.timeout(60_000);
  let browser: PanelBrowser;

  before(async () => {
    browser = await startPanelBrowser();
  });
  after(() => browser?.close());

  for (const theme of THEMES)
    // What the states have in common is looked at in one width.
    for (const [place, width] of [
      ["editor", 1120],
      ["view", 300],
    ] as const)
      it(`leaves nothing for axe-core to find in ${theme.name}, ${width} pixels wide`, async () => {
        const panel = await browser.open({ theme, place, width });
        await panel.page.evaluate(AXE);
        for (const [name, snapshot] of place === "editor" ? STATES : STATES.slice(0, 3)) {
          if (snapshot !== undefined) await panel.send(snapshot);
          assert.deepEqual(await findings(panel), [], name);
        }
        await panel.send(FULL);
        await panel.page.getByRole("button", { name: "Show Table" }).click();
        assert.deepEqual(await findings(panel), [], "as a table");
        assert.deepEqual(panel.complaints, []);
        await panel.close();
      });

  it("keeps a table a table where its rows are shown as cards", async () => {
    const panel = await browser.open({ place: "view", width: 300 });
    await panel.send(FULL);
    const table = panel.page.getByRole("table", { name: "Usage by group" });
    assert.equal(await table.getByRole("row").count(), 7);
    assert.equal(await table.getByRole("rowheader").count(), 6);
    assert.equal(await table.getByRole("columnheader").count(), 6);
    assert.equal(await table.getByRole("cell").count(), 30);
    await panel.close();
  });

  it("describes the chart in words and each bar of a balance too", async () => {
    const panel = await browser.open();
    await panel.send(FULL);
    const chart = panel.page.getByRole("img");
    assert.equal(
      await chart.getAttribute("aria-label"),
      "Tokens per day by model, 7 days: 20,960,358 tokens, most at Nov 19: 3,892,638.",
    );
    const meter = panel.page.getByRole("meter", { name: "ChatGPT Plus, 5 hours" });
    assert.equal(await meter.getAttribute("aria-valuenow"), "62");
    assert.equal(await meter.getAttribute("aria-valuetext"), "62% used, resets in 2 h 13 min");
    await panel.close();
  });

  it("reads out that the proxy has stopped and that a request has failed, but not the first picture", async () => {
    const panel = await browser.open();
    const status = panel.page.getByRole("status");
    await panel.send(FULL);
    assert.equal(await status.innerText(), "");
    await panel.send({ ...FULL, failures: [{ ...FULL.failures[0]!, id: "req-9" }, ...FULL.failures] });
    assert.equal(await status.innerText(), "A request failed. Key ci has no credit left.");
    await panel.send(STOPPED);
    assert.equal(await status.innerText(), "Proxy is stopped.");
    await panel.close();
  });

  it("moves nothing for those who want no motion", async () => {
    for (const [reducedMotion, moving] of [
      [true, 0],
      [false, 2],
    ] as const) {
      const panel = await browser.open({ reducedMotion });
      await panel.send(FULL);
      assert.equal(await panel.page.evaluate("document.getAnimations().length"), moving);
      await panel.close();
    }
  });
});
