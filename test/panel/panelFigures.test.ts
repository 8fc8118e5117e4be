import assert from "node:assert/strict";
import type { Locator } from "playwright-core";
import type { PanelLive, PanelSnapshot } from "../../src/panel/messages.ts";
import { chartDrawn, holdsInPage, type OpenPanel, type PanelBrowser, startPanelBrowser } from "./panelRig.ts";
import { EMPTY, FAILED, FIRST_VIEW, FULL, SAMPLE_TIME, sampleUsage, STOPPED } from "./samples.ts";
import { THEMES } from "./themes.ts";

/** The texts of a table's rows, cell by cell. */
async function cellsOf(table: Locator): Promise<string[][]> {
  const rows = await table.getByRole("row").all();
  return Promise.all(
    rows.map(async (row) =>
      (await row.locator("th, td").allInnerTexts()).map((text) => text.replaceAll("\u00a0", " ")),
    ),
  );
}

function live(change: Partial<PanelLive>): PanelLive {
  return { version: 1, type: "live", sentAt: SAMPLE_TIME, requests: [], settled: [], ...change };
}

describe("the usage panel's figures", function () {
  this.timeout(30_000);
  let browser: PanelBrowser;
  let panel: OpenPanel;

  before(async () => {
    browser = await startPanelBrowser();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    panel = await browser.open();
  });
  afterEach(async () => {
    assert.deepEqual(panel.complaints, []);
    await panel.close();
  });

  it("are those of the message: sums, groups and cache share", async () => {
    await panel.send(FULL);
    assert.deepEqual(await panel.page.getByRole("radiogroup", { name: "Range" }).getByRole("radio").allInnerTexts(), [
      "Today\n$2.88\n3.1M tokens\n137 requests",
      "7 days\n$21.87 + unknown\n21M tokens\n939 requests",
      "30 days\n$85.49\n69.6M tokens\n3,120 requests",
    ]);
    assert.deepEqual(await cellsOf(panel.page.getByRole("table", { name: "Usage by group" })), [
      ["Model", "Requests", "Input", "Cached", "Output", "Cost"],
      ["gpt-5.5-codex", "412 (6 failed)", "8,849,760", "75%", "346,904", "$12.85"],
      ["anthropic/claude-sonnet-5", "188 (3 failed)", "4,038,240", "75%", "158,296", "$7.80"],
      ["x-ai/grok-code-fast-1", "240 (4 failed)", "5,155,200", "75%", "202,080", "$1.01"],
      ["gpt-5.5-mini", "96 (1 failed)", "2,062,080", "75%", "80,832", "$0.2016"],
      ["my-own-model", "3", "64,440", "75%", "2,526", "–"],
      ["Total", "939 (14 failed)", "20,169,720", "75%", "790,638", "$21.87 + unknown"],
    ]);
    const tallies = await panel.page.locator(".tallies > div").allInnerTexts();
    assert.deepEqual(tallies, ["Input\n20.2M", "From cache\n75%", "Output\n790.6K", "Reasoning\n354K", "Failed\n14"]);
  });

  it("are the same in the table as in the chart, in tokens and in dollars", async () => {
    await panel.send(FULL);
    await panel.page.getByRole("button", { name: "Show Table" }).click();
    const table = panel.page.locator(".series-table table");
    const { buckets, groups } = sampleUsage();
    const shown = await cellsOf(table);
    assert.deepEqual(shown[0], ["Time", ...groups.map(({ label }) => label), "Total"]);
    assert.equal(shown.length, buckets.length + 2);
    for (const [place, { tokens }] of buckets.entries()) {
      const figures = [...tokens, tokens.reduce((sum, count) => sum + count, 0)];
      assert.deepEqual(
        shown[place + 1]?.slice(1),
        figures.map((count) => count.toLocaleString("en-US")),
      );
    }
    assert.equal(await panel.page.locator(".chart canvas").isVisible(), false);
    await panel.page.getByRole("radio", { name: "Cost" }).click();
    assert.deepEqual((await cellsOf(table))[1], ["Nov 15", "$1.65", "$1.00", "$0.1296", "$0.0259", "–", "$2.81"]);
  });

  it("of running requests follow each message, down to how they ended", async () => {
    await panel.send(FULL);
    const table = panel.page.getByRole("table", { name: "Live requests" });
    const waiting = FULL.requests[0]!;
    assert.deepEqual((await cellsOf(table))[1], [
      "anthropic/claude-sonnet-5\nopencode · work · OpenRouter",
      "Waiting",
      "–",
      "0",
      "–",
      "–",
    ]);
    const streaming = { ...waiting, phase: "streaming" as const, firstTokenMs: 900, outputTokens: 300, costUsd: 0.004 };
    await panel.send(live({ sentAt: waiting.startedAt + 3900, requests: [streaming] }));
    assert.deepEqual((await cellsOf(table))[1]?.slice(1), ["Streaming", "900 ms", "300", "100/s", "≥ $0.004"]);
    assert.equal(await panel.page.locator(".live-count").innerText(), "3 requests running");
    const settlement = { id: waiting.id, firstTokenMs: 900, totalMs: 4900, outputTokens: 412, costUsd: 0.0123 };
    await panel.send(live({ settled: [{ ...settlement, ending: "upstream_cut" }] }));
    assert.deepEqual((await cellsOf(table))[1]?.slice(1), ["Cut off", "900 ms", "412", "103/s", "$0.0123"]);
    assert.equal(await panel.page.locator(".live-count").innerText(), "2 requests running");
    await panel.send(live({ requests: [streaming] }));
    assert.equal((await cellsOf(table))[1]?.[1], "Cut off", "a late message brings no request back");
  });

  it("of balances count down, and are marked when little is left", async () => {
    await panel.send(FULL);
    const texts = await panel.page.locator(".balance-item").allInnerTexts();
    assert.match(texts[0]!, /^ChatGPT Plus, 5 hours\n+62% used\n+resets in 2 h 13 min$/);
    assert.match(texts[2]!, /^OpenRouter credits\n+\$14\.20 left of \$25\.00$/);
    assert.match(texts[3]!, /^Key laptop\n+41% used\n+824,000 of 2,000,000 tokens · resets in 9 h 55 min$/);
    assert.match(texts[4]!, /^Key ci\n+\$0\.00 left of \$5\.00\n+refused until there is credit\n+Add Credit$/);
    const levels = await panel.page
      .getByRole("meter")
      .evaluateAll((meters) => meters.map((one) => one.dataset["level"]));
    assert.deepEqual(levels, ["enough", "low", "enough", "enough", "out"]);
    await panel.send({ ...FULL, sentAt: SAMPLE_TIME + 2 * 3_600_000 });
    assert.match((await panel.page.locator(".balance-item").allInnerTexts())[0]!, /resets in 13 min$/);
  });

  it("are words, never markup, whatever a model or a client calls itself", async () => {
    const name = '<img src=x onerror="document.title=1">';
    const usage = sampleUsage();
    await panel.send({
      ...FULL,
      usage: { ...usage, groups: usage.groups.map((group) => ({ ...group, label: name })) },
      requests: FULL.requests.map((request) => ({ ...request, model: name, client: name })),
      failures: FULL.failures.map((failure) => ({ ...failure, sentence: name, model: name })),
    });
    assert.equal(await panel.page.locator("img").count(), 0);
    assert.ok((await panel.page.locator(".failure-sentence").first().innerText()).includes(name));
    assert.equal(await panel.page.title(), "Patchbay usage");
  });

  it("say that nothing is known while the proxy is stopped, and are kept where it has failed", async () => {
    await panel.send(STOPPED);
    assert.equal(await panel.page.locator(".proxy-state").innerText(), "Proxy is stopped");
    assert.equal(await panel.page.locator(".nothing").innerText(), "Usage can be seen while the proxy is running.");
    assert.equal(await panel.page.locator(".usage-figures").isVisible(), false);
    await panel.page.getByRole("button", { name: "Start Proxy" }).click();
    await panel.send(FAILED);
    assert.match(await panel.page.locator(".proxy").innerText(), /Proxy has failed\n+The database is damaged/);
    assert.equal(await panel.page.locator(".usage-figures").isVisible(), true);
    assert.deepEqual((await panel.said()).slice(1), [
      { version: 1, type: "run", action: { label: "Start Proxy", command: "patchbay.startProxy" } },
    ]);
  });

  it("stay where a running proxy could not be asked this once", async () => {
    await panel.send({ ...FULL, usage: null });
    assert.equal(await panel.page.locator(".nothing").innerText(), "Reading the usage …");
    await panel.send(FULL);
    await panel.send({ ...FULL, usage: null });
    assert.equal(await panel.page.locator(".usage-figures").isVisible(), true);
    await panel.send(STOPPED);
    assert.equal(await panel.page.locator(".usage-figures").isVisible(), false);
  });

  it("give way to the first steps in a new installation", async () => {
    await panel.send(EMPTY);
    assert.equal(await panel.page.getByRole("heading", { name: "Nothing has been used yet" }).isVisible(), true);
    assert.equal(await panel.page.locator(".columns").isVisible(), false);
    assert.deepEqual(await panel.page.locator(".step h3").allTextContents(), [
      "Start the proxy (done)",
      "Sign in, or add a key",
      "Connect your agent",
    ]);
    await panel.page.getByRole("button", { name: "Sign In with ChatGPT" }).click();
    const [, run] = await panel.said();
    assert.deepEqual(run, {
      version: 1,
      type: "run",
      action: { label: "Sign In with ChatGPT", command: "patchbay.signIn" },
    });
    await panel.send(FULL);
    assert.equal(await panel.page.locator(".first-steps").isVisible(), false);
  });

  it("stay as they are when something arrives that is no message of ours", async () => {
    await panel.send(FULL);
    const before = await panel.page.locator("main").innerText();
    for (const data of [null, "text", 7, {}, { ...EMPTY, version: 2 }, { ...EMPTY, failures: 1 }, { type: "live" }])
      await panel.post(data);
    await panel.send(live({}));
    assert.equal(await panel.page.locator("main").innerText(), before);
  });

  it("are drawn anew in the colours of another theme", async () => {
    await panel.send(FULL);
    await chartDrawn(panel.page);
    const colourOf = `(() => {
      const canvas = document.querySelector(".chart canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const seen = new Set();
      for (let at = 0; at < data.length; at += 4)
        if (data[at + 3] === 255) seen.add([data[at], data[at + 1], data[at + 2]].join());
      return [seen.has("89,164,249"), seen.has("0,99,211")];
    })()`;
    assert.deepEqual(await panel.page.evaluate(colourOf), [true, false]);
    const variables = JSON.stringify(THEMES[1]!.variables);
    await panel.page.evaluate(`(() => {
      for (const [name, value] of Object.entries(${variables}))
        document.documentElement.style.setProperty("--vscode-" + name, value);
      document.body.className = "vscode-light";
    })()`);
    await holdsInPage(panel.page, `(${colourOf})[1]`);
    assert.deepEqual(await panel.page.evaluate(colourOf), [false, true]);
  });

  it("wait for the answer to a choice, and pass over the answer to an earlier one", async () => {
    await panel.send(FULL);
    const usage = panel.page.locator("section.usage");
    await panel.page.getByRole("radio", { name: "Today" }).click();
    assert.equal(await usage.getAttribute("aria-busy"), "true");
    await panel.send(FULL);
    assert.equal(await usage.getAttribute("aria-busy"), "true");
    const today: PanelSnapshot = { ...FULL, usage: sampleUsage({ ...FIRST_VIEW, range: "today" }) };
    await panel.send(today);
    assert.equal(await usage.getAttribute("aria-busy"), null);
    assert.match(
      (await panel.page.getByRole("img").getAttribute("aria-label")) ?? "",
      /^Tokens per hour by model, today/,
    );
    assert.equal(await panel.page.getByRole("status").innerText(), "Usage of today by model is shown.");
  });
});
