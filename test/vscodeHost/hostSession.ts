import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { connectControl, type ControlClient } from "../../src/node/controlClient.ts";
import { lookUpControlPath } from "../../src/node/controlPlace.ts";
import { PROCESS_LOG } from "../../src/node/processLogName.ts";
import { windowClient } from "../../src/node/windowClient.ts";
import { type Host, type HostOptions, type HostWindow, startHost } from "./host.ts";
import { packagedExtension } from "./packagedExtension.ts";

/** A VS Code of a test file's own, and the proxy process that its windows start. */
export interface HostSession {
  /** For whatever the tests need on the disk. */
  readonly folder: string;
  readonly host: Host;
  /** The process that answers now; undefined for none. */
  find(): Promise<ControlClient | undefined>;
  /** The process, as soon as one answers. */
  control(): Promise<ControlClient>;
  /** Sends a chat to the process. */
  ask(key: string, prompt: string, stream?: boolean): Promise<Response>;
  close(): Promise<void>;
}

/** As long as anything in an editor on a busy machine may take. */
export const WAIT_MS = 60_000;
const LONGEST_NAME = 80;
const LOG_CHARACTERS = 2_000;
/** A test of several such steps. */
export const TEST_MS = 240_000;
/** The first one may have to build the server. */
export const START_MS = 20 * 60_000;

/** Starts it. */
export async function startSession(options: HostOptions = {}): Promise<HostSession> {
  const { path } = await packagedExtension();
  const folder = await mkdtemp(join(tmpdir(), "patchbay-host-"));
  const host = await startHost(join(folder, "host"), path, options);

  async function find(): Promise<ControlClient | undefined> {
    const place = await lookUpControlPath(host.dataDirectory, { XDG_RUNTIME_DIR: host.runDirectory });
    return connectControl(place).catch(() => undefined);
  }

  const control = (): Promise<ControlClient> => eventually(find, "a proxy process");
  return {
    folder,
    host,
    find,
    control,
    async ask(key, prompt, stream = false) {
      const { url } = await (await control()).state();
      return fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "gpt-5.5", stream, messages: [{ role: "user", content: prompt }] }),
      });
    },
    async close() {
      await host.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Keeps a picture of the windows, and the end of the process's log, of each test that fails. To be called where the tests are described. */
export function explainFailures(session: () => HostSession | undefined): void {
  afterEach(async function () {
    const { host } = session() ?? {};
    if (this.currentTest?.state !== "failed" || host === undefined) return;
    const name = this.currentTest
      .fullTitle()
      .replaceAll(/[^a-z0-9]+/gi, "-")
      .slice(0, LONGEST_NAME);
    const pictures = await host.pictures(`failed-${name}`);
    const log = await readFile(join(host.dataDirectory, PROCESS_LOG), "utf8").catch(() => "");
    process.stderr.write(`${pictures.join("\n")}\n${log.slice(-LOG_CHARACTERS)}\n`);
  });
}

/** What the work gives, as soon as it gives something. */
export async function eventually<Value>(
  work: () => Promise<Value | undefined | false>,
  what: string,
  waitMs = WAIT_MS,
): Promise<Value> {
  const deadline = performance.now() + waitMs;
  while (performance.now() < deadline) {
    const value = await work();
    if (value !== undefined && value !== false) return value;
    await delay(100);
  }
  throw new Error(`${what} did not come within ${waitMs} ms`);
}

/** The key that the command puts on the clipboard. */
export async function copiedKey(window: HostWindow): Promise<string> {
  await window.ask("execute", { command: "patchbay.copyWindowKey" });
  return String(await window.ask("clipboard"));
}

/** Answers the quick input that is open: types and confirms. */
export async function answerInput({ page }: HostWindow, text: string): Promise<void> {
  const input = page.locator(".quick-input-widget input.input");
  await input.waitFor({ state: "visible", timeout: WAIT_MS });
  if (text !== "") await input.fill(text);
  await input.press("Enter");
}

/** Signs in with ChatGPT by a device code, through the commands, with the sandbox's own sign-in server. */
export async function signInByDevice(window: HostWindow, control: ControlClient): Promise<void> {
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
}

/** The text of a chat stream: ids and times differ from answer to answer. */
export function textOf(stream: string): string {
  return Array.from(stream.matchAll(/^data: (\{.*)$/gm), ([, data = ""]) => {
    const { choices } = JSON.parse(data) as {
      readonly choices: readonly { readonly delta?: { readonly content?: string } }[];
    };
    return choices[0]?.delta?.content ?? "";
  }).join("");
}
