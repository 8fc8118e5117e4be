import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { downloadedVscode, runInDesktop } from "./desktopHost.ts";
import { eventually, START_MS, startSession } from "./hostSession.ts";
import { packagedExtension } from "./packagedExtension.ts";

const TESTS = join(import.meta.dirname, "driver", "selfCheck.cjs");

describe("the packaged extension, looked at from within its extension host", function () {
  this.timeout(START_MS);

  it("does its work in a desktop VS Code, or in the server where none is to be had", async () => {
    const folder = await mkdtemp(join(tmpdir(), "patchbay-self-"));
    const result = join(folder, "result.json");
    try {
      const program = await downloadedVscode();
      if (program === undefined) await inServer(result);
      else await inDesktop(program, folder, result);
      const told = JSON.parse(await readFile(result, "utf8")) as { readonly error?: string; readonly version: string };
      assert.equal(told.error, undefined);
      assert.match(told.version, /^1\.\d+\.\d+/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function inDesktop(program: string, folder: string, result: string): Promise<void> {
  const { path } = await packagedExtension();
  await runInDesktop(program, folder, path, TESTS, {
    PATCHBAY_SANDBOX: "1",
    PATCHBAY_DATA_DIR: join(folder, "data"),
    PATCHBAY_DRIVER: join(folder, "driver"),
    PATCHBAY_SELF_CHECK: result,
  });
}

async function inServer(result: string): Promise<void> {
  const session = await startSession({ environment: { PATCHBAY_SELF_CHECK: result } });
  try {
    await session.host.openWindow("workspace", TESTS);
    await eventually(
      async () => (await readFile(result, "utf8").catch(() => "")).endsWith("}"),
      "the end of the tests in the extension host",
    );
  } finally {
    await session.close();
  }
}
