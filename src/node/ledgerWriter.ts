import type { UsageLedger } from "../ledger/usageLedger.ts";
import type { Clock, Log } from "../ports.ts";
import type { UsageRow } from "../ledger/usageRow.ts";

/** Decides when queued rows are committed. */
export interface LedgerWriter {
  /** Takes a row: it is committed by the next `flush`, at the latest at the end of this turn of the event loop. */
  record(row: UsageRow): void;
  /** Commits what is queued, unless the file could not be written a moment ago. Never throws. */
  flush(): void;
  /** Commits what is queued, trying for a while; says how many rows are lost where that fails. */
  close(): Promise<void>;
}

/** A file that another program holds stalls the process for a quarter of a second at each attempt: not at every chunk of a stream. */
const RETRY_MS = 1_000;
/** On the way out it is worth more tries. */
const CLOSING_PAUSE_MS = 100;
const CLOSING_DEADLINE_MS = 5_000;

/** Commits rows before their clients see the end of the answer, and by itself where no client waits or the file was locked. */
export function createLedgerWriter(ledger: UsageLedger, clock: Clock, log: Log): LedgerWriter {
  let turn: NodeJS.Immediate | undefined;
  let retry: NodeJS.Timeout | undefined;

  function flush(): void {
    if (retry !== undefined || ledger.queued === 0 || ledger.flush()) return;
    retry = setTimeout(() => {
      retry = undefined;
      flush();
    }, RETRY_MS).unref();
  }

  return {
    record(row) {
      ledger.record(row);
      // A client that left waits for nothing, and another request may not come for hours.
      turn ??= setImmediate(() => {
        turn = undefined;
        flush();
      });
    },
    flush,
    async close() {
      clearTimeout(retry);
      const deadline = clock.monotonic() + CLOSING_DEADLINE_MS;
      while (!ledger.flush()) {
        if (clock.monotonic() > deadline) {
          log.error("The newest usage is lost, because the ledger could not be written.", { rows: ledger.queued });
          return;
        }
        await new Promise((resolve) => {
          setTimeout(resolve, CLOSING_PAUSE_MS);
        });
      }
    },
  };
}
