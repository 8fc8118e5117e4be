import assert from "node:assert/strict";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { listenOn } from "../../src/node/listenOn.ts";
import type { HostWindow } from "./host.ts";
import {
  copiedKey,
  eventually,
  explainFailures,
  type HostSession,
  START_MS,
  startSession,
  TEST_MS,
  WAIT_MS,
} from "./hostSession.ts";

describe("a real VS Code whose proxy has trouble", function () {
  this.timeout(TEST_MS);

  let place = "";
  let session: HostSession;
  let window: HostWindow;
  let dataDirectory = "";

  before(async function () {
    this.timeout(START_MS);
    place = mkdtempSync(join(tmpdir(), "patchbay-data-"));
    // A folder below a file can be made by nobody, not even by root.
    await writeFile(join(place, "home"), "");
    dataDirectory = join(place, "home", "data");
    session = await startSession({ dataDirectory });
    window = await session.host.openWindow();
  });

  after(async () => {
    await session?.close();
    rmSync(place, { recursive: true, force: true });
  });

  explainFailures(() => session);

  it("says which folder cannot be written, in the status bar and where a command needs the proxy", async () => {
    const reason = `The folder ${dataDirectory} cannot be written`;
    await eventually(async () => (await window.status()).includes(reason), "the reason in the status bar");
    await window.ask("start", { command: "patchbay.copyBaseUrl" });
    await window.page.getByText(reason).first().waitFor({ timeout: WAIT_MS });
  });

  it("starts when the folder can be written, sets a damaged ledger aside, and says so once", async () => {
    await rm(join(place, "home"));
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    await writeFile(join(dataDirectory, "ledger.db"), "This is no database. ".repeat(1_000));
    await window.ask("execute", { command: "patchbay.startProxy" });
    await window.page.getByText("usage ledger was damaged").first().waitFor({ timeout: WAIT_MS });
    const kept = (await readdir(dataDirectory)).filter((name) => /^ledger\.damaged-.*\.db$/.test(name));
    assert.equal(kept.length, 1);
    assert.equal((await session.ask(await copiedKey(window), "Say ok.")).status, 200);
    await eventually(async () => /today \d+ tok/.test(await window.status()), "today's tokens in the status bar");
    await window.reload();
    await eventually(async () => /today \d+ tok/.test(await window.status()), "the status bar after the reload");
    assert.equal(await window.page.getByText("usage ledger was damaged").count(), 0);
  });

  it("goes to the next port where another program has the wished one, and says so", async () => {
    const other = createServer();
    const { port } = await listenOn(other, "127.0.0.1", 0);
    try {
      await window.ask("configure", { name: "patchbay.port", value: port });
      await window.ask("execute", { command: "patchbay.restartProxy" });
      await eventually(
        async () => (await window.status()).includes(`Port ${port} is taken by another program`),
        "the reason in the status bar",
      );
      assert.equal((await session.ask(await copiedKey(window), "Say ok.")).status, 200);
    } finally {
      other.close();
      await window.ask("configure", { name: "patchbay.port", value: undefined });
    }
  });
});
