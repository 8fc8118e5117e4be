import { awaitsUsage } from "../ledger/awaitedUsage.ts";
import type { UsageLedger } from "../ledger/usageLedger.ts";
import type { UsageRow } from "../ledger/usageRow.ts";
import type { Clock, Log } from "../ports.ts";
import type { TurnFlush } from "./turnFlush.ts";
import type { UsageSpool } from "./usageSpool.ts";

/** Decides when recorded rows are made safe and when they are committed. */
export interface LedgerWriter {
  /**
   * Takes a row: it outlives the process after the next `flush`, at the latest at the end of this turn of the event loop, and is
   * in the ledger in the next quiet moment. Returns whether it was taken.
   */
  record(row: UsageRow): boolean;
  /**
   * Makes what was recorded outlive the process: in the spool, or in the ledger where the spool fails. A row whose usage comes later goes
   * into the ledger at once: what is held for it is not in the spool. Never throws.
   */
  flush(): void;
  /** Commits what was recorded, for somebody who reads, unless the ledger could not be written a moment ago. Never throws. */
  commit(): void;
  /** Commits what was recorded, trying for a while; says what becomes of the rows where that fails. */
  close(): Promise<void>;
}

/** So long without a new row is a quiet moment, which a commit waits for. A reader outside does not notice. */
const QUIET_MS = 25;
/** Where no moment is quiet, rows wait for so many: a commit of 30 rows takes 10 µs a row and spoils the caches for the next requests, one of 250 rows takes 4. */
const BUSY_MOMENTS = 10;
/** A commit of so many rows holds up the streams for some milliseconds: it is not put off any longer. */
const COMMIT_ROWS = 256;
/** A file that another program holds stalls the process for a quarter of a second at each attempt: not at every chunk of a stream. */
const RETRY_MS = 1_000;
/** On the way out it is worth more tries. */
const CLOSING_PAUSE_MS = 100;
const CLOSING_DEADLINE_MS = 5_000;

/**
 * Puts rows into the spool before their clients see the end of the answer, and commits them a little later, many together. Rows that
 * an earlier process has left in its spool are committed at once.
 */
export function createLedgerWriter(
  ledger: UsageLedger,
  spool: UsageSpool,
  turns: Pick<TurnFlush, "wake">,
  clock: Clock,
  log: Log,
): LedgerWriter {
  let full: NodeJS.Immediate | undefined;
  let quiet: NodeJS.Timeout | undefined;
  let urgent = false;
  let busyMoments = 0;
  let rowsBefore = 0;
  let retry: NodeJS.Timeout | undefined;

  function record(row: UsageRow): boolean {
    if (!ledger.record(row)) return false;
    spool.add(row);
    urgent ||= awaitsUsage(row);
    // A client that left waits for nothing, and another request may not come for hours.
    turns.wake();
    if (quiet === undefined) {
      busyMoments = 0;
      rowsBefore = ledger.queued.length;
      quiet = setTimeout(commitIfQuiet, QUIET_MS).unref();
    }
    return true;
  }

  function commitIfQuiet(): void {
    const rows = ledger.queued.length;
    busyMoments += 1;
    if (rows === rowsBefore || busyMoments === BUSY_MOMENTS) commit();
    else {
      rowsBefore = rows;
      quiet?.refresh();
    }
  }

  function flush(): void {
    if (!spool.write() || urgent) commit();
    // Not in this turn: its clients' answers leave first.
    else if (ledger.queued.length >= COMMIT_ROWS) full ??= setImmediate(commit);
  }

  function commit(): void {
    clearTimeout(quiet);
    quiet = undefined;
    clearImmediate(full);
    full = undefined;
    urgent = false;
    if (retry !== undefined || ledger.queued.length === 0) return;
    if (ledger.flush()) {
      spool.clear();
      return;
    }
    retry = setTimeout(() => {
      retry = undefined;
      commit();
    }, RETRY_MS).unref();
  }

  for (const row of spool.left) ledger.record(row);
  if (ledger.queued.length === 0) spool.clear();
  else commit();

  return {
    record,
    flush,
    commit,
    async close() {
      clearTimeout(quiet);
      clearTimeout(retry);
      const deadline = clock.monotonic() + CLOSING_DEADLINE_MS;
      while (!ledger.flush()) {
        if (clock.monotonic() > deadline) {
          const rows = ledger.queued.length;
          if (spool.write()) {
            log.warn("The ledger could not be written: the newest usage is put in at the next start.", { rows });
          } else log.error("The newest usage is lost, because the ledger could not be written.", { rows });
          return;
        }
        await new Promise((resolve) => {
          setTimeout(resolve, CLOSING_PAUSE_MS);
        });
      }
      spool.remove();
    },
  };
}
