import type { Log, Sql } from "../ports.ts";
import { firstPlace, hourOf, momentOf, SLOTS_PER_MS } from "./place.ts";
import {
  INSERT_ROW,
  readRow,
  REPLACE_ROW,
  ROW_COLUMNS,
  rowParameters,
  TAKEN_PLACES,
  unstorableField,
} from "./usageTable.ts";
import type { UpstreamName, UsageRow } from "./usageRow.ts";

/** Called with each row after it was committed, and with the row that it replaced, so that sums can be kept right. */
type RecordedListener = (row: UsageRow, replaced: UsageRow | undefined) => void;

/** Where every metered request is written down. */
export interface UsageLedger {
  /**
   * Queues a row. Recording an id again replaces its row. A row with a number that cannot be stored (negative, fractional,
   * not a number) is a mistake of the caller: it is logged and left out, so that it cannot hold up the others.
   */
  record(row: UsageRow): void;
  /**
   * Commits all queued rows in one transaction; does nothing where none are queued. Never throws: rows that cannot be written
   * stay queued for the next flush, and the first failure of a series is logged. Returns whether the queue is empty now.
   */
  flush(): boolean;
  /** How many rows wait to be committed. */
  readonly queued: number;
  /** Why the last flush failed, as a sentence for the user; undefined while all is well. */
  readonly problem: string | undefined;
  /**
   * The row of a response that may have to be settled later: one that is still queued, or that was at some time recorded
   * without reported usage (a background response, a cut stream). A row whose usage was reported from the start is not found.
   */
  findByResponseId(upstream: UpstreamName, responseId: string): UsageRow | undefined;
  /** Calls the listener with each row once it is committed; a listener that throws is logged. Returns how to stop it. */
  onRecorded(listener: RecordedListener): () => void;
}

/** The ledger's writing side, over a database that `migrate` has been run on. */
export function createUsageLedger(sql: Sql, log: Log): UsageLedger {
  let queue: UsageRow[] = [];
  let problem: string | undefined;
  const listeners = new Set<RecordedListener>();

  function announce(rows: readonly UsageRow[], replaced: readonly (UsageRow | undefined)[]): void {
    for (const [index, row] of rows.entries()) {
      for (const listener of listeners) {
        try {
          listener(row, replaced[index]);
        } catch (error) {
          log.warn("A listener of the usage ledger failed.", { error: messageOf(error) });
        }
      }
    }
  }

  return {
    record(row) {
      const field = unstorableField(row);
      if (field === undefined) queue.push(row);
      else log.error("A usage row was not recorded because a number in it cannot be stored.", { id: row.id, field });
    },
    flush() {
      if (queue.length === 0) return true;
      const batch = queue;
      let replaced: readonly (UsageRow | undefined)[];
      try {
        replaced = sql.transaction(() => writeRows(sql, batch));
      } catch (error) {
        if (problem === undefined) {
          log.error("Usage could not be written; it is kept in memory and written later.", {
            error: messageOf(error),
            rows: batch.length,
          });
        }
        problem = messageOf(error);
        return false;
      }
      queue = [];
      if (problem !== undefined) log.info("Usage is being written again.", { rows: batch.length });
      problem = undefined;
      announce(batch, replaced);
      return queue.length === 0;
    },
    get queued() {
      return queue.length;
    },
    get problem() {
      return problem;
    },
    findByResponseId(upstream, responseId) {
      const waiting = queue.findLast((row) => row.responseId === responseId && row.upstream === upstream);
      if (waiting !== undefined) return waiting;
      const [found] = sql.all(
        `SELECT ${ROW_COLUMNS} FROM usage WHERE later = 1 AND response_id = ? AND upstream = ? ORDER BY place DESC LIMIT 1`,
        [responseId, upstream],
      );
      return found === undefined ? undefined : readRow(found);
    },
    onRecorded(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Returns, for each row, the row that it replaced. */
function writeRows(sql: Sql, rows: readonly UsageRow[]): (UsageRow | undefined)[] {
  const hours = new Set<number>();
  const replaced = rows.map((row) => {
    const written = putRow(sql, row);
    hours.add(hourOf(momentOf(written.place)));
    return written.replaced;
  });
  for (const hour of hours) sql.run("INSERT OR IGNORE INTO usage_pending_hour (hour) VALUES (?)", [hour]);
  return replaced;
}

/** Requests of one millisecond lie in the order in which they were recorded; after 1024 of them the next millisecond is used. */
function putRow(sql: Sql, row: UsageRow): { readonly place: number; readonly replaced: UsageRow | undefined } {
  for (let first = firstPlace(row.startedAt); ; first += SLOTS_PER_MS) {
    const [taken] = sql.all(TAKEN_PLACES, [row.id, first, first + SLOTS_PER_MS]);
    const own = taken?.["own"] ?? null;
    if (own !== null) {
      const [replaced] = sql.all(`SELECT ${ROW_COLUMNS} FROM usage WHERE place = ?`, [own]);
      sql.run(REPLACE_ROW, rowParameters(Number(own), row));
      return { place: Number(own), replaced: replaced === undefined ? undefined : readRow(replaced) };
    }
    const last = taken?.["last"] ?? null;
    const place = last === null ? first : Number(last) + 1;
    if (place === first + SLOTS_PER_MS) continue;
    sql.run(INSERT_ROW, rowParameters(place, row));
    return { place, replaced: undefined };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
