import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { LockBusyError, withFileLock } from "../../src/node/fileLock.ts";

describe("a lock file", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "patchbay-lock-"));
    path = join(folder, "deep", "store.lock");
  });

  afterEach(() => rm(folder, { recursive: true }));

  /** The number of a process that ran and does no more. */
  async function deadPid(): Promise<number> {
    const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
    await once(child, "exit");
    return child.pid!;
  }

  async function leave(content: string, ageMs: number): Promise<void> {
    await withFileLock(path, async () => undefined);
    writeFileSync(path, content);
    const then = new Date(Date.now() - ageMs);
    utimesSync(path, then, then);
  }

  const holder = (pid: number, host = hostname()): string => JSON.stringify({ token: "other", pid, host });
  const times = { waitMs: 100, silentMs: 30_000, hungMs: 120_000 };

  it("lets one in at a time, and is gone afterwards", async () => {
    let inside = 0;
    let most = 0;
    const work = async (interrupted: boolean): Promise<void> => {
      assert.equal(interrupted, false);
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 8 }, () => withFileLock(path, work)));
    assert.equal(most, 1);
    assert.deepEqual(await readdir(join(folder, "deep")), []);
  });

  it("is for its owner alone, and let go when the work fails", async () => {
    const failing = withFileLock(path, async () => {
      if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600);
      throw new Error("failed work");
    });
    await assert.rejects(failing, /failed work/);
    assert.ok(!existsSync(path));
  });

  it("is taken over at once from a process that has died, and says so", async () => {
    await leave(holder(await deadPid()), 0);
    assert.equal(await withFileLock(path, async (interrupted) => interrupted, times), true);
    assert.equal(await withFileLock(path, async (interrupted) => interrupted, times), false);
  });

  const alive: readonly [title: string, content: () => string, ageMs: number][] = [
    ["a process that lives", () => holder(process.pid), 60_000],
    ["another machine", () => holder(1, "elsewhere"), 5_000],
    ["nobody yet, being just made", () => "", 1_000],
  ];
  for (const [title, content, ageMs] of alive) {
    it(`is waited for while it is held by ${title}`, async () => {
      await leave(content(), ageMs);
      await assert.rejects(
        withFileLock(path, async () => undefined, times),
        LockBusyError,
      );
      assert.ok(existsSync(path));
    });
  }

  const silent: readonly [title: string, content: () => string, ageMs: number][] = [
    ["a process that has hung for minutes", () => holder(process.pid), 130_000],
    ["another machine that has gone silent", () => holder(1, "elsewhere"), 40_000],
    ["one that died before it wrote its name", () => "", 40_000],
  ];
  for (const [title, content, ageMs] of silent) {
    it(`is taken over from ${title}`, async () => {
      await leave(content(), ageMs);
      assert.equal(await withFileLock(path, async (interrupted) => interrupted, times), true);
    });
  }

  it("is taken over by one only where several find it abandoned", async () => {
    await leave(holder(await deadPid()), 0);
    let inside = 0;
    const work = async (): Promise<void> => {
      assert.equal((inside += 1), 1);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 8 }, () => withFileLock(path, work)));
  });
});
