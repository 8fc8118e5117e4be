import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectControl, type ControlClient } from "../../src/node/controlClient.ts";
import { lookUpControlPath } from "../../src/node/controlPlace.ts";
import { listenOn } from "../../src/node/listenOn.ts";
import { windowClient } from "../../src/node/windowClient.ts";
import { money, shortTokens } from "../../src/vscode/amounts.ts";
import { COMMANDS } from "../../src/vscode/contributions.ts";
import { codexProvider, type CodexUsage } from "../realClients/codex.ts";
import { type Host, type HostWindow, startHost } from "./host.ts";
import { packagedExtension } from "./packagedExtension.ts";

const LARGEST_VSIX_BYTES = 600 * 1024;
const WAIT_MS = 60_000;
/** A window that reloads on a busy machine is away for seconds. */
const EXIT_WHEN_IDLE_SECONDS = 20;

describe("the extension in a real VS Code", function () {
  this.timeout(240_000);

  let folder = "";
  let vsixBytes = 0;
  let host: Host;
  let window: HostWindow;
  let control: ControlClient;

  before(async function () {
    this.timeout(20 * 60_000);
    folder = await mkdtemp(join(tmpdir(), "patchbay-host-"));
    const { path, bytes } = await packagedExtension(join(folder, "package"));
    vsixBytes = bytes;
    host = await startHost(join(folder, "host"), path, {
      "patchbay.port": 0,
      "patchbay.exitWhenIdleSeconds": EXIT_WHEN_IDLE_SECONDS,
      "workbench.startupEditor": "none",
    });
    window = await host.openWindow();
    control = await process_();
  });

  after(async () => {
    await host?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function find(): Promise<ControlClient | undefined> {
    const environment = { XDG_RUNTIME_DIR: join(folder, "host", "run") };
    return connectControl(await lookUpControlPath(host.dataDirectory, environment)).catch(() => undefined);
  }

  async function process_(): Promise<ControlClient> {
    return eventually(find, "a proxy process");
  }

  /** What the work gives, as soon as it gives something. */
  async function eventually<Value>(work: () => Promise<Value | undefined | false>, what: string): Promise<Value> {
    const deadline = performance.now() + WAIT_MS;
    while (performance.now() < deadline) {
      const value = await work();
      if (value !== undefined && value !== false) return value;
      await delay(100);
    }
    throw new Error(`${what} did not come within ${WAIT_MS} ms`);
  }

  async function ask(key: string, prompt: string, stream = false): Promise<Response> {
    const { url } = await control.state();
    return fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5.5", stream, messages: [{ role: "user", content: prompt }] }),
    });
  }

  async function copiedKey(): Promise<string> {
    await window.ask("execute", { command: "patchbay.copyWindowKey" });
    return String(await window.ask("clipboard"));
  }

  /** Answers the quick input that is open: types and confirms. */
  async function answerInput(text: string): Promise<void> {
    const input = window.page.locator(".quick-input-widget input.input");
    await input.waitFor({ state: "visible", timeout: WAIT_MS });
    if (text !== "") await input.fill(text);
    await input.press("Enter");
  }

  it("is installed from a package that is small", async () => {
    assert.ok(vsixBytes < LARGEST_VSIX_BYTES, `${vsixBytes} bytes`);
    const { isActive, path } = (await window.ask("extension", { id: "patchbay.patchbay" })) as {
      readonly isActive: boolean;
      readonly path: string;
    };
    assert.ok(isActive);
    assert.ok(path.startsWith(join(folder, "host", "extensions")), path);
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
    const key = await copiedKey();
    assert.match(key, /^pb_/);
    assert.equal((await ask(key, "Say ok.")).status, 200);
    assert.equal(await copiedKey(), key, "the same window has the same key");
  });

  it("shows in the status bar what the ledger holds", async () => {
    const key = await copiedKey();
    await (await ask(key, "[[tokens:1500]]")).text();
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
    const home = join(folder, "codex");
    const saved = join(folder, "codex.jsonl");
    await mkdir(home);
    const { url } = await control.state();
    const config = codexProvider(`${url}/v1`, ['env_key = "PATCHBAY_KEY"']);
    await writeFile(join(home, "config.toml"), config);
    const launcher = fileURLToPath(import.meta.resolve("@openai/codex/bin/codex.js"));
    await window.ask("terminal", {
      environment: { CODEX_HOME: home, HOME: home, PATCHBAY_KEY: await copiedKey() },
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

  it("is reached by a stream through a reload of the window without losing a byte", async () => {
    const key = await copiedKey();
    const prompt = "[[tokens:300]][[delay:30]]";
    const { pid } = await control.state();
    const streaming = ask(key, prompt, true).then((answer) => answer.text());
    await eventually(async () => (await control.state()).inFlight > 0, "the stream");
    await window.reload();
    const disturbed = await streaming;
    assert.equal((await control.state()).pid, pid);
    assert.match(disturbed, /data: \[DONE\]\s*$/);
    const undisturbed = await (await ask(key, prompt, true)).text();
    assert.equal(textOf(disturbed), textOf(undisturbed));
  });

  it("keeps a secret that was entered, over a reload and a new process", async () => {
    await window.ask("start", { command: "patchbay.setOpenaiKey" });
    await answerInput("");
    await answerInput("sk-patchbay-sandbox");
    await eventually(async () => (await windowClient(control).credentials())?.openai, "the key in the process");
    await window.reload();
    await window.ask("execute", { command: "patchbay.restartProxy" });
    control = await process_();
    await eventually(async () => (await windowClient(control).credentials())?.openai, "the key in the new process");
  });

  it("does not keep a key that its upstream refuses", async () => {
    await window.ask("start", { command: "patchbay.setOpenrouterKey" });
    await answerInput("");
    await answerInput("sk-bad-key");
    await window.page.getByText("OpenRouter does not accept this key").first().waitFor({ timeout: WAIT_MS });
    assert.equal((await windowClient(control).credentials())?.openrouter, false);
  });

  it("signs in with ChatGPT by a device code, after a word on the terms, and out again", async () => {
    const { page } = window;
    await window.ask("start", { command: "patchbay.signInChatgpt" });
    await page.getByText("which may be against OpenAI's terms").first().waitFor({ timeout: WAIT_MS });
    await page.getByRole("button", { name: "Continue" }).first().click();
    const told = await page
      .getByText(/Your code is \w{4}-\w{4}/)
      .first()
      .textContent({ timeout: WAIT_MS });
    const code = /Your code is (\w{4}-\w{4})/.exec(told ?? "")?.[1] ?? "";
    const authBaseUrl = (await windowClient(control).settings())?.authBaseUrl ?? "";
    await fetch(`${authBaseUrl}/codex/device`, { method: "POST", body: new URLSearchParams({ user_code: code }) });
    await eventually(async () => (await control.signIn())?.state === "signed_in", "the sign-in");
    await window.ask("execute", { command: "patchbay.signOut" });
    await eventually(async () => (await control.signIn())?.state === "signed_out", "the end of the sign-in");
  });

  it("explains a limit that was hit where the user is", async () => {
    const { key } = await control.addKey({ label: "small", models: ["nothing"] });
    assert.equal((await ask(key, "Say ok.")).status, 403);
    await window.page
      .getByText(/Patchbay key.* may not use/)
      .first()
      .waitFor({ timeout: WAIT_MS });
  });

  it("shares one process between two windows, which go on when one of them closes", async () => {
    const { pid } = await control.state();
    const second = await host.openWindow();
    await eventually(async () => (await control.state()).visitors === 2, "the second window");
    assert.equal((await control.state()).pid, pid);
    await second.close();
    await eventually(async () => (await control.state()).visitors === 1, "the second window's end");
    assert.equal((await control.state()).pid, pid);
  });

  it("starts a process that was killed again, and says so", async () => {
    const { pid } = await control.state();
    process.kill(pid, "SIGKILL");
    control = await eventually(async () => {
      const found = await find();
      return found !== undefined && (await found.state()).pid !== pid ? found : undefined;
    }, "the next process");
    await window.page.getByText("had ended and was started again").first().waitFor({ timeout: WAIT_MS });
    assert.equal((await ask(await copiedKey(), "Say ok.")).status, 200);
  });

  it("stops for everybody, and starts again when a command needs it", async () => {
    await window.ask("execute", { command: "patchbay.stopProxy" });
    await eventually(async () => (await find()) === undefined, "the end of the process");
    await eventually(async () => /stopped/.test(await window.status()), "the status bar's word");
    await window.ask("execute", { command: "patchbay.copyBaseUrl" });
    control = await process_();
    assert.equal(await window.ask("clipboard"), `${(await control.state()).url}/v1`);
  });

  it("says so when another program has the port", async () => {
    const other = createServer();
    const { port } = await listenOn(other, "127.0.0.1", 0);
    try {
      await window.ask("configure", { name: "patchbay.port", value: port });
      await window.ask("execute", { command: "patchbay.restartProxy" });
      control = await process_();
      await eventually(
        async () => (await window.status()).includes(`Port ${port} is taken by another program`),
        "the reason in the status bar",
      );
      assert.equal((await ask(await copiedKey(), "Say ok.")).status, 200);
    } finally {
      other.close();
      await window.ask("configure", { name: "patchbay.port", value: undefined });
    }
  });

  it("ends the process some time after the last window has closed", async () => {
    await window.close();
    await eventually(async () => (await find()) === undefined, "the end of the process");
  });
});

/** The text of a chat stream: ids and times differ from answer to answer. */
function textOf(stream: string): string {
  return Array.from(stream.matchAll(/^data: (\{.*)$/gm), ([, data = ""]) => {
    const { choices } = JSON.parse(data) as {
      readonly choices: readonly { readonly delta?: { readonly content?: string } }[];
    };
    return choices[0]?.delta?.content ?? "";
  }).join("");
}
