import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ControlClient } from "../../src/node/controlClient.ts";
import { windowClient } from "../../src/node/windowClient.ts";
import { money, shortTokens } from "../../src/vscode/amounts.ts";
import { COMMANDS } from "../../src/vscode/contributions.ts";
import { codexProvider, type CodexUsage } from "../realClients/codex.ts";
import type { HostWindow } from "./host.ts";
import {
  answerInput,
  copiedKey,
  eventually,
  explainFailures,
  type HostSession,
  signInByDevice,
  START_MS,
  startSession,
  TEST_MS,
  WAIT_MS,
} from "./hostSession.ts";
import { packagedExtension } from "./packagedExtension.ts";

const LARGEST_VSIX_BYTES = 600 * 1024;

describe("the extension in a real VS Code", function () {
  this.timeout(TEST_MS);

  let session: HostSession;
  let window: HostWindow;
  let control: ControlClient;

  before(async function () {
    this.timeout(START_MS);
    session = await startSession();
    window = await session.host.openWindow();
    control = await session.control();
  });

  after(() => session?.close());

  explainFailures(() => session);

  /** Presses a button of a notification that says this. In an editor under test they go to the notification center without a sound. */
  async function press(message: RegExp, button: string): Promise<void> {
    const notification = window.page
      .locator(".notifications-center .notification-list-item")
      .filter({ hasText: message })
      .first();
    await eventually(
      async () => {
        await window.ask("execute", { command: "notifications.showList" });
        return notification.isVisible();
      },
      `the notification "${String(message)}"`,
    );
    await notification.getByRole("button", { name: button, exact: true }).click({ timeout: WAIT_MS });
    await window.ask("execute", { command: "notifications.hideList" });
  }

  it("is installed from a package that is small", async () => {
    const { bytes } = await packagedExtension();
    assert.ok(bytes < LARGEST_VSIX_BYTES, `${bytes} bytes`);
    const { isActive, path } = (await window.ask("extension", { id: "patchbay.patchbay" })) as {
      readonly isActive: boolean;
      readonly path: string;
    };
    assert.ok(isActive);
    assert.ok(path.startsWith(session.host.extensions), path);
  });

  it("has registered every command, and left the host's globals alone", async () => {
    const known = (await window.ask("commands")) as readonly string[];
    assert.deepEqual(
      COMMANDS.filter((command) => !known.includes(command)),
      [],
    );
    assert.equal(await window.ask("globalsAreOwn"), true);
  });

  it("hands out an address and a key that a client is answered with", async () => {
    await window.ask("execute", { command: "patchbay.copyBaseUrl" });
    assert.equal(await window.ask("clipboard"), `${(await control.state()).url}/v1`);
    const key = await copiedKey(window);
    assert.match(key, /^pb_/);
    assert.equal((await session.ask(key, "Say ok.")).status, 200);
    assert.equal(await copiedKey(window), key, "the same window has the same key");
  });

  it("shows in the status bar what the ledger holds", async () => {
    const key = await copiedKey(window);
    await (await session.ask(key, "[[tokens:1500]]")).text();
    const [total] = await control.usage({ by: "none" });
    assert.ok(total !== undefined && total.output_tokens >= 1500);
    const expected = `${shortTokens(total.input_tokens + total.output_tokens)} tok · ${money(total.cost_usd)}`;
    await eventually(async () => (await window.statusText()).includes(expected), `"${expected}" in the status bar`);
  });

  it("shows in the panel what the ledger holds, and keeps it over a reload", async () => {
    await window.ask("execute", { command: "patchbay.showUsage" });
    const [total] = await control.usage({ by: "none" });
    const shown = async (): Promise<string> => {
      const texts = await Promise.all(
        window.page.frames().map((frame) =>
          frame
            .locator("main.panel")
            .innerText({ timeout: 500 })
            .catch(() => ""),
        ),
      );
      return texts.join("\n");
    };
    const tokens = (total?.input_tokens ?? 0) + (total?.output_tokens ?? 0);
    const figure = new RegExp(
      `${tokens.toLocaleString("en-US")}|${shortTokens(tokens)}|${(tokens / 1000).toFixed(2)}`,
      "i",
    );
    await eventually(async () => figure.test(await shown()), `${figure.source} in the panel`);
    await window.reload();
    await eventually(async () => figure.test(await shown()), "the panel after the reload");
  });

  it("brings its editor tab back after a reload", async () => {
    await window.ask("execute", { command: "patchbay.openUsage" });
    await window.reload();
    await eventually(
      async () => ((await window.ask("openEditors")) as readonly string[]).includes("Patchbay Usage"),
      "the tab",
    );
    const shown = async (): Promise<boolean> => {
      const pages = window.page.frames().map((frame) => frame.locator('html[data-place="editor"] main.panel'));
      return (await Promise.all(pages.map((one) => one.isVisible().catch(() => false)))).includes(true);
    };
    await eventually(shown, "the page in the tab");
  });

  it("answers a real Codex in the integrated terminal, and meters what Codex was told", async () => {
    const home = join(session.folder, "codex");
    const saved = join(session.folder, "codex.jsonl");
    await mkdir(home);
    const { url } = await control.state();
    const config = codexProvider(`${url}/v1`, ['env_key = "PATCHBAY_KEY"']);
    await writeFile(join(home, "config.toml"), config);
    const launcher = fileURLToPath(import.meta.resolve("@openai/codex/bin/codex.js"));
    await window.ask("terminal", {
      environment: { CODEX_HOME: home, HOME: home, PATCHBAY_KEY: await copiedKey(window) },
      line: `"${process.execPath}" "${launcher}" exec --json --skip-git-repo-check "Say hello." > "${saved}" < /dev/null`,
    });
    const usage = await eventually(async () => {
      const lines = (await readFile(saved, "utf8").catch(() => "")).split("\n").filter((line) => line.endsWith("}"));
      const events = lines.map((line) => JSON.parse(line) as { readonly type: string; readonly usage?: CodexUsage });
      return events.find(({ type }) => type === "turn.completed")?.usage;
    }, "the end of Codex's turn");
    const rows = await windowClient(control).rows({ limit: 20 });
    const own = rows?.rows.filter(({ client }) => client?.startsWith("codex") === true) ?? [];
    const sum = (field: "input_tokens" | "output_tokens"): number => own.reduce((all, row) => all + row[field], 0);
    assert.ok(own.length > 0);
    assert.deepEqual([sum("input_tokens"), sum("output_tokens")], [usage.input_tokens, usage.output_tokens]);
  });

  it("keeps a secret that was entered, over a reload and a new process", async () => {
    await window.ask("start", { command: "patchbay.setOpenaiKey" });
    await answerInput(window, "");
    await answerInput(window, "sk-patchbay-sandbox");
    await eventually(async () => (await windowClient(control).credentials())?.openai, "the key in the process");
    await window.reload();
    await window.ask("execute", { command: "patchbay.restartProxy" });
    control = await session.control();
    await eventually(async () => (await windowClient(control).credentials())?.openai, "the key in the new process");
  });

  it("tests each upstream with a tiny request, and tells its time and cost", async () => {
    await window.ask("start", { command: "patchbay.testConnection" });
    await window.page
      .getByText(/OpenAI: \S+ answered in [\d.]+ s, \d+ tokens, (<?\$[\d.]+)/)
      .first()
      .waitFor({ timeout: WAIT_MS });
  });

  it("does not keep a key that its upstream refuses", async () => {
    await window.ask("start", { command: "patchbay.setOpenrouterKey" });
    await answerInput(window, "");
    await answerInput(window, "sk-bad-key");
    await window.page.getByText("OpenRouter does not accept this key").first().waitFor({ timeout: WAIT_MS });
    assert.equal((await windowClient(control).credentials())?.openrouter, false);
  });

  it("signs in with ChatGPT by a device code, after a word on the terms", async () => {
    await signInByDevice(window, control);
  });

  it("has a model of the plan answered by another upstream for money, and takes that back", async () => {
    const key = await copiedKey(window);
    const answeredBy = async (): Promise<string | undefined> => {
      assert.equal((await session.ask(key, "Say ok.")).status, 200);
      return (await windowClient(control).rows({ limit: 1 }))?.rows[0]?.upstream;
    };
    assert.equal(await answeredBy(), "codex");
    await window.ask("start", { command: "patchbay.useAnotherUpstream", given: ["gpt-5.5"] });
    await answerInput(window, "your API key");
    await eventually(async () => (await answeredBy()) === "openai", "the route");
    await press(/gpt-5\.5 is answered by OpenAI from now on, for money/, "Undo");
    await eventually(async () => (await answeredBy()) === "codex", "the end of the route");
  });

  it("signs out of ChatGPT", async () => {
    await window.ask("execute", { command: "patchbay.signOut" });
    await eventually(async () => (await control.signIn())?.state === "signed_out", "the end of the sign-in");
  });

  it("opens from the notice of a used-up quota the input that raises it", async () => {
    const { key } = await control.addKey({ label: "metered", quota: "1/day" });
    await session.ask(key, "Say ok.");
    await eventually(async () => (await session.ask(key, "Say ok.")).status === 429, "the refusal");
    await press(/Patchbay key "metered" has used up its token quota/, "Raise Limit");
    await answerInput(window, "0");
    await eventually(async () => (await session.ask(key, "Say ok.")).status === 200, "the raised quota");
  });

  it("explains a limit that was hit where the user is", async () => {
    const { key } = await control.addKey({ label: "small", models: ["nothing"] });
    assert.equal((await session.ask(key, "Say ok.")).status, 403);
    await window.page
      .getByText(/Patchbay key.* may not use/)
      .first()
      .waitFor({ timeout: WAIT_MS });
  });
});
