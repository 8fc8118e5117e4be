import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { readRowLine, rowLine } from "../ledger/rowLine.ts";
import type { UsageRow } from "../ledger/usageRow.ts";
import type { Log } from "../ports.ts";
import { isRunning } from "./fileLock.ts";

/**
 * Rows that are not in the ledger yet, in a file that outlives this process where it is killed: what the operating system has taken
 * is as safe as a commit to the write-ahead log, for a fraction of its time. Each process has a file of its own, because one that
 * finishes its last answers may have a successor in the same data directory.
 */
export interface UsageSpool {
  /** The rows that other processes have left, oldest process first. They stay in their files until `clear`. */
  readonly left: readonly UsageRow[];
  /** Takes a row for the next `write`. */
  add(row: UsageRow): void;
  /** Hands what was added to the operating system. Never throws: returns false where that failed, and the next `write` tries again. */
  write(): boolean;
  /**
   * Forgets all rows, the left ones too, because they are in the ledger now. The file of a process that still runs stays its own: it may
   * write its last rows there. Never throws.
   */
  clear(): void;
  /** Clears, and removes the file. Never throws. */
  remove(): void;
}

/** `usage-<start in milliseconds>-<process>.spool`: in the order of their names, which is that of the starts. */
const NAME = /^usage-\d+-(\d+)\.spool$/;
/** No process finishes its last answers for so long: what has its number now is another. */
const LONGEST_DRAIN_MS = 86_400_000;

/**
 * Reads what was left in the data directory. The own file is made with the first row that is written, for its owner alone (0600).
 * Damaged lines are left out, and the log says so; so it does with the first of a series of failures to write.
 */
export function openUsageSpool(directory: string, log: Log, now: number): UsageSpool {
  const path = join(directory, `usage-${now}-${process.pid}.spool`);
  const leftFiles = readLeftFiles(directory, log);
  let descriptor: number | undefined;
  /** Lines that the operating system has not taken. */
  let waiting = "";
  let empty = true;
  /** The file may end in the midst of a line. */
  let torn = false;
  let failing = false;

  function append(lines: string): void {
    // A successor has put these rows in and removed the file: what is appended to it now would be lost.
    if (descriptor !== undefined && empty && fstatSync(descriptor).nlink === 0) close();
    descriptor ??= openSync(path, "ax", 0o600);
    const whole = torn ? `\n${lines}` : lines;
    empty = false;
    torn = true;
    const bytes = writeSync(descriptor, whole);
    // Nearly always the lines are ASCII and need not be measured.
    if (bytes !== whole.length && bytes !== Buffer.byteLength(whole)) throw new Error("only a part of it was written");
    torn = false;
  }

  function close(): void {
    if (descriptor === undefined) return;
    const closing = descriptor;
    descriptor = undefined;
    empty = true;
    torn = false;
    closeSync(closing);
  }

  function attempt(work: () => void): boolean {
    try {
      work();
      failing = false;
      return true;
    } catch (error) {
      if (!failing) {
        log.warn("The newest usage cannot be put into its spool; check the disk and the data directory.", {
          path,
          error: messageOf(error),
        });
      }
      failing = true;
      return false;
    }
  }

  function clear(): void {
    waiting = "";
    if (leftFiles.length > 0) attempt(() => leftFiles.splice(0).forEach(removeAbandoned));
    const file = descriptor;
    if (file === undefined || empty) return;
    attempt(() => {
      ftruncateSync(file);
      empty = true;
      torn = false;
    });
  }

  return {
    left: leftFiles.flatMap(({ rows }) => rows),
    add(row) {
      waiting += `${rowLine(row)}\n`;
    },
    write() {
      if (waiting === "") return true;
      return attempt(() => {
        append(waiting);
        waiting = "";
      });
    },
    clear,
    remove() {
      clear();
      attempt(() => {
        if (descriptor === undefined || !empty) return;
        close();
        rmSync(path, { force: true });
      });
    },
  };
}

/**
 * The rows that wait in the spools of a data directory, whosever they are, for those who only read: the last one of each id. Some of
 * them may be in the ledger meanwhile. What cannot be read is left out.
 */
export function spooledRows(directory: string): readonly UsageRow[] {
  const rows = readLeftFiles(directory, SILENT).flatMap((file) => file.rows);
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

/** The process whose spools these are, or the next one, tells what is wrong with them. */
const SILENT: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

function removeAbandoned({ path, owner }: LeftFile): void {
  if (owner !== process.pid && isRunning(owner)) {
    const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - changedAt < LONGEST_DRAIN_MS) return;
  }
  rmSync(path, { force: true });
}

interface LeftFile {
  readonly path: string;
  /** The number of the process that has written it. */
  readonly owner: number;
  readonly rows: readonly UsageRow[];
}

/** What cannot be read is left where it is. */
function readLeftFiles(directory: string, log: Log): LeftFile[] {
  function attempt<Result>(path: string, read: () => Result): Result[] {
    try {
      return [read()];
    } catch (error) {
      log.error("Usage that is not in the ledger yet could not be read.", { path, error: messageOf(error) });
      return [];
    }
  }
  return attempt(directory, () => readdirSync(directory))
    .flat()
    .filter((name) => NAME.test(name))
    .toSorted()
    .flatMap((name) => {
      const path = join(directory, name);
      return attempt(path, () => ({ path, owner: Number(NAME.exec(name)?.[1]), rows: readRows(path, log) }));
    });
}

function readRows(path: string, log: Log): UsageRow[] {
  const rows: UsageRow[] = [];
  let damaged = 0;
  // Behind the last line break is what a process was writing when it was killed: nobody has seen the end of that answer.
  for (const line of readFileSync(path, "utf8").split("\n").slice(0, -1)) {
    if (line === "") continue;
    const row = readRowLine(line);
    if (row === undefined) damaged += 1;
    else rows.push(row);
  }
  if (damaged > 0) log.error("Damaged lines of the newest usage are left out.", { path, lines: damaged });
  if (rows.length > 0) log.info("Usage that a process has left outside the ledger is put in.", { rows: rows.length });
  return rows;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
