import assert from "node:assert/strict";
import { mkdir, stat } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";

import type { HostWindow } from "./host.ts";
import {
  eventually,
  explainFailures,
  type HostSession,
  START_MS,
  startSession,
  signInByDevice,
  TEST_MS,
  WAIT_MS,
} from "./hostSession.ts";
import { seedUsage } from "./seededUsage.ts";

/** Those that the README shows are copied from here to `media`. */
const FOLDER = join(import.meta.dirname, "..", "..", ".cache", "screenshots");
const THEMES = [
  ["dark", "Dark 2026"],
  ["light", "Light 2026"],
  ["high-contrast", "Default High Contrast"],
] as const;
/** High enough for the chart. */
const VIEWPORT = { width: 1280, height: 960 };
const DAYS = 30;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Found {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}
/** It says that an extension is being developed, which is true of the tests' driver alone. */
const TITLE_BAR_PIXELS = 36;
/** Around the tooltip in its picture. */
const MARGIN = 12;

/** Who asks, and whom. */
interface Caller {
  readonly upstream: string;
  readonly model: string;
  readonly client: string;
}

describe("pictures of a real VS Code", function () {
  this.timeout(TEST_MS);

  let session: HostSession;
  let window: HostWindow;
  const leaving = new AbortController();

  before(async function () {
    this.timeout(START_MS);
    await mkdir(FOLDER, { recursive: true });
    session = await startSession();
    window = await session.host.openWindow("my-project");
    await window.page.setViewportSize(VIEWPORT);
    await window.ask("execute", { command: "workbench.action.closeSidebar" });
    await window.ask("execute", { command: "patchbay.showUsage" });
    await window.ask("execute", { command: "workbench.action.toggleMaximizedPanel" });
    await panelOf(window.page, /first request/i);
  });

  after(async () => {
    leaving.abort();
    await session?.close();
  });

  explainFailures(() => session);

  for (const [name, theme] of THEMES)
    it(`shows in ${name} how to begin where nothing was used yet`, async () => {
      await choose(theme);
      await take(name, "empty");
      assert.deepEqual(await findings(window.page), []);
    });

  it("has work to show: a sign-in, keys, a month of requests and some that are running", async () => {
    const control = await session.control();
    const keys = [
      await control.addKey({ label: "Codex on the laptop", quota: "60000000/7d" }),
      await control.addKey({ label: "agent", credit: "0.80" }),
      await control.addKey({ label: "workshop" }),
    ];
    await window.ask("execute", { command: "patchbay.stopProxy" });
    await eventually(async () => (await session.find()) === undefined, "the end of the process");
    seedUsage(
      session.host.dataDirectory,
      keys.map(({ id }) => id),
      DAYS,
      Date.now(),
    );
    await window.ask("execute", { command: "patchbay.startProxy" });
    const restarted = await session.control();
    // The sandbox forgets its accounts with its process.
    await signInByDevice(window, restarted);
    await window.ask("execute", { command: "notifications.clearAll" });
    const { url } = await restarted.state();
    const [laptop = "", , workshop = ""] = keys.map(({ key }) => key);
    const codex = { upstream: "codex", model: "gpt-6.1-sol", client: "codex_exec/0.169.0" };
    await ask(url, laptop, codex, "[[limits:plus]] [[tokens:20]]");
    for (const [key, caller] of [
      [laptop, codex],
      [workshop, { upstream: "openai", model: "gpt-5.5", client: "opencode/1.18.33" }],
      [workshop, { upstream: "openrouter", model: "qwen/qwen3-coder", client: "opencode/1.18.33" }],
    ] as const)
      void ask(url, key, caller, "[[tokens:4000]][[delay:60]]").catch(() => undefined);
    await eventually(async () => (await restarted.state()).inFlight === 3, "the running requests");
    await panelOf(window.page, /Codex on the laptop/);
  });

  for (const [name, theme] of THEMES)
    it(`shows in ${name} what is used, by whom, and what is left`, async () => {
      await choose(theme);
      await take(name, "full");
      assert.deepEqual(await findings(window.page), []);
    });

  async function ask(url: string, key: string, caller: Caller, prompt: string): Promise<void> {
    const { upstream, model, client } = caller;
    const answer = await fetch(`${url}/api/proxy/${upstream}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "user-agent": client },
      body: JSON.stringify({
        model,
        stream: true,
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: prompt },
        ],
      }),
      signal: leaving.signal,
    });
    assert.equal(answer.status, 200, await (answer.ok ? "" : answer.text()));
    await answer.text();
  }

  async function choose(theme: string): Promise<void> {
    await window.ask("configure", { name: "workbench.colorTheme", value: theme });
    const panel = await panelOf(window.page, /Patchbay|running|proxy/i);
    const kind = theme.includes("High")
      ? "vscode-high-contrast"
      : theme.includes("Light")
        ? "vscode-light"
        : "vscode-dark";
    await eventually(
      async () => (await panel.evaluate((main) => main.ownerDocument.body.className)).split(" ").includes(kind),
      `${theme} in the panel`,
    );
  }

  async function take(name: string, state: "empty" | "full"): Promise<void> {
    const { page } = window;
    await page.mouse.move(640, 300);
    await page.locator(".monaco-hover").first().waitFor({ state: "hidden", timeout: WAIT_MS });
    const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
    const window_ = { x: 0, y: TITLE_BAR_PIXELS, width, height: height - TITLE_BAR_PIXELS };
    await picture(`workbench-${name}-${state}.png`, (path) => page.screenshot({ path, clip: window_ }));
    // The editor takes a tooltip away when its text changes, as it does while requests run.
    await eventually(async () => {
      const tooltip = await tooltipOf(window);
      const box = await tooltip.boundingBox();
      if (box === null) return false;
      const [left, top] = [box.x - MARGIN, box.y - MARGIN];
      const clip = { x: left, y: top, width: box.width + 2 * MARGIN, height: height - top };
      await picture(`status-${name}-${state}.png`, (path) => page.screenshot({ path, clip }));
      return tooltip.isVisible();
    }, "a tooltip that stays");
  }
});

/** What axe-core finds in the panel, in the colours that the editor really gives it. */
async function findings(page: Page): Promise<readonly string[]> {
  const frame = await (await (await panelOf(page, /./)).elementHandle())?.ownerFrame();
  assert.ok(frame);
  // The frame is transparent, and axe-core cannot see what lies behind it.
  await frame.evaluate('document.documentElement.style.background = "var(--vscode-panel-background)"');
  await frame.evaluate(AXE);
  const found = await frame.evaluate<Found>("window.axe.run(document)");
  return found.violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}\n${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`,
  );
}

async function picture(name: string, take: (path: string) => Promise<unknown>): Promise<void> {
  const path = join(FOLDER, name);
  await take(path);
  assert.ok((await stat(path)).size > 5_000, `${name} shows something`);
}

/** The panel's page, as soon as it shows what is looked for. */
async function panelOf(page: Page, text: RegExp): Promise<Locator> {
  return eventually(async () => {
    for (const frame of page.frames()) {
      const main = frame.locator("main.panel");
      if (text.test(await main.innerText({ timeout: 500 }).catch(() => ""))) return main;
    }
    return undefined;
  }, `the panel with ${text.source}`);
}

async function tooltipOf({ page }: HostWindow): Promise<Locator> {
  await page.mouse.move(640, 300);
  await page.locator('[id="patchbay.patchbay.patchbay.status"]').hover();
  const tooltip = page.locator(".monaco-hover", { hasText: "Patchbay" }).first();
  await tooltip.waitFor({ state: "visible", timeout: WAIT_MS });
  return tooltip;
}
