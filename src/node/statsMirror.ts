import { open } from "node:fs/promises";

import type { Log } from "../ports.ts";
import { rowJson } from "../ledger/usageJson.ts";
import type { UsageRow } from "../ledger/usageRow.ts";

/** A file with one JSON line for each committed row, for those who like to `tail -f`. The ledger stays the truth. */
export interface StatsMirror {
  /** Adds a row; it is written soon, together with others. Never throws. */
  write(row: UsageRow): void;
  /** Resolves when everything that was added is written, or cannot be. */
  close(): Promise<void>;
}

/** Lines that wait for a slow or broken file take at most this much memory; then the oldest are dropped and the log says so. */
const WAITING_LIMIT_BYTES = 8 * 1024 * 1024;

/**
 * Mirrors rows to a JSONL file, appending, made for its owner alone (0600). The file is opened for each batch, so that it may be
 * removed or rotated at any time. A failure is logged once until it is over, and what was not written is tried again with
 * the next row.
 */
export function openStatsMirror(path: string, log: Log): StatsMirror {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let dropped = 0;
  let failing = false;
  let writing: Promise<void> | undefined;

  function start(): Promise<void> {
    writing ??= nextTurn()
      .then(writeAll)
      .finally(() => (writing = undefined));
    return writing;
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = Buffer.concat(waiting);
      waiting = [];
      waitingBytes = 0;
      const { written, error } = await append(path, batch);
      if (error !== undefined) {
        waiting.unshift(batch.subarray(written));
        waitingBytes += batch.length - written;
        complain(error);
        return;
      }
      if (failing) log.info("Usage is being mirrored again.", { path, dropped });
      failing = false;
      dropped = 0;
    }
  }

  function complain(error: unknown): void {
    if (failing) return;
    failing = true;
    log.error("Usage cannot be mirrored to the file of --stats-path; check its folder and the disk.", {
      path,
      error: error instanceof Error ? error.message : String(error),
    });
  }

  return {
    write(row) {
      const line = Buffer.from(`${JSON.stringify(rowJson(row))}\n`);
      waiting.push(line);
      waitingBytes += line.length;
      // The first entry may be the rest of a line that is half written.
      while (waitingBytes > WAITING_LIMIT_BYTES && waiting.length > 2) {
        waitingBytes -= waiting.splice(1, 1)[0]?.length ?? 0;
        dropped += 1;
      }
      void start();
    },
    async close() {
      await writing;
      if (waiting.length > 0) await start();
    },
  };
}

/** Rows of one flush arrive together: they make one batch. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function append(path: string, bytes: Buffer): Promise<{ written: number; error: unknown }> {
  let written = 0;
  try {
    const file = await open(path, "a", 0o600);
    try {
      while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten;
    } finally {
      await file.close();
    }
    return { written, error: undefined };
  } catch (error) {
    return { written, error };
  }
}
