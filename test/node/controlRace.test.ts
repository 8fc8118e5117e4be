import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AlreadyRunningError, claimDataDirectory } from "../../src/node/controlClaim.ts";
import { controlPathOf } from "../../src/node/controlPlace.ts";
import { connectControl } from "../../src/node/controlClient.ts";
import { ControlError } from "../../src/node/controlDirectory.ts";
import { startControlServer } from "../../src/node/controlServer.ts";
import type { ControlPhase } from "../../src/node/controlState.ts";
import { listeningLog } from "../ledger/temporaryLedger.ts";
import { someApi, someState } from "./controlRig.ts";
import { Opened, until, within } from "./relayRig.ts";

/** Eight processes that start on two busy cores take their time. */
const DEADLINE_MS = 60_000;

/** Claims the folder at each line of its input, and says how that went. */
const STARTER = `
  import { createInterface } from "node:readline";
  import { claimDataDirectory } from ${JSON.stringify(new URL("../../src/node/controlClaim.ts", import.meta.url))};
  import { startControlServer } from ${JSON.stringify(new URL("../../src/node/controlServer.ts", import.meta.url))};
  import { someApi } from ${JSON.stringify(new URL("controlRig.ts", import.meta.url))};
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  console.log("ready");
  for await (const _line of createInterface({ input: process.stdin })) {
    try {
      const { path } = await claimDataDirectory(process.argv[1], process.env);
      await startControlServer({ path, app: someApi(), log });
      console.log("won " + process.pid);
    } catch (error) {
      console.log(error.state === undefined ? "failed " + error.message : "lost to " + error.state.pid);
    }
  }
`;

interface Starter {
  readonly child: ChildProcess;
  readonly lines: string[];
}

describe("the claim of a data directory", () => {
  let opened: Opened;
  let folder: string;
  beforeEach(() => {
    opened = new Opened();
    folder = mkdtempSync(join(tmpdir(), "patchbay-test-"));
    opened.add(() => rmSync(folder, { recursive: true, force: true }));
  });
  afterEach(() => opened.closeAll());

  function startStarter(environment: Record<string, string> = {}): Starter {
    const child = spawn(process.execPath, ["--input-type=module", "-e", STARTER, join(folder, "data")], {
      env: { ...process.env, ...environment },
      stdio: ["pipe", "pipe", "inherit"],
    });
    opened.add(() => child.kill("SIGKILL"));
    const lines: string[] = [];
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
    });
    return { child, lines };
  }

  async function serve(phase: () => ControlPhase, data = folder) {
    const claim = await claimDataDirectory(data, {});
    opened.add(() => claim.release());
    const app = someApi({ state: () => someState({ phase: phase() }) });
    const server = await startControlServer({ path: claim.path, app, log: listeningLog() });
    opened.add(() => server.close());
    return { claim, server };
  }

  it("has one winner among eight that start at once, whom all others find, and again after each winner was killed", async function () {
    this.timeout(2 * DEADLINE_MS);
    // Half of them look for the socket in another place: the directory is the same all the same.
    const runtime = mkdtempSync(join(tmpdir(), "patchbay-run-"));
    opened.add(() => rmSync(runtime, { recursive: true, force: true }));
    let starters = Array.from({ length: 8 }, (_, index) =>
      startStarter({ XDG_RUNTIME_DIR: index % 2 === 0 ? runtime : "" }),
    );
    await until(() => starters.every(({ lines }) => lines.length === 1), "the starters", DEADLINE_MS);
    for (let round = 2; starters.length > 0; round += 1) {
      for (const { child } of starters) child.stdin?.write("go\n");
      await until(() => starters.every(({ lines }) => lines.length === round), `round ${round}`, DEADLINE_MS);
      const outcomes = starters.map(({ lines }) => lines.at(-1) ?? "");
      const [winner, ...more] = starters.filter(({ lines }) => lines.at(-1)?.startsWith("won"));
      assert.ok(winner !== undefined && more.length === 0, outcomes.join(", "));
      const { pid } = winner.child;
      starters = starters.filter((one) => one !== winner);
      for (const { lines } of starters) assert.equal(lines.at(-1), `lost to ${pid}`);
      const found = await connectControl(controlPathOf(join(folder, "data"), {}));
      assert.equal((await found?.state())?.pid, pid);
      const gone = new Promise((resolve) => {
        winner.child.once("exit", resolve);
      });
      winner.child.kill("SIGKILL");
      await within(gone, "the end of the winner", DEADLINE_MS);
    }
  });

  it("is refused with the address of the one who has it, however the directory is written", async () => {
    await serve(() => "running");
    const link = `${folder}-link`;
    symlinkSync(folder, link);
    opened.add(() => rmSync(link));
    for (const data of [folder, `${folder}/./`, link]) {
      await assert.rejects(claimDataDirectory(data, {}), (error) => {
        assert.ok(error instanceof AlreadyRunningError);
        assert.equal(
          error.message,
          `Patchbay already runs at http://127.0.0.1:8390 (pid ${process.pid}) with this data directory: stop it, or choose another --data-dir.`,
        );
        return true;
      });
    }
  });

  it("is free for others in other directories", async () => {
    await serve(() => "running");
    const other = mkdtempSync(join(tmpdir(), "patchbay-test-"));
    opened.add(() => rmSync(other, { recursive: true, force: true }));
    await serve(() => "running", other);
  });

  it("waits for one that is ending, and says so where that takes too long", async () => {
    const { claim, server } = await serve(() => "draining");
    await assert.rejects(claimDataDirectory(folder, {}, 0), /finishing its last answers/);
    const waiting = claimDataDirectory(folder, {}, DEADLINE_MS);
    server.release();
    claim.release();
    (await within(waiting, "the claim")).release();
  });

  it("says which process to end where the holder does not answer", async () => {
    const claim = await claimDataDirectory(folder, {});
    opened.add(() => claim.release());
    await assert.rejects(claimDataDirectory(folder, {}, 0), (error) => {
      assert.ok(error instanceof ControlError);
      assert.match(error.message, new RegExp(`\\(pid ${process.pid}\\) holds the data directory .* end it`));
      return true;
    });
  });

  it("leaves nothing behind that keeps the next one out, and survives a spoilt pointer", async () => {
    (await claimDataDirectory(folder, {})).release();
    assert.ok(existsSync(join(folder, "control.json")));
    for (const spoilt of ["", "{", "[]", '{"path":7}']) {
      writeFileSync(join(folder, "control.json"), spoilt);
      assert.equal(await connectControl(controlPathOf(folder, {})), undefined);
      (await claimDataDirectory(folder, {})).release();
      assert.match(readFileSync(join(folder, "control.json"), "utf8"), /"pid":\d+/);
    }
  });
});
