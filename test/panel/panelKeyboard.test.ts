import assert from "node:assert/strict";
import { type OpenPanel, type PanelBrowser, startPanelBrowser } from "./panelRig.ts";
import { FIRST_VIEW, FULL, sampleUsage } from "./samples.ts";

/** What has the focus, by role and name. */
const FOCUSED = `(() => {
  const focused = document.activeElement;
  const outline = getComputedStyle(focused).outlineStyle;
  const name = focused.getAttribute("aria-label") ?? focused.innerText.split("\\n")[0];
  return { what: (focused.getAttribute("role") ?? focused.localName) + " " + name, visible: outline !== "none" };
})()`;

describe("the usage panel by keyboard", function () {
  this.timeout(30_000);
  let browser: PanelBrowser;
  let panel: OpenPanel;

  before(async () => {
    browser = await startPanelBrowser();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    panel = await browser.open();
    await panel.send(FULL);
  });
  afterEach(() => panel.close());

  function focused(): Promise<{ what: string; visible: boolean }> {
    return panel.page.evaluate(FOCUSED);
  }

  it("reaches everything in the order of reading, a group of choices in one stop, and shows where it is", async () => {
    const stops: string[] = [];
    for (let stop = 0; stop < 12; stop += 1) {
      await panel.page.keyboard.press("Tab");
      const { what, visible } = await focused();
      assert.ok(visible, `${what} shows that it has the focus`);
      stops.push(what);
    }
    assert.deepEqual(stops, [
      "button Copy Base URL",
      "group Live requests",
      "radio 7 days",
      "radio Tokens",
      "radio Model",
      "select Key",
      "select Model",
      "button Show Table",
      "button Export",
      "button Add Credit",
      "button Add Credit",
      "button Show Logs",
    ]);
  });

  it("moves through a group by arrows, Home and End, and chooses what it comes to", async () => {
    await panel.page.getByRole("radio", { name: "7 days" }).focus();
    const seen: string[] = [];
    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "Home", "End"]) {
      await panel.page.keyboard.press(key);
      seen.push((await focused()).what);
    }
    assert.deepEqual(seen, ["radio 30 days", "radio Today", "radio 30 days", "radio Today", "radio 30 days"]);
    const [ready, ...asked] = await panel.said();
    assert.deepEqual(ready, { version: 1, type: "ready", view: FIRST_VIEW });
    const ranges = asked.map((message) => (message.type === "choose" ? message.view.range : message.type));
    assert.deepEqual(ranges, ["30d", "today", "30d", "today", "30d"]);
  });

  it("uses buttons by Enter and by the space bar", async () => {
    await panel.page.getByRole("button", { name: "Export" }).focus();
    await panel.page.keyboard.press("Enter");
    await panel.page.getByRole("button", { name: "Show Table" }).focus();
    await panel.page.keyboard.press(" ");
    assert.equal(await panel.page.locator(".series-table").isVisible(), true);
    assert.deepEqual((await panel.said()).at(-1), { version: 1, type: "export", view: FIRST_VIEW });
  });

  it("keeps its place when new figures come", async () => {
    await panel.page.locator(".failures").getByRole("button", { name: "Show Logs" }).focus();
    await panel.send({ ...FULL, failures: [{ ...FULL.failures[0]!, id: "req-9", actions: [] }, ...FULL.failures] });
    assert.equal((await focused()).what, "button Show Logs");
  });

  it("asks for a key and a model by the lists", async () => {
    await panel.page.getByRole("combobox", { name: "Key" }).selectOption("key-work");
    await panel.page.getByRole("combobox", { name: "Model" }).selectOption("gpt-5.5-mini");
    const view = { ...FIRST_VIEW, key: "key-work", model: "gpt-5.5-mini" };
    assert.deepEqual((await panel.said()).at(-1), { version: 1, type: "choose", view });
    await panel.send({ ...FULL, choices: { keys: [], models: [] }, usage: sampleUsage(view) });
    assert.equal(await panel.page.getByRole("combobox", { name: "Key" }).inputValue(), "key-work", "still to be seen");
  });

  it("finds its choices again after a reload", async () => {
    await panel.page.getByRole("radio", { name: "30 days" }).click();
    await panel.page.getByRole("radio", { name: "Client" }).click();
    await panel.page.getByRole("radio", { name: "Cost" }).click();
    await panel.page.getByRole("button", { name: "Show Table" }).click();
    await panel.page.reload();
    const view = { ...FIRST_VIEW, range: "30d", groupBy: "client" } as const;
    assert.deepEqual(await panel.said(), [{ version: 1, type: "ready", view }]);
    await panel.send({ ...FULL, usage: sampleUsage(view) });
    for (const name of ["30 days", "Client", "Cost"])
      assert.equal(await panel.page.getByRole("radio", { name }).isChecked(), true, name);
    assert.equal(await panel.page.locator(".series-table").isVisible(), true);
  });
});
