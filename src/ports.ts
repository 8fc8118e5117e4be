/**
 * The effects that the portable rooms need, as types only. Whoever starts the program passes them in;
 * tests pass their own.
 */

/** Wall time for what is stored, monotonic time for what is measured. */
export interface Clock {
  /** Milliseconds since the Unix epoch, an integer. */
  now(): number;
  /** Milliseconds from an arbitrary start, fractional; never goes back. */
  monotonic(): number;
}

/** Facts that accompany a log line. Secrets and bodies never go in here. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Four levels, one line each; VS Code's LogOutputChannel satisfies it. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A value that SQLite stores. Integers stay below 2^53. */
export type SqlValue = string | number | null | Uint8Array;

/** One row of an answer, by column name. */
export type SqlRow = Record<string, SqlValue>;

/** A database in three functions: `node:sqlite` on Node, a Durable Object's storage on Workers. All of them throw on failure. */
export interface Sql {
  /** Runs one statement that returns no rows. */
  run(statement: string, parameters?: readonly SqlValue[]): void;
  /** Runs one query and returns all its rows. */
  all(query: string, parameters?: readonly SqlValue[]): SqlRow[];
  /** Runs the work in one transaction: commits when it returns, rolls back when it throws. Does not nest. */
  transaction<Result>(work: () => Result): Result;
}

/** A new unguessable identifier, at least 96 bits, in characters that are safe in a URL and a header. */
export type RandomId = () => string;
