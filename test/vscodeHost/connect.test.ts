import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ControlClient } from "../../src/node/controlClient.ts";
import type { KeyView } from "../../src/node/keyKeeping.ts";
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

const CODEX = ".codex/config.toml";
const CODEX_BEFORE = '# my own\r\nmodel = "gpt-5.5"   # the good one\r\n\r\n[tui]\r\nnotifications = true\r\n';
const OPENCODE = ".config/opencode/opencode.jsonc";
const OPENCODE_BEFORE = '{\n  // mine\n  "theme": "system",\n  "share": "disabled",\n}\n';
const CLINE = ".cline/data/settings/providers.json";
const CLINE_OF_LATER = '{ "version": 99 }\n';
const CODEX_LAUNCHER = fileURLToPath(import.meta.resolve("@openai/codex/bin/codex.js"));

/** The one that the README shows is copied from here to `media`. */
const PICTURES = join(import.meta.dirname, "..", "..", ".cache", "screenshots");
const VIEWPORT = { width: 1280, height: 640 };
/** It says that an extension is being developed, which is true of the tests' driver alone. */
const TITLE_BAR_PIXELS = 36;

describe("clients in a real VS Code", function () {
  this.timeout(TEST_MS);

  let session: HostSession;
  let window: HostWindow;
  let home = "";

  before(async function () {
    this.timeout(START_MS);
    home = await mkdtemp(join(tmpdir(), "patchbay-home-"));
    session = await startSession({
      environment: { HOME: home, XDG_CONFIG_HOME: join(home, ".config"), CODEX_HOME: "", OPENAI_API_KEY: "" },
    });
    window = await session.host.openWindow();
    await session.control();
    await window.page.setViewportSize(VIEWPORT);
    await window.ask("execute", { command: "workbench.action.closeSidebar" });
    await window.ask("configure", { name: "workbench.colorTheme", value: "Dark 2026" });
  });

  after(async () => {
    await session?.close();
    await rm(home, { recursive: true, force: true });
  });

  explainFailures(() => session);

  const control = (): Promise<ControlClient> => session.control();
  const read = (path: string): Promise<string> => readFile(join(home, path), "utf8");

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text);
  }

  function run(command: string, ...given: readonly string[]): Promise<unknown> {
    return window.ask("start", { command, given });
  }

  /** Picks the entry of the quick pick that is open which says this. */
  async function pick(text: string): Promise<void> {
    const widget = window.page.locator(".quick-input-widget");
    const rows = widget.locator(".monaco-list-row");
    await rows.filter({ hasText: text }).first().waitFor({ timeout: WAIT_MS });
    const input = widget.locator("input.input");
    await input.fill(text);
    await widget.locator(".monaco-list-row.focused").filter({ hasText: text }).waitFor({ timeout: WAIT_MS });
    await input.press("Enter");
    await rows.filter({ hasText: text }).first().waitFor({ state: "hidden", timeout: WAIT_MS });
  }

  /** Presses a button of a notification that says this. In an editor under test they go to the notification center without a sound. */
  async function press(message: string | RegExp, button: string): Promise<void> {
    const center = window.page.locator(".notifications-center");
    const notification = center.locator(".notification-list-item").filter({ hasText: message }).first();
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

  async function clearNotifications(): Promise<void> {
    await window.ask("execute", { command: "notifications.clearAll" });
  }

  async function editors(): Promise<readonly string[]> {
    return (await window.ask("openEditors")) as readonly string[];
  }

  async function untilEditor(title: string): Promise<void> {
    await eventually(async () => (await editors()).includes(title), `the tab "${title}"`);
  }

  async function untilNoEditor(title: string): Promise<void> {
    await eventually(async () => !(await editors()).includes(title), `the end of the tab "${title}"`);
  }

  /** The diff with its question, as the README shows it. */
  async function takePicture(): Promise<void> {
    const { page } = window;
    await page.locator(".monaco-diff-editor .line-insert").first().waitFor({ timeout: WAIT_MS });
    await window.ask("execute", { command: "notifications.showList" });
    await page.locator(".notifications-center").getByRole("button", { name: "Apply", exact: true }).waitFor();
    const { width, height } = VIEWPORT;
    const clip = { x: 0, y: TITLE_BAR_PIXELS, width, height: height - TITLE_BAR_PIXELS };
    await mkdir(PICTURES, { recursive: true });
    await page.screenshot({ path: join(PICTURES, "connect-diff.png"), clip });
  }

  async function keyOf(label: string): Promise<KeyView | undefined> {
    return (await (await control()).keys()).findLast((key) => key.label === label);
  }

  afterEach(clearNotifications);

  it("connect Codex: the modes are explained, the change is shown, and nothing changes before it is agreed to", async () => {
    await write(CODEX, CODEX_BEFORE);
    await run("patchbay.connectCodex");
    await window.page.getByText("Codex is not signed in with ChatGPT").first().waitFor({ timeout: WAIT_MS });
    await pick("recommended");
    await pick("Codex gives up within a minute");
    const title = "Connect Codex CLI (provider): config.toml";
    await untilEditor(title);
    await window.page.locator(".monaco-diff-editor").first().waitFor({ timeout: WAIT_MS });
    const [before, after] = await eventually(async () => {
      const texts = (await window.ask("shownTexts")) as readonly string[];
      return texts.length === 2 && texts;
    }, "both sides of the diff");
    assert.equal(before, CODEX_BEFORE);
    assert.match(after ?? "", /^# my own\r\nmodel = "gpt-5\.5" {3}# the good one\r\n[^]*\[model_providers\.patchbay\]/);
    assert.equal(await read(CODEX), CODEX_BEFORE);
    assert.equal(await keyOf("Codex CLI"), undefined);
    await takePicture();
    await press("Change Codex CLI's configuration as shown?", "Apply");
    await window.page.getByText("Codex CLI is connected (provider)").first().waitFor({ timeout: WAIT_MS });
    await untilNoEditor(title);
    assert.equal(await read(CODEX), after);
    assert.match(await read(CODEX), /unbounded_connection_retries = false/);
  });

  it("connect Codex so that a real one is answered, and metered under its own label", async () => {
    const saved = join(home, "codex.jsonl");
    const words = `exec --json --skip-git-repo-check "Say hello."`;
    await window.ask("terminal", {
      environment: { HOME: home },
      line: `"${process.execPath}" "${CODEX_LAUNCHER}" ${words} > "${saved}" 2>&1 < /dev/null`,
    });
    await eventually(
      async () => (await readFile(saved, "utf8").catch(() => "")).includes('"turn.completed"'),
      "the end of Codex's turn",
    );
    const used = (await keyOf("Codex CLI"))?.used;
    assert.ok(used !== undefined && used.requests > 0 && used.tokens > 0, JSON.stringify(used));
  });

  it("check the clients: the report is that of the command line, with the fixes to be chosen", async () => {
    await run("patchbay.checkClients");
    const list = window.page.locator(".quick-input-widget");
    await list.getByText("Codex CLI is connected (provider).").waitFor({ timeout: WAIT_MS });
    await pick("Open as Text");
    await untilEditor("Check Clients.txt");
    const shown = ((await window.ask("shownTexts")) as readonly string[]).find((text) => /^ok +proxy/m.test(text));
    assert.match(shown ?? "", /^ok +codex +Its key is good\./m);
    assert.match(shown ?? "", /^ok +codex +A request to \S+ through its settings was answered\./m);
    await window.ask("execute", { command: "workbench.action.closeAllEditors" });
  });

  it("say so when another program overwrites a file, and mend it with one click", async () => {
    const connected = await read(CODEX);
    await write(CODEX, CODEX_BEFORE);
    await press("Codex CLI no longer goes through Patchbay as it was connected", "Mend");
    await eventually(async () => (await read(CODEX)) === connected, "the mended file");
  });

  it("follow the proxy to another port with one click", async () => {
    const before = (await (await control()).state()).url;
    // Port 0 is another one with each process.
    await window.ask("execute", { command: "patchbay.restartProxy" });
    const { url } = await (await control()).state();
    assert.notEqual(url, before);
    await press(`The proxy is at ${url} now`, "Update Codex CLI");
    await eventually(async () => (await read(CODEX)).includes(`${url}/v1`), "the new address");
  });

  it("tell of a key that was revoked, and make a new one with one click", async () => {
    const id = (await keyOf("Codex CLI"))?.id ?? "";
    await (await control()).revokeKey(id);
    // Codex would hear it first.
    const key = await readFile(join(session.host.dataDirectory, "clients", "keys", "codex"), "utf8");
    assert.notEqual((await session.ask(key.trim(), "Say ok.")).status, 200);
    await press("Its key was revoked", "Make a New Key");
    await eventually(async () => {
      const key = await keyOf("Codex CLI");
      return key?.id !== id && key?.state === "active";
    }, "a new key");
  });

  it("disconnect Codex: the change is shown, the file is as it was to the byte, and the key is revoked", async () => {
    const { id } = (await keyOf("Codex CLI")) ?? {};
    await run("patchbay.disconnectClient");
    await pick("Codex CLI");
    await untilEditor("Disconnect Codex CLI: config.toml");
    await press("Disconnect Codex CLI as shown?", "Disconnect");
    await eventually(async () => (await read(CODEX)) === CODEX_BEFORE, "the file as it was");
    await eventually(async () => (await keyOf("Codex CLI"))?.state === "revoked", "the revoked key");
    assert.equal((await keyOf("Codex CLI"))?.id, id);
  });

  it("leave opencode's file alone when the diff is closed or discarded, and change it by the diff's own button", async () => {
    await write(OPENCODE, OPENCODE_BEFORE);
    const title = "Connect opencode (provider): opencode.jsonc";
    const start = async (): Promise<void> => {
      await run("patchbay.connectOpencode");
      await pick("Your own configuration");
      await pick("recommended");
      await untilEditor(title);
    };
    await start();
    await window.ask("execute", { command: "workbench.action.closeActiveEditor" });
    await untilNoEditor(title);
    assert.equal(await read(OPENCODE), OPENCODE_BEFORE);
    await start();
    await window.ask("execute", { command: "patchbay.discardChange" });
    await untilNoEditor(title);
    assert.equal(await read(OPENCODE), OPENCODE_BEFORE);
    // What is left of a question changes nothing.
    await press("Change opencode's configuration as shown?", "Apply");
    await window.page.getByText("nothing was done now").first().waitFor({ timeout: WAIT_MS });
    assert.equal(await read(OPENCODE), OPENCODE_BEFORE);
    await clearNotifications();
    await start();
    await window.page.getByRole("button", { name: "Apply the Shown Change" }).first().click({ timeout: WAIT_MS });
    await window.page.getByText("opencode is connected (provider)").first().waitFor({ timeout: WAIT_MS });
    const text = await read(OPENCODE);
    assert.match(text, /^\{\n {2}\/\/ mine\n {2}"theme": "system",\n/);
    assert.match(text, /"qwen\/qwen3-coder:exacto"/);
    assert.ok(!/pb_/.test(text), "no key is in the file");
    // The notification takes back what was done.
    await press("opencode is connected (provider)", "Disconnect");
    await press("Disconnect opencode as shown?", "Disconnect");
    await eventually(async () => (await read(OPENCODE)) === OPENCODE_BEFORE, "the file as it was");
    const journal = join(session.host.dataDirectory, "clients", "opencode.json");
    await eventually(async () => !existsSync(journal), "the end of the journal's entry");
    await run("patchbay.disconnectClient", "opencode");
    await window.page.getByText("This client is not connected any more").first().waitFor({ timeout: WAIT_MS });
  });

  it("have a file in the project on request, with a key of its own, and none afterwards", async () => {
    await run("patchbay.connectOpencode");
    await pick("Only in workspace");
    await pick("recommended");
    await untilEditor("Connect opencode (provider): opencode.jsonc (new file)");
    await press("Change opencode's configuration as shown?", "Apply");
    await window.page.getByText("opencode is connected (provider)").first().waitFor({ timeout: WAIT_MS });
    const key = (await (await control()).keys()).find(({ label }) => label.startsWith("opencode in "));
    const file = join(key?.label.slice("opencode in ".length) ?? "", "opencode.jsonc");
    assert.match(await readFile(file, "utf8"), /"provider"/);
    assert.equal(await read(OPENCODE), OPENCODE_BEFORE);
    await run("patchbay.disconnectClient");
    await pick("opencode");
    await untilEditor("Disconnect opencode: opencode.jsonc (removed)");
    await press("Disconnect opencode as shown?", "Disconnect");
    await eventually(async () => !existsSync(file), "the end of the file");
  });

  it("show of a key that is part of a file its end only, and keep it out of no file that needs it", async () => {
    await write(".codex/auth.json", JSON.stringify({ auth_mode: "chatgpt", tokens: { access_token: "pretend" } }));
    await run("patchbay.connectCodex");
    await window.page.getByText("Codex is signed in with ChatGPT").first().waitFor({ timeout: WAIT_MS });
    await pick("recommended");
    await pick("Codex waits without end");
    await untilEditor("Connect Codex CLI (redirect): config.toml");
    await press("Change Codex CLI's configuration as shown?", "Apply");
    const key = await eventually(
      async () => /\/k\/(pb_[\w-]+)\/v1/.exec(await read(CODEX))?.[1],
      "the key in the file",
    );
    assert.equal((await session.ask(key, "Say ok.")).status, 200);
    await run("patchbay.disconnectClient", "codex");
    await untilEditor("Disconnect Codex CLI: config.toml");
    const shown = await eventually(async () => {
      const texts = (await window.ask("shownTexts")) as readonly string[];
      return texts.find((text) => text.includes(`/k/pb_***${key.slice(-4)}/v1`)) && texts.join("\n");
    }, "the shortened key");
    assert.ok(!shown.includes(key));
    await press("Disconnect Codex CLI as shown?", "Disconnect");
    await eventually(async () => (await read(CODEX)) === CODEX_BEFORE, "the file as it was");
    await rm(join(home, ".codex/auth.json"));
  });

  it("refuse a file that does not parse, and one that changed meanwhile, with the reason", async () => {
    await write(CODEX, "model = \n");
    await run("patchbay.connectCodex");
    await window.page
      .getByText(/config\.toml stays as it is/)
      .first()
      .waitFor({ timeout: WAIT_MS });
    await clearNotifications();
    await write(CODEX, CODEX_BEFORE);
    await run("patchbay.connectCodex");
    await pick("recommended");
    await pick("Codex waits without end");
    await untilEditor("Connect Codex CLI (provider): config.toml");
    const changed = `${CODEX_BEFORE}# more\r\n`;
    await write(CODEX, changed);
    await press("Change Codex CLI's configuration as shown?", "Apply");
    await window.page
      .getByText(/was changed by another program just now/)
      .first()
      .waitFor({ timeout: WAIT_MS });
    assert.equal(await read(CODEX), changed);
  });

  it("are mended by the check, its changes being shown, where they do not start with what is in their files", async () => {
    await write(CODEX, `profile = "work"\r\n${CODEX_BEFORE}`);
    await run("patchbay.checkClients");
    await pick('Codex does not start with "profile"');
    await untilEditor("Mend: config.toml");
    await press("Mend this as shown?", "Apply");
    await eventually(async () => (await read(CODEX)) === CODEX_BEFORE, "the mended file");
    // It has looked again.
    await window.page
      .locator(".quick-input-widget")
      .getByText("It is not connected")
      .first()
      .waitFor({ timeout: WAIT_MS });
    await window.page.keyboard.press("Escape");
  });

  it("get values to copy where a file of theirs is of a kind that is not edited", async () => {
    await write(CLINE, CLINE_OF_LATER);
    await run("patchbay.connectClient", "cline");
    await press("is of a version that is not known here", "Show Values to Copy");
    await untilEditor("Cline.txt");
    assert.equal(await read(CLINE), CLINE_OF_LATER);
    assert.equal((await keyOf("Cline"))?.state, "active");
  });

  it("get values to copy where a file cannot be edited", async () => {
    await run("patchbay.connectClient", "vscode-chat");
    await untilEditor("VS Code chat.txt");
    const { url } = await (await control()).state();
    const values = ((await window.ask("shownTexts")) as readonly string[]).find((text) =>
      text.includes("customendpoint"),
    );
    assert.ok(values?.includes(`"url": "${url}/v1/responses"`), values);
    const key = /pb_[\w-]+/.exec(values ?? "")?.[0] ?? "";
    assert.equal((await session.ask(key, "Say ok.")).status, 200);
    assert.equal((await keyOf("VS Code chat"))?.used.requests, 1);
    await window.ask("execute", { command: "workbench.action.closeAllEditors" });
  });

  it("in the editor's own terminals go through the proxy when the setting says so, and no longer than that", async () => {
    const saved = join(home, "variables.txt");
    await window.ask("configure", { name: "patchbay.terminalEnvironment", value: true });
    await eventually(async () => (await keyOf("VS Code terminals"))?.state === "active", "the terminals' key");
    const line = `echo "$OPENAI_BASE_URL $OPENAI_API_KEY" > "${saved}"`;
    const told = async (): Promise<readonly string[]> => {
      await rm(saved, { force: true });
      await window.ask("terminal", { environment: {}, line });
      return eventually(async () => {
        const text = await readFile(saved, "utf8").catch(() => "");
        return text.endsWith("\n") && text.trim().split(" ");
      }, "the terminal's variables");
    };
    const [baseUrl, key = ""] = await told();
    assert.equal(baseUrl, `${(await (await control()).state()).url}/v1`);
    assert.equal((await session.ask(key, "Say ok.")).status, 200);
    assert.equal((await keyOf("VS Code terminals"))?.used.requests, 1);
    await window.ask("configure", { name: "patchbay.terminalEnvironment", value: undefined });
    await eventually(async () => (await keyOf("VS Code terminals"))?.state === "revoked", "the revoked key");
    const [none] = await told();
    assert.equal(none, "");
  });

  it("can be connected while the proxy is stopped: it is started", async () => {
    await window.ask("execute", { command: "patchbay.stopProxy" });
    await eventually(async () => (await session.find()) === undefined, "the end of the process");
    await run("patchbay.connectClient", "shell");
    await untilEditor("Shell.txt");
    assert.ok(existsSync(join(session.host.dataDirectory, "clients", "shell.json")));
    assert.equal((await keyOf("Shell"))?.state, "active");
  });
});
