import assert from "node:assert/strict";
import type { PanelRequest } from "../../src/panel/messages.ts";
import { type OpenPanel, type PanelBrowser, startPanelBrowser } from "./panelRig.ts";
import { FULL, SAMPLE_TIME, sampleUsage } from "./samples.ts";

const STREAMS = 50;
const LONG_TASK_MS = 50;
const BUNDLE_LIMIT_BYTES = 250 * 1024;

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Time of the processor, in microseconds. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

function streams(tokens: (stream: number) => number): PanelRequest[] {
  return Array.from({ length: STREAMS }, (_, stream): PanelRequest => {
    const facts = { keyLabel: "laptop", model: "gpt-5.5-codex", client: "codex_cli", upstream: "codex" } as const;
    const outputTokens = tokens(stream);
    const startedAt = SAMPLE_TIME - 2000 - stream;
    return { id: `stream-${stream}`, startedAt, ...facts, phase: "streaming", firstTokenMs: 500, outputTokens };
  });
}

describe("the usage panel with fifty streams", function () {
  this.timeout(30_000);
  let browser: PanelBrowser;
  let panel: OpenPanel;

  before(async () => {
    browser = await startPanelBrowser();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    panel = await browser.open();
    await panel.send({ ...FULL, requests: streams(() => 100) });
  });
  afterEach(() => panel.close());

  it("changes the rows that changed, and nothing else on the page", async () => {
    await panel.page.evaluate(`(() => {
      window.touched = new Set();
      window.rows = new Set();
      new MutationObserver((records) => {
        for (const { target } of records) {
          const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
          window.touched.add(element.closest("tr") ?? element);
          if (element.closest(".live-table tr")) window.rows.add(element.closest("tr"));
        }
      }).observe(document.querySelector("main"), { subtree: true, childList: true, characterData: true, attributes: true });
    })()`);
    const changed = streams((stream) => 100 + stream).slice(10, 13);
    await panel.send({ version: 1, type: "live", sentAt: SAMPLE_TIME, requests: changed, settled: [] });
    assert.deepEqual(await panel.page.evaluate("[window.touched.size, window.rows.size]"), [3, 3]);
    assert.equal(await panel.page.locator(".live-table tbody tr").count(), STREAMS);
  });

  it("keeps the browser's main thread free: no task takes as long as 50 ms of work", async () => {
    const usage = sampleUsage();
    const rounds = Array.from({ length: 16 }, (_, round) => ({
      version: 1,
      type: "live",
      sentAt: SAMPLE_TIME + round * 250,
      requests: streams((stream) => 100 + round * (5 + (stream % 7))),
      settled: [],
    }));
    const snapshot = {
      ...FULL,
      sentAt: SAMPLE_TIME + 2000,
      requests: streams(() => 200),
      usage: { ...usage, sums: { ...usage.sums, today: { ...usage.sums.today, requests: 138 } } },
    };
    await browser.browser.startTracing(panel.page, { categories: ["devtools.timeline", "toplevel", "__metadata"] });
    await panel.page.evaluate(`new Promise((done) => {
      const messages = ${JSON.stringify([...rounds.slice(0, 8), snapshot, ...rounds.slice(8)])};
      const timer = setInterval(() => {
        const message = messages.shift();
        if (message !== undefined) return window.postMessage(message, "*");
        clearInterval(timer);
        requestAnimationFrame(() => requestAnimationFrame(() => done()));
      }, 250);
    })`);
    const trace = await browser.browser.stopTracing();
    const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: readonly TraceEvent[] };
    const mains = new Set(
      traceEvents
        .filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
        .map(({ pid, tid }) => `${pid} ${tid}`),
    );
    const tasks = traceEvents.filter(({ name, pid, tid }) => name.endsWith("RunTask") && mains.has(`${pid} ${tid}`));
    const longest = Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000));
    assert.ok(tasks.length > rounds.length && longest > 0, "the trace holds the tasks");
    assert.ok(longest < LONG_TASK_MS, `the longest task worked ${longest.toFixed(1)} ms`);
    const last = panel.page.locator(".live-table tbody tr").first().locator("td");
    assert.equal((await last.allInnerTexts())[2], "175");
  });

  it("takes no more than 250 KB of script", () => {
    assert.ok(browser.scriptBytes < BUNDLE_LIMIT_BYTES, `${browser.scriptBytes} bytes`);
  });
});
