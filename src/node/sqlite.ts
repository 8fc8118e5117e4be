import { chmodSync, closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";

import type { Sql, SqlRow, SqlValue } from "../ports.ts";

/** A database file behind the `Sql` port. */
export interface SqliteDatabase extends Sql {
  /** Runs queries that see one state of the database; unlike `transaction` it waits for no other program that writes. Does not nest. */
  snapshot<Result>(work: () => Result): Result;
  /** Closes the file. Everything that was committed is kept. Closing twice does no harm. */
  close(): void;
}

/** Whether to write the database, which makes it where it is missing, or only to read it. */
export type SqliteMode = "write" | "read";

/** What is wrong with a database, as far as one can do something about it. */
export type DatabaseProblem = "damaged" | "full" | "locked" | "read_only" | "unreadable" | "other";

/** A failure of the database, in a sentence for the user; the cause is what SQLite said. */
export class DatabaseError extends Error {
  readonly problem: DatabaseProblem;

  constructor(problem: DatabaseProblem, path: string, cause: unknown) {
    super(SENTENCES[problem](path, cause instanceof Error ? cause.message : String(cause)), { cause });
    this.name = "DatabaseError";
    this.problem = problem;
  }
}

/** Another program that holds the file must not stall the proxy's streams: what could not be written is tried again later. */
const WRITER_TIMEOUT_MS = 250;
const READER_TIMEOUT_MS = 5_000;
/** A write-ahead log that grew while somebody was reading is cut back to this size. */
const WAL_LIMIT_BYTES = 64 * 1024 * 1024;
const STATEMENTS_KEPT = 200;

/**
 * Opens a database file with write-ahead logging; the file is made for its owner alone (0600). The folder must exist.
 * Everything throws `DatabaseError`.
 */
export function openSqlite(path: string, mode: SqliteMode): SqliteDatabase {
  const guard = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      throw error instanceof DatabaseError || !isSqliteError(error) ? error : databaseError(path, error);
    }
  };
  const database = guard(() => (mode === "write" ? openForWriting(path) : openForReading(path)));
  const statements = new Map<string, StatementSync>();
  let closed = false;

  function prepare(text: string): StatementSync {
    let statement = statements.get(text);
    if (statement === undefined) {
      if (statements.size >= STATEMENTS_KEPT) statements.clear();
      statement = database.prepare(text);
      statements.set(text, statement);
    }
    return statement;
  }

  function run(text: string, parameters: readonly SqlValue[] = []): void {
    guard(() => prepare(text).run(...parameters));
  }

  function transaction<Result>(begin: string, work: () => Result): Result {
    run(begin);
    try {
      const result = work();
      run("COMMIT");
      return result;
    } catch (error) {
      // Some failures (a full disk) have rolled back already; the first error is the one to tell.
      try {
        prepare("ROLLBACK").run();
      } catch {}
      throw error;
    }
  }

  return {
    run,
    all: (text, parameters = []) => guard(() => prepare(text).all(...parameters) as SqlRow[]),
    transaction: (work) => transaction(mode === "write" ? "BEGIN IMMEDIATE" : "BEGIN", work),
    snapshot: (work) => transaction("BEGIN", work),
    close() {
      if (closed) return;
      closed = true;
      statements.clear();
      database.close();
    },
  };
}

function openForWriting(path: string): DatabaseSync {
  // SQLite would make the file with the process's umask; its -wal and -shm files take over the mode of the file.
  try {
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    throw new DatabaseError("unreadable", path, error);
  }
  return configured(new DatabaseSync(path, { timeout: WRITER_TIMEOUT_MS }), [
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    `PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}`,
    "PRAGMA foreign_keys = ON",
  ]);
}

function openForReading(path: string): DatabaseSync {
  return configured(new DatabaseSync(path, { timeout: READER_TIMEOUT_MS, readOnly: true }), [
    "PRAGMA foreign_keys = ON",
  ]);
}

function configured(database: DatabaseSync, pragmas: readonly string[]): DatabaseSync {
  try {
    for (const pragma of pragmas) database.exec(pragma);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function isSqliteError(error: unknown): error is Error & { readonly errcode: number } {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number";
}

function databaseError(path: string, error: Error & { readonly errcode: number }): DatabaseError {
  return new DatabaseError(problemOf(error.errcode), path, error);
}

/** Result codes of SQLite (sqlite.org/rescode.html); the low byte is the primary code. */
function problemOf(code: number): DatabaseProblem {
  switch (code & 0xff) {
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return "damaged";
    case 13: // SQLITE_FULL
      return "full";
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return "locked";
    case 3: // SQLITE_PERM
    case 8: // SQLITE_READONLY
      return "read_only";
    case 10: // SQLITE_IOERR
    case 14: // SQLITE_CANTOPEN
      return "unreadable";
    default:
      return "other";
  }
}

const SENTENCES: Readonly<Record<DatabaseProblem, (path: string, said: string) => string>> = {
  damaged: (path, said) =>
    `The database ${path} is damaged (${said}); restart Patchbay, which sets it aside and starts a new one.`,
  full: (path) => `The disk that holds ${path} is full; make room, and what is waiting will be written.`,
  locked: (path) => `Another program keeps ${path} locked; close it, and what is waiting will be written.`,
  read_only: (path, said) => `${path} must not be written (${said}); check the permissions of the file and its folder.`,
  unreadable: (path, said) =>
    `${path} cannot be opened or read (${said}); check the disk and the permissions of the file and its folder.`,
  other: (path, said) => `The database ${path} refused a statement (${said}); please report this as a bug.`,
};
