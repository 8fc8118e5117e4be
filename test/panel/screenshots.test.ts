import assert from "node:assert/strict";
import { mkdirSync, statSync } from "node:fs";
import type { PanelSnapshot } from "../../src/panel/messages.ts";
import { chartDrawn, type PanelBrowser, startPanelBrowser } from "./panelRig.ts";
import { EMPTY, FAILED, FULL, STOPPED } from "./samples.ts";
import { THEMES } from "./themes.ts";

const FOLDER = new URL("../../.cache/screenshots/", import.meta.url);

const STATES: readonly [name: string, snapshot: PanelSnapshot][] = [
  ["full", FULL],
  ["empty", EMPTY],
  ["stopped", STOPPED],
  ["failed", FAILED],
];

const PLACES = [
  ["editor", 1120, 900],
  ["view", 300, 900],
] as const;

describe("pictures of the usage panel", function () {
  this.timeout(60_000);
  let browser: PanelBrowser;

  before(async () => {
    mkdirSync(FOLDER, { recursive: true });
    browser = await startPanelBrowser();
  });
  after(() => browser?.close());

  for (const theme of THEMES)
    it(`are taken in ${theme.name}, and nothing is wider than its place`, async () => {
      for (const [place, width, height] of PLACES) {
        const panel = await browser.open({ theme, place, width, height });
        for (const [state, snapshot] of STATES) {
          await panel.send(snapshot);
          if (snapshot.usage !== null && snapshot.usage.groups.length > 0) await chartDrawn(panel.page);
          const path = new URL(`panel-${theme.name}-${state}-${place}.png`, FOLDER).pathname;
          await panel.page.screenshot({ path, fullPage: true });
          const wide = await panel.page.evaluate<number>("document.documentElement.scrollWidth");
          assert.equal(wide, width, `${state} at ${width} pixels`);
          assert.ok(statSync(path).size > 5000);
        }
        assert.deepEqual(panel.complaints, []);
        await panel.close();
      }
    });

  it("fit every width, also with large letters", async () => {
    const panel = await browser.open({ place: "view" });
    await panel.send(FULL);
    await panel.page.getByRole("button", { name: "Show Table" }).click();
    for (const [size, widths] of [
      ["13px", [200, 300, 420, 521, 700, 881, 1600]],
      ["22px", [300, 420, 521, 700, 881, 1600]],
    ] as const) {
      await panel.page.evaluate(`document.documentElement.style.setProperty("--vscode-font-size", "${size}")`);
      for (const width of widths) {
        await panel.page.setViewportSize({ width, height: 600 });
        const wide = await panel.page.evaluate<number>("document.documentElement.scrollWidth");
        assert.equal(wide, width, `letters of ${size} at ${width} pixels`);
      }
    }
    await panel.close();
  });
});
