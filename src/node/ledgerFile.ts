import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { Log } from "../ports.ts";
import { assertCurrentSchema, migrate } from "../ledger/schema.ts";
import { isRunning } from "./fileLock.ts";
import { lostContent } from "./lostContent.ts";
import { DatabaseError, openSqlite } from "./sqlite.ts";
import type { SqliteDatabase } from "./sqlite.ts";
import { showSpooledUsage } from "./spooledUsage.ts";
import { spooledRows } from "./usageSpool.ts";

/** The ledger's database, open for writing. */
export interface LedgerFile extends SqliteDatabase {
  readonly path: string;
  /** Where a damaged predecessor was put; undefined where there was none. */
  readonly setAside: string | undefined;
}

const NAME = "ledger.db";
/** Present while the ledger is open for writing, so that the next start knows when the last one did not end well. */
const MARKER = "ledger.open";
/** Files up to this size are checked in full (about a quarter of a second) after an unclean stop. */
const FULL_CHECK_BYTES = 64 * 1024 * 1024;

/**
 * Opens `ledger.db` in a data directory, which is made for its owner alone (0700) where it is missing, and migrates it.
 * Whoever opens it is the process of that directory: `claimDataDirectory` says who may.
 *
 * A damaged file is renamed, with its companions, to `ledger.damaged-<UTC time>.db`, the log says so, and a new one is started.
 * Throws `NewerSchemaError`, and `DatabaseError` for anything that a new file would not mend. Damage that is found
 * while the file is in use throws `DatabaseError` and is checked for thoroughly at the next start.
 */
export function openLedgerFile(directory: string, log: Log, now: number): LedgerFile {
  makeDataDirectory(directory);
  const path = join(directory, NAME);
  const marker = join(directory, MARKER);
  // Whoever holds the control lock may find a predecessor that is still finishing its answers.
  const thoroughness = hasRunningOwner(marker) ? "quick" : thoroughnessOf(path, marker);
  let setAside: string | undefined;
  let database: SqliteDatabase;
  try {
    const lost = lostContent(path);
    if (lost === "log") setAsideLog(path, log, now);
    else refuseLoss(path, lost);
    database = openChecked(path, thoroughness);
  } catch (error) {
    if (!isDamage(error)) throw error;
    setAside = setAsideDamaged(directory, path, now);
    log.error(`The usage ledger was damaged. It was set aside as ${setAside} and a new one was started.`, {
      reason: error.cause instanceof Error ? error.cause.message : error.message,
    });
    database = openChecked(path, "quick");
  }
  writeFileSync(marker, ownMark(), { mode: 0o600 });
  return watchForDamage(database, path, marker, setAside);
}

/** Opens a ledger for reports, with the usage that waits in spools; undefined where there is none yet. Throws `DatabaseError`, `NewerSchemaError`, `OlderSchemaError`. */
export function openLedgerForReading(directory: string): SqliteDatabase | undefined {
  const path = join(directory, NAME);
  refuseLoss(path);
  if (!existsSync(path) || statSync(path).size === 0) return undefined;
  const spooled = spooledRows(directory);
  const database = openSqlite(path, "read");
  try {
    assertCurrentSchema(database);
    if (spooled.length > 0) showSpooledUsage(database, spooled);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Opens a ledger for a short piece of writing beside a process that may be running on it, which alone looks after the file: nothing is
 * checked or set aside here. Throws `DatabaseError` and `NewerSchemaError`.
 */
export function openLedgerBeside(directory: string): SqliteDatabase {
  makeDataDirectory(directory);
  const path = join(directory, NAME);
  refuseLoss(path);
  const database = openSqlite(path, "write");
  try {
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Makes a data directory for its owner alone (0700) where it is missing. Throws `DatabaseError`. */
export function makeDataDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new DatabaseError("unreadable", join(directory, NAME), error);
  }
}

/** Throws `DatabaseError` where opening the database would begin it anew without a word. */
function refuseLoss(path: string, lost = lostContent(path)): void {
  if (lost === undefined) return;
  const what = lost === "file" ? "the file was emptied" : "its write-ahead log is not one";
  throw new DatabaseError("damaged", path, new Error(what));
}

/** `quick` reads the header, the schema and both ends of the tables; `full` every page; `thorough` the indexes too. */
type Thoroughness = "quick" | "full" | "thorough";

function thoroughnessOf(path: string, marker: string): Thoroughness {
  if (!existsSync(marker) || !existsSync(path)) return "quick";
  if (readFileSync(marker, "utf8").startsWith("damaged")) return "thorough";
  return statSync(path).size <= FULL_CHECK_BYTES ? "full" : "quick";
}

function ownMark(): string {
  return `open ${process.pid}\n`;
}

/** Whether another process has the ledger open and still runs. */
function hasRunningOwner(marker: string): boolean {
  const owner = existsSync(marker) ? Number(/^open (\d+)$/m.exec(readFileSync(marker, "utf8"))?.[1]) : Number.NaN;
  return Number.isSafeInteger(owner) && owner !== process.pid && isRunning(owner);
}

function openChecked(path: string, thoroughness: Thoroughness): SqliteDatabase {
  const database = openSqlite(path, "write");
  try {
    check(database, path, thoroughness);
    migrate(database);
    database.all(
      "SELECT (SELECT min(place) FROM usage), (SELECT max(place) FROM usage), (SELECT max(hour) FROM usage_hour)",
    );
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function check(database: SqliteDatabase, path: string, thoroughness: Thoroughness): void {
  // Reading the schema makes SQLite compare the size in the header with the size of the file.
  database.all("SELECT count(*) FROM sqlite_master");
  if (thoroughness === "quick") return;
  const [answer] = database.all(thoroughness === "full" ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)");
  const found = String(Object.values(answer ?? {})[0]);
  if (found !== "ok") throw new DatabaseError("damaged", path, new Error(found));
}

function isDamage(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.problem === "damaged";
}

/** The file itself has all that was put into it from its log, so it stays in use. */
function setAsideLog(path: string, log: Log, now: number): void {
  const target = `${freeName(dirname(path), now)}-wal`;
  renameSync(`${path}-wal`, target);
  log.error(
    `The newest part of the usage ledger, its write-ahead log, was damaged. It was set aside as ${target}; the rest stays in use.`,
  );
}

function setAsideDamaged(directory: string, path: string, now: number): string {
  const target = freeName(directory, now);
  for (const suffix of ["", "-wal", "-shm"]) if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  return target;
}

function freeName(directory: string, now: number): string {
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  const isTaken = (name: string): boolean => existsSync(name) || existsSync(`${name}-wal`);
  let target = join(directory, `ledger.damaged-${time}Z.db`);
  for (let copy = 2; isTaken(target); copy += 1) target = join(directory, `ledger.damaged-${time}Z-${copy}.db`);
  return target;
}

function watchForDamage(
  database: SqliteDatabase,
  path: string,
  marker: string,
  setAside: string | undefined,
): LedgerFile {
  let damaged = false;
  const watch = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      if (isDamage(error) && !damaged) {
        damaged = true;
        writeFileSync(marker, "damaged\n", { mode: 0o600 });
      }
      throw error;
    }
  };
  return {
    path,
    setAside,
    run: (text, parameters) => watch(() => database.run(text, parameters)),
    all: (text, parameters) => watch(() => database.all(text, parameters)),
    transaction: (work) => watch(() => database.transaction(work)),
    snapshot: (work) => watch(() => database.snapshot(work)),
    close() {
      database.close();
      if (!damaged && existsSync(marker) && readFileSync(marker, "utf8") === ownMark()) rmSync(marker);
    },
  };
}
