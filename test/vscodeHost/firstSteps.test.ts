import assert from "node:assert/strict";
import { join } from "node:path";

import { connectControl } from "../../src/node/controlClient.ts";
import { lookUpControlPath } from "../../src/node/controlPlace.ts";
import type { HostWindow } from "./host.ts";
import {
  eventually,
  explainFailures,
  type HostSession,
  START_MS,
  startSession,
  TEST_MS,
  WAIT_MS,
} from "./hostSession.ts";

describe("a real VS Code in which nothing is set up yet", function () {
  this.timeout(TEST_MS);

  let session: HostSession;
  let window: HostWindow;

  before(async function () {
    this.timeout(START_MS);
    session = await startSession({ sandbox: false });
    window = await session.host.openWindow();
    await session.control();
  });

  after(() => session?.close());

  explainFailures(() => session);

  it("shows the way to the first request", async () => {
    await window.ask("execute", { command: "patchbay.showUsage" });
    const steps = async (): Promise<boolean> => {
      const texts = window.page.frames().map((frame) => frame.locator("main.panel").innerText({ timeout: 500 }));
      const shown = (await Promise.allSettled(texts)).map((one) => (one.status === "fulfilled" ? one.value : ""));
      return shown.some((text) => /Give Patchbay an upstream/.test(text) && /Set OpenAI API Key/.test(text));
    };
    await eventually(steps, "the steps in the panel");
  });

  it("says that nobody can answer, and shows the sandbox answering in a terminal", async () => {
    const { page } = window;
    await window.ask("start", { command: "patchbay.testConnection" });
    await page.getByText("it has no upstream").first().waitFor({ timeout: WAIT_MS });
    // Toasts may be held back; the list never is.
    await window.ask("execute", { command: "notifications.showList" });
    await page.getByRole("button", { name: "Try the Sandbox" }).first().click();
    const { dataDirectory, runDirectory } = session.host;
    const sandbox = async () =>
      connectControl(await lookUpControlPath(join(dataDirectory, "sandbox"), { XDG_RUNTIME_DIR: runDirectory }));
    await eventually(async () => {
      const [total] = (await (await sandbox())?.usage({ by: "none" })) ?? [];
      return total?.requests === 2;
    }, "the sandbox's answers");
    await window.ask("execute", { command: "workbench.action.terminal.kill" });
    await eventually(async () => (await sandbox()) === undefined, "the end of the sandbox");
    assert.equal((await (await session.control()).usage({ by: "none" })).length, 0, "the real ledger is left alone");
  });

  it("walks through the first steps", async () => {
    await window.ask("execute", {
      command: "workbench.action.openWalkthrough",
      given: ["patchbay.patchbay#getStarted", false],
    });
    for (const step of ["Give Patchbay an upstream", "Start the proxy", "Connect Codex", "Connect opencode"])
      await window.page.getByText(step).first().waitFor({ timeout: WAIT_MS });
  });
});
