import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openUsageSpool, type UsageSpool } from "../../src/node/usageSpool.ts";
import { DAY, listeningLog, row, withFolder } from "../ledger/temporaryLedger.ts";

const DAY_MS = 86_400_000;
/** No process has so high a number. */
const NOBODY = 99_999_999;

function put(spool: UsageSpool, ...ids: string[]): void {
  for (const id of ids) spool.add(row({ id }));
  assert.ok(spool.write());
}

function idsLeft(folder: string, log = listeningLog()): string[] {
  return openUsageSpool(folder, log, DAY + 1_000).left.map(({ id }) => id);
}

function spoolIn(folder: string): string {
  const [name, ...others] = readdirSync(folder).filter((one) => one.endsWith(".spool"));
  assert.ok(name !== undefined && others.length === 0, "one spool");
  return join(folder, name);
}

describe("the spool of rows that are not in the ledger yet", () => {
  it("gives what was written to the next process, row by row as it was, and what was only added to nobody", () => {
    withFolder((folder) => {
      const spool = openUsageSpool(folder, listeningLog(), DAY);
      assert.deepEqual(spool.left, []);
      const odd = row({ id: "odd", modelAsked: 'a "näive"\nmodel \u{1f680}', responseId: null, costMicros: null });
      spool.add(row());
      spool.add(odd);
      assert.ok(spool.write());
      spool.add(row({ id: "not written" }));
      assert.deepEqual(openUsageSpool(folder, listeningLog(), DAY + 1).left, [row(), odd]);
    });
  });

  it("is made with its first row, for its owner alone, and is gone when it is removed", () => {
    withFolder((folder) => {
      const spool = openUsageSpool(folder, listeningLog(), DAY);
      assert.deepEqual(readdirSync(folder), []);
      put(spool, "a");
      if (process.platform !== "win32") assert.equal(statSync(spoolIn(folder)).mode & 0o777, 0o600);
      spool.remove();
      assert.deepEqual(readdirSync(folder), []);
    });
  });

  it("is empty after it was cleared, and takes the next rows", () => {
    withFolder((folder) => {
      const spool = openUsageSpool(folder, listeningLog(), DAY);
      put(spool, "a", "b");
      spool.add(row({ id: "not written" }));
      spool.clear();
      assert.equal(statSync(spoolIn(folder)).size, 0);
      put(spool, "c");
      assert.deepEqual(idsLeft(folder), ["c"]);
    });
  });

  it("leaves out a last line that a kill has torn, wherever it was torn, without a complaint", () => {
    withFolder((folder) => {
      put(openUsageSpool(folder, listeningLog(), DAY), "a", "b");
      const path = spoolIn(folder);
      const whole = readFileSync(path);
      const first = whole.indexOf("\n") + 1;
      for (let length = first; length < whole.length; length += 1) {
        writeFileSync(path, whole.subarray(0, length));
        const log = listeningLog();
        assert.deepEqual(idsLeft(folder, log), ["a"], `torn after ${length} bytes`);
        assert.deepEqual(
          log.lines.filter((line) => !line.startsWith("info")),
          [],
        );
      }
    });
  });

  it("leaves out a damaged line, says so, and gives the others", () => {
    withFolder((folder) => {
      const spool = openUsageSpool(folder, listeningLog(), DAY);
      put(spool, "a");
      appendFileSync(spoolIn(folder), '[1,"nonsense"]\n\0\0\0\n');
      put(spool, "b");
      const log = listeningLog();
      assert.deepEqual(idsLeft(folder, log), ["a", "b"]);
      assert.match(log.lines[0]!, /^error Damaged lines .*"lines":2/);
    });
  });

  it("keeps what others have left until it is cleared, the oldest first", () => {
    withFolder((folder) => {
      put(openUsageSpool(folder, listeningLog(), DAY + 1), "second");
      const [name] = readdirSync(folder);
      writeFileSync(
        join(folder, `usage-${DAY}-${NOBODY}.spool`),
        readFileSync(join(folder, name!), "utf8").replace("second", "first"),
      );
      writeFileSync(join(folder, "usage-notes.txt"), "somebody else's");
      assert.deepEqual(idsLeft(folder), ["first", "second"]);
      const spool = openUsageSpool(folder, listeningLog(), DAY + 2);
      assert.deepEqual(idsLeft(folder), ["first", "second"]);
      spool.clear();
      assert.deepEqual(readdirSync(folder), ["usage-notes.txt"]);
    });
  });

  it("of a process that is still finishing its answers goes on when its successor has taken the rows", () => {
    withFolder((folder) => {
      const spool = openUsageSpool(folder, listeningLog(), DAY);
      put(spool, "a");
      const successor = openUsageSpool(folder, listeningLog(), DAY + 1);
      successor.clear();
      spool.clear();
      put(spool, "b");
      assert.deepEqual(idsLeft(folder), ["b"]);
    });
  });

  it("of a process that still runs is left to it, so that what it writes last outlives a kill", () => {
    withFolder((folder) => {
      // The process that runs these tests.
      const running = join(folder, `usage-${DAY}-${process.ppid}.spool`);
      put(openUsageSpool(folder, listeningLog(), DAY + 1), "first");
      writeFileSync(running, readFileSync(spoolIn(folder)));
      const successor = openUsageSpool(folder, listeningLog(), DAY + 2);
      successor.clear();
      appendFileSync(running, readFileSync(running, "utf8").replace("first", "last"));
      assert.deepEqual(idsLeft(folder), ["first", "last"]);
      const old = new Date(Date.now() - 2 * DAY_MS);
      utimesSync(running, old, old);
      openUsageSpool(folder, listeningLog(), DAY + 3).clear();
      assert.deepEqual(readdirSync(folder), []);
    });
  });

  it("says once that it cannot be written, and has all rows as soon as it can", () => {
    withFolder((parent) => {
      const folder = join(parent, "data");
      mkdirSync(folder);
      const log = listeningLog();
      const spool = openUsageSpool(folder, log, DAY);
      rmSync(folder, { recursive: true });
      spool.add(row({ id: "a" }));
      assert.equal(spool.write(), false);
      spool.add(row({ id: "b" }));
      assert.equal(spool.write(), false);
      assert.equal(log.lines.length, 1);
      assert.match(log.lines[0]!, /^warn .*check the disk/);
      mkdirSync(folder);
      put(spool, "c");
      assert.deepEqual(idsLeft(folder), ["a", "b", "c"]);
    });
  });

  it("that cannot be read is left where it is", () => {
    withFolder((folder) => {
      const path = join(folder, `usage-${DAY}-${NOBODY}.spool`);
      mkdirSync(path);
      const log = listeningLog();
      const spool = openUsageSpool(folder, log, DAY + 1);
      assert.match(log.lines[0]!, /^error .*could not be read/);
      spool.clear();
      assert.ok(existsSync(path));
    });
  });
});
