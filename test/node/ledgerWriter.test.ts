import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { listRows } from "../../src/ledger/listRows.ts";
import type { UsageLedger } from "../../src/ledger/usageLedger.ts";
import { type LedgerFile, openLedgerFile } from "../../src/node/ledgerFile.ts";
import { createLedgerWriter, type LedgerWriter } from "../../src/node/ledgerWriter.ts";
import { readingAfter } from "../../src/node/readingAfter.ts";
import { openProcessAccounts } from "../../src/node/processAccounts.ts";
import { openSqlite } from "../../src/node/sqlite.ts";
import { TurnFlush } from "../../src/node/turnFlush.ts";
import { openUsageSpool } from "../../src/node/usageSpool.ts";
import type { Clock, Sql } from "../../src/ports.ts";
import type { Admission } from "../../src/proxy/admission.ts";
import { unlimitedKey } from "../../src/proxy/localKey.ts";
import { DAY, listeningLog, row } from "../ledger/temporaryLedger.ts";
import { Opened, until } from "./relayRig.ts";

const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
const key = { ...unlimitedKey("key_a", "a"), quotaTokens: 1_000 };
/** What `row()` takes from a quota. */
const ROW_TOKENS = 200;

interface Rig {
  readonly folder: string;
  readonly file: LedgerFile;
  readonly ledger: UsageLedger;
  readonly writer: LedgerWriter;
  readonly sql: Sql;
  readonly admission: Admission;
  readonly lines: readonly string[];
}

describe("the writer of the ledger", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  function newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), "patchbay-test-"));
    opened.add(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  function start(folder = newFolder(), spoolFolder = folder, time = clock): Rig {
    const log = listeningLog();
    const file = openLedgerFile(folder, log, time.now());
    opened.add(() => file.close());
    const { ledger, admission } = openProcessAccounts(file, time, log, () => "refuse");
    const turns = new TurnFlush(() => writer.flush());
    const writer = createLedgerWriter(ledger, openUsageSpool(spoolFolder, log, time.now()), turns, time, log);
    const sql = readingAfter(() => writer.commit(), file);
    return { folder, file, ledger, writer, sql, admission, lines: log.lines };
  }

  /** The ids that another process would see now, oldest first. */
  /** What lies in the file itself: reports see what is spooled too. */
  function committed(folder: string): string[] {
    const database = openSqlite(join(folder, "ledger.db"), "read");
    try {
      return listRows(database, { limit: 1_000_000 })
        .rows.map(({ id }) => id)
        .toReversed();
    } finally {
      database.close();
    }
  }

  const spooled = (folder: string): string[] => openUsageSpool(folder, listeningLog(), DAY).left.map(({ id }) => id);

  /** Another program that keeps the ledger locked until the function is called. */
  function lock(folder: string): () => void {
    const other = openSqlite(join(folder, "ledger.db"), "write");
    opened.add(() => other.close());
    other.run("BEGIN IMMEDIATE");
    return () => other.run("ROLLBACK");
  }

  it("has a row in the spool when it was flushed, and soon after in the ledger and no longer in the spool", async () => {
    const { folder, writer } = start();
    assert.ok(writer.record(row()));
    assert.deepEqual(spooled(folder), []);
    writer.flush();
    assert.deepEqual(spooled(folder), ["request-1"]);
    assert.deepEqual(committed(folder), []);
    await until(() => committed(folder).length === 1, "the commit");
    assert.deepEqual(spooled(folder), []);
  });

  it("spools a row by itself where no client waits for a flush", async () => {
    const { folder, writer } = start();
    writer.record(row());
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    assert.deepEqual([...spooled(folder), ...committed(folder)], ["request-1"]);
  });

  it("waits with its commit for a quiet moment while rows keep coming, but not for long", async () => {
    const { folder, writer } = start();
    const began = performance.now();
    let [rows, last, longestPause] = [0, began, 0];
    await until(() => {
      const now = performance.now();
      longestPause = Math.max(longestPause, now - last);
      last = now;
      writer.record(row({ id: `request-${(rows += 1)}` }));
      writer.flush();
      return committed(folder).length > 0;
    }, "a commit while rows keep coming");
    const waited = performance.now() - began;
    // A machine that does much else pauses this test too.
    assert.ok(
      waited > 200 || longestPause > 20,
      `${waited.toFixed(0)} ms, pauses of ${longestPause.toFixed(0)} at most`,
    );
    await until(() => committed(folder).length === rows, "the commit of the last rows");
    assert.deepEqual(spooled(folder), []);
  });

  it("commits many rows without waiting for its timer, but not before their clients were served", async () => {
    const { folder, writer } = start();
    for (let index = 0; index < 300; index += 1) writer.record(row({ id: `request-${index}` }));
    writer.flush();
    assert.equal(committed(folder).length, 0);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    assert.equal(committed(folder).length, 300);
  });

  it("leaves out a row that cannot be stored, in the spool too", () => {
    const { folder, writer } = start();
    assert.equal(writer.record(row({ totalMs: Number.NaN })), false);
    writer.flush();
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith(".spool")),
      [],
    );
  });

  it("shows a recorded row to whoever reads in the same process, also in a transaction", () => {
    const { writer, sql } = start();
    const count = (): unknown => sql.all("SELECT count(*) AS rows FROM usage")[0]?.["rows"];
    writer.record(row());
    assert.equal(count(), 1);
    writer.record(row({ id: "request-2" }));
    assert.equal(sql.transaction(count), 2);
    const inside = sql.transaction(() => {
      writer.record(row({ id: "request-3" }));
      return count();
    });
    assert.equal(inside, 2, "a transaction sees what was there when it began");
    assert.equal(count(), 3);
  });

  it("puts in what a killed process has left before anybody reads, once, however often it was there", async () => {
    const folder = newFolder();
    const log = listeningLog();
    const left = openUsageSpool(folder, log, DAY);
    for (const id of ["a", "b", "a"]) left.add(row({ id, costMicros: id === "a" ? 7 : 8 }));
    left.write();
    const first = start(folder);
    assert.deepEqual(committed(folder), ["a", "b"]);
    assert.equal(first.admission.standing(key).usedTokens, 2 * ROW_TOKENS);
    assert.deepEqual(spooled(folder), []);
    await first.writer.close();
    first.file.close();
    const again = openUsageSpool(folder, log, DAY);
    again.add(row({ id: "a", costMicros: 7 }));
    again.write();
    assert.equal(start(folder).admission.standing(key).usedTokens, 2 * ROW_TOKENS);
    assert.deepEqual(committed(folder), ["a", "b"]);
  });

  it("commits before the flush returns where a response goes on in the background, for whose sake credit stays held", () => {
    const { folder, writer } = start();
    writer.record(row({ upstream: "openai", endpoint: "responses", responseId: "resp_1", usageSource: "none" }));
    writer.flush();
    assert.deepEqual(committed(folder), ["request-1"]);
  });

  it("commits before the flush returns where the spool cannot be written", () => {
    const folder = newFolder();
    const elsewhere = join(newFolder(), "gone");
    mkdirSync(elsewhere);
    const { writer, lines } = start(folder, elsewhere);
    rmSync(elsewhere, { recursive: true });
    for (const id of ["a", "b"]) {
      writer.record(row({ id }));
      writer.flush();
      assert.ok(committed(folder).includes(id));
    }
    assert.equal(lines.filter((line) => line.startsWith("warn")).length, 1);
  });

  it("keeps rows in the spool while another program holds the ledger, and commits them by itself", async () => {
    const { folder, ledger, writer } = start();
    const unlock = lock(folder);
    for (const id of ["a", "b"]) writer.record(row({ id }));
    writer.commit();
    writer.record(row({ id: "c" }));
    writer.flush();
    assert.match(ledger.problem ?? "", /locked/);
    assert.deepEqual(spooled(folder), ["a", "b", "c"]);
    unlock();
    await until(() => committed(folder).length === 3, "the commit");
    assert.deepEqual(spooled(folder), []);
    assert.equal(ledger.problem, undefined);
  });

  it("leaves to the next start what it cannot commit on its way out", async () => {
    let now = 0;
    const hurried: Clock = { now: () => DAY, monotonic: () => (now += 60_000) };
    const { folder, file, writer, lines } = start(newFolder(), undefined, hurried);
    const unlock = lock(folder);
    writer.record(row());
    await writer.close();
    file.close();
    assert.match(lines.at(-1)!, /^warn .*at the next start/);
    unlock();
    start(folder);
    assert.deepEqual(committed(folder), ["request-1"]);
  });

  it("leaves nothing but the ledger behind when it is closed", async () => {
    const { folder, file, writer } = start();
    writer.record(row());
    writer.flush();
    await writer.close();
    file.close();
    assert.deepEqual(readdirSync(folder), ["ledger.db"]);
    assert.deepEqual(committed(folder), ["request-1"]);
  });

  for (const when of ["before", "after"] as const) {
    it(`counts a row towards its quota once, where the key was asked for ${when} it was recorded`, () => {
      const { writer, admission } = start();
      if (when === "before") assert.equal(admission.standing(key).usedTokens, 0);
      writer.record(row());
      assert.equal(admission.standing(key).usedTokens, ROW_TOKENS);
      writer.commit();
      assert.equal(admission.standing(key).usedTokens, ROW_TOKENS);
    });

    it(`counts a settled row in the place of the one before it, which was ${when === "before" ? "committed" : "waiting"}`, () => {
      const { writer, admission } = start();
      admission.standing(key);
      const estimated = row({ usageSource: "estimated" });
      writer.record(estimated);
      if (when === "before") writer.commit();
      const settled = row({ tokens: { ...row().tokens, output: 100 } });
      writer.record(settled);
      writer.commit();
      assert.equal(admission.standing(key).usedTokens, ROW_TOKENS + 70);
    });

    it(`counts rows towards their quota while the ledger is locked, where the key was asked for ${when} they came`, () => {
      const { folder, writer, admission } = start();
      if (when === "before") admission.standing(key);
      const unlock = lock(folder);
      for (const id of ["a", "b"]) writer.record(row({ id }));
      assert.equal(admission.standing(key).usedTokens, 2 * ROW_TOKENS);
      unlock();
      writer.commit();
      assert.equal(admission.standing(key).usedTokens, 2 * ROW_TOKENS);
    });
  }

  it("loses no row that was flushed when its process is killed, again and again, at whatever moment", async function () {
    this.timeout(60_000);
    const folder = newFolder();
    let acknowledged = -1;
    for (let round = 0; round < 4; round += 1) {
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, "ledgerFileWriter.ts"), folder, String(acknowledged + 1)],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      opened.add(() => child.kill("SIGKILL"));
      const exited = once(child, "exit", { signal: AbortSignal.timeout(15_000) });
      const enough = acknowledged + 150 + 97 * round;
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged = Number(line);
        if (acknowledged >= enough) child.kill("SIGKILL");
      }
      await exited;
    }
    const { file, lines } = start(folder);
    assert.equal(file.setAside, undefined);
    assert.equal(file.all("PRAGMA integrity_check")[0]?.["integrity_check"], "ok");
    const found = new Set(committed(folder));
    for (let index = 0; index <= acknowledged; index += 1) assert.ok(found.has(`request-${index}`), String(index));
    assert.deepEqual(
      lines.filter((line) => /^(error|warn)/.test(line)),
      [],
    );
  });
});
