import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { listRows } from "../../src/ledger/listRows.ts";
import { NewerSchemaError, writeState } from "../../src/ledger/schema.ts";
import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import { openLedgerBeside, openLedgerFile, openLedgerForReading } from "../../src/node/ledgerFile.ts";
import { DatabaseError } from "../../src/node/sqlite.ts";
import { DAY, listeningLog, row, withFolder } from "../ledger/temporaryLedger.ts";

function fill(folder: string, rows: number): void {
  const file = openLedgerFile(folder, listeningLog(), DAY);
  const ledger = createUsageLedger(file, listeningLog());
  for (let index = 0; index < rows; index += 1) ledger.record(row({ id: `request-${index}`, startedAt: DAY + index }));
  assert.ok(ledger.flush());
  file.close();
}

/** Fills pages in the middle of a file with nonsense. */
function scribble(path: string): void {
  const size = statSync(path).size;
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(64 * 1024, 0xa5), 0, 64 * 1024, Math.floor(size / 8_192) * 4_096);
}

describe("the ledger's file", () => {
  it("is made with its folder, both for their owner alone, and keeps its rows", function () {
    withFolder((folder) => {
      const directory = join(folder, "deep", "data");
      fill(directory, 3);
      if (process.platform !== "win32") {
        assert.equal(statSync(directory).mode & 0o777, 0o700);
        assert.equal(statSync(join(directory, "ledger.db")).mode & 0o777, 0o600);
      }
      const file = openLedgerFile(directory, listeningLog(), DAY);
      assert.equal(listRows(file, { limit: 9 }).rows.length, 3);
      assert.equal(file.setAside, undefined);
      file.close();
    });
  });

  it("leaves a marker only while it is open or was not closed", () => {
    withFolder((folder) => {
      const file = openLedgerFile(folder, listeningLog(), DAY);
      assert.ok(existsSync(join(folder, "ledger.open")));
      file.close();
      assert.ok(!existsSync(join(folder, "ledger.open")));
    });
  });

  it("takes the marker over from a process that still finishes, which leaves it alone at its own end", () => {
    withFolder((folder) => {
      const marker = join(folder, "ledger.open");
      const predecessor = openLedgerFile(folder, listeningLog(), DAY);
      writeFileSync(marker, `open ${process.ppid}\n`);
      const log = listeningLog();
      const file = openLedgerFile(folder, log, DAY);
      assert.equal(readFileSync(marker, "utf8"), `open ${process.pid}\n`);
      assert.deepEqual(log.lines, []);
      writeFileSync(marker, `open ${process.ppid}\n`);
      predecessor.close();
      assert.ok(existsSync(marker));
      file.close();
    });
  });

  const damages: readonly [title: string, damage: (path: string) => void][] = [
    ["no database at all", (path) => writeFileSync(path, "no database ".repeat(1_000))],
    ["cut short", (path) => truncateSync(path, 20_000)],
  ];
  for (const [title, damage] of damages) {
    it(`that is ${title} is set aside with a word in the log, and a new one is started`, () => {
      withFolder((folder) => {
        fill(folder, 500);
        const path = join(folder, "ledger.db");
        damage(path);
        const damaged = readFileSync(path);
        const log = listeningLog();
        const file = openLedgerFile(folder, log, DAY + 1_000);
        assert.equal(file.setAside, join(folder, "ledger.damaged-20261121T000001Z.db"));
        assert.deepEqual(readFileSync(file.setAside), damaged);
        assert.equal(listRows(file, { limit: 9 }).rows.length, 0);
        assert.equal(log.lines.length, 1);
        assert.match(log.lines[0]!, /^error The usage ledger was damaged.*ledger\.damaged-/);
        file.close();
      });
    });
  }

  it("that was emptied is set aside with its log and a word, and no reader and no command begins it anew before", () => {
    withFolder((folder) => {
      const path = join(folder, "ledger.db");
      const killed = openLedgerFile(folder, listeningLog(), DAY);
      const ledger = createUsageLedger(killed, listeningLog());
      ledger.record(row());
      assert.ok(ledger.flush());
      copyFileSync(`${path}-wal`, join(folder, "kept"));
      killed.close();
      renameSync(join(folder, "kept"), `${path}-wal`);
      truncateSync(path, 0);
      // Later than it was made, as every ledger is that somebody has used.
      utimesSync(path, new Date(), new Date(Date.now() + 1_000));
      for (const open of [openLedgerForReading, openLedgerBeside]) {
        assert.throws(() => open(folder), { name: "DatabaseError", problem: "damaged" });
      }
      assert.equal(statSync(path).size, 0);
      const log = listeningLog();
      const file = openLedgerFile(folder, log, DAY);
      assert.notEqual(file.setAside, undefined);
      assert.ok(statSync(`${file.setAside}-wal`).size > 0);
      assert.match(log.lines.join(), /^error The usage ledger was damaged.*ledger\.damaged-.*emptied/);
      file.close();
    });
  });

  it("that is being made by somebody else is not taken for an emptied one", () => {
    withFolder((folder) => {
      writeFileSync(join(folder, "ledger.db"), "");
      assert.equal(openLedgerForReading(folder), undefined);
      openLedgerBeside(folder).close();
      openLedgerForReading(folder)?.close();
    });
  });

  it("whose log is damaged stays in use, and the log is set aside with a word", () => {
    withFolder((folder) => {
      const path = join(folder, "ledger.db");
      fill(folder, 5);
      writeFileSync(`${path}-wal`, Buffer.alloc(50_000, 7));
      for (const open of [openLedgerForReading, openLedgerBeside]) {
        assert.throws(() => open(folder), { name: "DatabaseError", problem: "damaged" });
      }
      const log = listeningLog();
      const file = openLedgerFile(folder, log, DAY);
      assert.equal(listRows(file, { limit: 9 }).rows.length, 5);
      assert.equal(file.setAside, undefined);
      file.close();
      assert.match(log.lines.join(), /^error The newest part of the usage ledger.*ledger\.damaged-.*\.db-wal/);
      assert.equal(readdirSync(folder).filter((name) => name.endsWith(".db-wal")).length, 1);
    });
  });

  it("with nonsense in the middle is found after an unclean stop", () => {
    withFolder((folder) => {
      fill(folder, 5_000);
      writeFileSync(join(folder, "ledger.open"), "open\n");
      scribble(join(folder, "ledger.db"));
      const file = openLedgerFile(folder, listeningLog(), DAY);
      assert.notEqual(file.setAside, undefined);
      file.close();
    });
  });

  it("that turns out damaged in use fails with a sentence, and is set aside at the next start", () => {
    withFolder((folder) => {
      fill(folder, 5_000);
      const file = openLedgerFile(folder, listeningLog(), DAY);
      scribble(file.path);
      assert.throws(
        () => listRows(file, { limit: 10_000 }),
        (error) => error instanceof DatabaseError && /is damaged .*restart Patchbay/.test(error.message),
      );
      file.close();
      const next = openLedgerFile(folder, listeningLog(), DAY);
      assert.notEqual(next.setAside, undefined);
      next.close();
    });
  });

  it("never puts one damaged file over another", () => {
    withFolder((folder) => {
      for (let time = 0; time < 3; time += 1) {
        writeFileSync(join(folder, "ledger.db"), `no database ${time} `.repeat(1_000));
        openLedgerFile(folder, listeningLog(), DAY).close();
      }
      assert.equal(readdirSync(folder).filter((name) => name.startsWith("ledger.damaged-")).length, 3);
    });
  });

  it("of a newer version is refused and left as it is", () => {
    withFolder((folder) => {
      const file = openLedgerFile(folder, listeningLog(), DAY);
      writeState(file, "schema_version", 99);
      file.close();
      assert.throws(() => openLedgerFile(folder, listeningLog(), DAY), NewerSchemaError);
      assert.throws(() => openLedgerForReading(folder), NewerSchemaError);
      assert.ok(!readdirSync(folder).some((name) => name.includes("damaged")));
    });
  });

  it("that does not exist is not made by a reader", () => {
    withFolder((folder) => {
      assert.equal(openLedgerForReading(join(folder, "nowhere")), undefined);
      assert.deepEqual(readdirSync(folder), []);
    });
  });

  it("holds every row that was acknowledged when its writer is killed", async () => {
    await withFolder(async (folder) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, "ledgerFileWriter.ts"), folder], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(child, "exit", { signal: AbortSignal.timeout(8_000) });
      let acknowledged = -1;
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged = Number(line);
        if (acknowledged === 300) child.kill("SIGKILL");
      }
      await exited;
      assert.ok(acknowledged >= 300);
      const file = openLedgerFile(folder, listeningLog(), DAY);
      assert.equal(file.setAside, undefined);
      assert.equal(file.all("PRAGMA integrity_check")[0]?.["integrity_check"], "ok");
      const ids = new Set(listRows(file, { limit: 1_000_000 }).rows.map(({ id }) => id));
      for (let index = 0; index <= acknowledged; index += 1) assert.ok(ids.has(`request-${index}`), String(index));
      file.close();
    });
  });
});
