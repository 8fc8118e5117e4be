import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { windowClient } from "../../src/node/windowClient.ts";
import { freePort } from "./freePort.ts";
import type { HostWindow } from "./host.ts";
import {
  answerInput,
  copiedKey,
  eventually,
  explainFailures,
  type HostSession,
  START_MS,
  startSession,
  TEST_MS,
  textOf,
  WAIT_MS,
} from "./hostSession.ts";
import { packagedUpdate } from "./packagedExtension.ts";

/** A window that reloads on a busy machine is away for seconds. */
const EXIT_WHEN_IDLE_SECONDS = 20;
/** Longer than a window is waited for. */
const LONGEST_FREEZE_MS = 8_000;
/** A stream that takes as long as a window needs to reload on a busy machine. */
const PROMPT = "[[tokens:300]][[delay:50]]";

describe("windows of a real VS Code, and the process that they share", function () {
  this.timeout(TEST_MS);

  let session: HostSession;
  let window: HostWindow;
  let expected = "";

  before(async function () {
    this.timeout(START_MS);
    session = await startSession({
      settings: { "patchbay.port": await freePort(), "patchbay.exitWhenIdleSeconds": EXIT_WHEN_IDLE_SECONDS },
    });
  });

  after(() => session?.close());

  explainFailures(() => session);

  const pid = async (): Promise<number> => (await (await session.control()).state()).pid;
  const isUp = async (one: HostWindow): Promise<boolean> => (await one.status()).startsWith("Patchbay, today");
  const visitors = async (): Promise<number> => (await (await session.control()).state()).visitors;

  /** Resolves with a stream that is on its way. */
  async function streaming(key: string): Promise<{ readonly text: Promise<string> }> {
    const control = await session.control();
    const text = session.ask(key, PROMPT, true).then((response) => response.text());
    await eventually(async () => (await control.state()).inFlight > 0, "the stream");
    return { text };
  }

  /** Its text is that of an undisturbed one, and it says that it is over. */
  async function isWhole({ text }: { readonly text: Promise<string> }): Promise<void> {
    assert.match(await text, /data: \[DONE\]\s*$/);
    assert.equal(textOf(await text), expected);
  }

  it("find one process where they open at once", async () => {
    const [first, second] = await Promise.all([session.host.openWindow("one"), session.host.openWindow("two")]);
    window = first;
    await eventually(async () => (await visitors()) === 2, "both windows");
    const processes = await runningProcesses(session.host.dataDirectory);
    assert.deepEqual(processes, [await pid()]);
    assert.notEqual(await copiedKey(first), await copiedKey(second), "each folder has a key of its own");
    expected = textOf(await (await session.ask(await copiedKey(first), PROMPT, true)).text());
    assert.ok(expected.length > 1_000);
    await second.close();
    await eventually(async () => (await visitors()) === 1, "the second window's end");
  });

  it("tell of a limit that was hit in one of them alone", async () => {
    const second = await session.host.openWindow("two");
    await eventually(async () => (await visitors()) === 2, "both windows");
    const control = await session.control();
    const shown = async (): Promise<number> => {
      const counts = await Promise.all(
        [window, second].map(async (one) => {
          await one.ask("execute", { command: "notifications.showList" });
          return one.page
            .locator(".notifications-center .notification-list-item")
            .filter({ hasText: "may not use" })
            .count();
        }),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    };
    for (const [told, label] of ["bound", "bound too"].entries()) {
      const { key } = await control.addKey({ label, models: ["nothing"] });
      assert.equal((await session.ask(key, "Say ok.")).status, 403);
      await eventually(async () => (await shown()) > told, "the notice");
    }
    assert.equal(await shown(), 2, "one for each key");
    await second.close();
    await eventually(async () => (await visitors()) === 1, "the second window's end");
  });

  it("lose no byte of a stream when the one that it belongs to reloads", async () => {
    const before = await pid();
    const stream = await streaming(await copiedKey(window));
    await window.reload();
    await isWhole(stream);
    assert.equal(await pid(), before);
  });

  it("lose no byte of a stream when one of them, or the last of them, closes in the middle of it", async () => {
    const key = await copiedKey(window);
    const before = await pid();
    const second = await session.host.openWindow("two");
    await eventually(async () => (await visitors()) === 2, "the second window");
    const first = await streaming(key);
    await second.close();
    await isWhole(first);
    const last = await streaming(key);
    await window.close();
    await eventually(async () => (await visitors()) === 0, "the last window's end");
    await isWhole(last);
    assert.equal(await pid(), before);
    window = await session.host.openWindow("one");
    await eventually(async () => (await visitors()) === 1, "the next window");
    assert.equal(await pid(), before);
  });

  it("and the process pick up where they were after the machine has slept", async () => {
    const key = await copiedKey(window);
    const sleepers = [await pid(), Number(await window.ask("pid"))];
    const stream = await streaming(key);
    for (const sleeper of sleepers) process.kill(sleeper, "SIGSTOP");
    await delay(LONGEST_FREEZE_MS);
    for (const sleeper of sleepers) process.kill(sleeper, "SIGCONT");
    await isWhole(stream);
    assert.equal(await pid(), sleepers[0]);
    await eventually(async () => (await visitors()) === 1, "the window");
    await eventually(async () => isUp(window), "the status bar");
  });

  it("find a process again that did not answer for a while", async () => {
    const sleeper = await pid();
    process.kill(sleeper, "SIGSTOP");
    try {
      await window.reload();
      await eventually(async () => /does not answer/.test(await window.status()), "the reason in the status bar");
    } finally {
      process.kill(sleeper, "SIGCONT");
    }
    await eventually(async () => isUp(window), "the status bar");
    assert.equal(await pid(), sleeper);
  });

  it("go over to a new version of the extension while its predecessor finishes a stream", async () => {
    const version = "99.0.0";
    const update = await packagedUpdate(version);
    const former = await (await session.control()).state();
    const key = await copiedKey(window);
    const stream = await streaming(key);
    await session.host.install(update.path);
    await window.reload();
    const next = await eventually(async () => {
      const state = await (await session.find())?.state();
      return state?.version === version ? state : undefined;
    }, "the process of the new version");
    assert.notEqual(next.pid, former.pid);
    assert.equal(next.url, former.url, "clients go on at the same address");
    assert.ok(isRunning(former.pid), "the stream was still on its way when the new process came");
    await isWhole(stream);
    assert.equal((await session.ask(key, "Say ok.")).status, 200);
    await eventually(async () => !isRunning(former.pid), "the end of the former process");
    const rows = await windowClient(await session.control()).rows({ limit: 20 });
    const longest = rows?.rows.filter(({ output_tokens: tokens }) => tokens >= 300) ?? [];
    assert.ok(longest.length > 0 && longest.every(({ ending }) => ending === "complete"), JSON.stringify(longest));
  });

  it("start a process that was killed again, and say so; its stream does not end like a whole one", async () => {
    const key = await copiedKey(window);
    const killed = await pid();
    const { text } = await streaming(key);
    process.kill(killed, "SIGKILL");
    await assert.rejects(text);
    await eventually(async () => (await (await session.find())?.state())?.pid !== killed, "the next process");
    await window.page.getByText("had ended and was started again").first().waitFor({ timeout: WAIT_MS });
    assert.equal((await session.ask(key, "Say ok.")).status, 200);
  });

  it("stop it for all of them, and all go over to the one that a command starts next", async () => {
    const second = await session.host.openWindow("two");
    await eventually(async () => (await visitors()) === 2, "the second window");
    await window.ask("execute", { command: "patchbay.stopProxy" });
    await eventually(async () => (await session.find()) === undefined, "the end of the process");
    for (const each of [window, second])
      await eventually(async () => /stopped/.test(await each.status()), "the status bar's word");
    await window.ask("execute", { command: "patchbay.copyBaseUrl" });
    assert.equal(await window.ask("clipboard"), `${(await (await session.control()).state()).url}/v1`);
    await eventually(async () => isUp(second), "the other window");
    await second.close();
  });

  it("hand over what another of them has stored, when that one has closed", async () => {
    const second = await session.host.openWindow("two");
    await second.ask("start", { command: "patchbay.setOpenaiKey" });
    await answerInput(second, "");
    await answerInput(second, "sk-patchbay-sandbox");
    const held = async () => (await windowClient(await session.control()).credentials())?.openai;
    await eventually(held, "the key in the process");
    await second.close();
    // In a browser, VS Code reads what other windows have stored when a window loads.
    await window.reload();
    const before = await pid();
    await window.ask("execute", { command: "patchbay.restartProxy" });
    assert.notEqual(await pid(), before);
    await eventually(held, "the key in the new process");
  });

  it("leave it to end some time after the last of them has closed", async () => {
    await window.close();
    await eventually(async () => (await session.find()) === undefined, "the end of the process");
  });
});

/** The processes that serve a data directory. */
async function runningProcesses(dataDirectory: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (line.includes("process.js") && line.includes(dataDirectory)) found.push(Number(name));
  }
  return found;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
