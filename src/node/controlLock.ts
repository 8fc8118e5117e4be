import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { DatabaseError } from "./sqlite.ts";

/** The right to be the process of a data directory. */
export interface ControlLock {
  /** Lets the next one have it. Doing it twice does no harm. */
  release(): void;
}

const NAME = "patchbay.lock";
const SQLITE_BUSY = 5;
/** A database that nobody refers to would be closed by the garbage collector, and its lock be gone. */
const held = new Set<DatabaseSync>();

/**
 * Takes the lock of a data directory, which must exist; undefined where another process has it. Throws `DatabaseError`.
 *
 * The lock is the operating system's on an empty database, because Node itself has none: however the holder ends, the system takes it
 * back at once, and of several that try only one gets it. So the holder may remove a socket that a killed process left, without
 * wondering whether somebody else has just put a new one there.
 */
export function takeControlLock(directory: string): ControlLock | undefined {
  const path = join(directory, NAME);
  makeFile(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    // Nothing is ever written, so no journal needs to lie beside the file.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database?.close();
    if (isBusy(error)) return undefined;
    throw new DatabaseError("unreadable", path, error);
  }
  held.add(database);
  return {
    release() {
      if (held.delete(database)) database.close();
    },
  };
}

/** SQLite would make the file with the process's umask. A file that exists is left unopened: closing it would drop this process's lock on it. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return;
    throw new DatabaseError("unreadable", path, error);
  }
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    "errcode" in error &&
    typeof error.errcode === "number" &&
    (error.errcode & 0xff) === SQLITE_BUSY
  );
}
