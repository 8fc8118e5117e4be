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
   * not a number) is a mistake of the caller: it is logged and left out, so that it cannot hold up the others. Returns whether the row
   * was taken.
   */
  record(row: UsageRow): boolean;
  /**
   * Commits all queued rows in one transaction; does nothing where none are queued. Never throws: rows that cannot be written
   * stay queued for the next flush, and the first failure of a series is logged. Returns whether the queue is empty now.
   */
  flush(): boolean;
  /** The rows that wait to be committed, in the order in which they were recorded. */
  readonly queued: readonly UsageRow[];
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

/** What is kept in step with the rows. */
export interface LedgerCompanion {
  /** A row was taken; it is not on the disk yet. Must not throw. */
  recorded(row: UsageRow): void;
  /** Writes what goes with these rows, in their transaction; called again with the same rows where that fails. Throws what the database throws. */
  write(sql: Sql, rows: readonly UsageRow[], replaced: readonly (UsageRow | undefined)[]): void;
  /** Their transaction is committed. Must not throw. */
  committed(rows: readonly UsageRow[], replaced: readonly (UsageRow | undefined)[]): void;
}

/** The ledger's writing side, over a database that `migrate` has been run on. */
export function createUsageLedger(sql: Sql, log: Log, companion?: LedgerCompanion): UsageLedger {
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
      if (field === undefined) {
        queue.push(row);
        companion?.recorded(row);
      } else log.error("A usage row was not recorded because a number in it cannot be stored.", { id: row.id, field });
      return field === undefined;
    },
    flush() {
      if (queue.length === 0) return true;
      const batch = queue;
      let replaced: readonly (UsageRow | undefined)[];
      try {
        replaced = sql.transaction(() => {
          const before = writeRows(sql, batch);
          companion?.write(sql, batch, before);
          return before;
        });
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
      companion?.committed(batch, replaced);
      announce(batch, replaced);
      return queue.length === 0;
    },
    get queued() {
      return queue;
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
  const moments = new Map<number, Moment>();
  const hours = new Set<number>();
  const replaced = rows.map((row) => {
    const written = putRow(sql, moments, row);
    hours.add(hourOf(momentOf(written.place)));
    return written.replaced;
  });
  for (const hour of hours) sql.run("INSERT OR IGNORE INTO usage_pending_hour (hour) VALUES (?)", [hour]);
  return replaced;
}

/** One millisecond's places: the ids of those that are taken, and the first that is free. */
interface Moment {
  readonly taken: Map<string, number>;
  next: number;
}

/** Requests of one millisecond lie in the order in which they were recorded; after 1024 of them the next millisecond is used. */
function putRow(
  sql: Sql,
  moments: Map<number, Moment>,
  row: UsageRow,
): { readonly place: number; readonly replaced: UsageRow | undefined } {
  for (let first = firstPlace(row.startedAt); ; first += SLOTS_PER_MS) {
    const moment = momentAt(sql, moments, first);
    const own = moment.taken.get(row.id);
    if (own !== undefined) {
      const [replaced] = sql.all(`SELECT ${ROW_COLUMNS} FROM usage WHERE place = ?`, [own]);
      sql.run(REPLACE_ROW, rowParameters(own, row));
      return { place: own, replaced: replaced === undefined ? undefined : readRow(replaced) };
    }
    const place = moment.next;
    if (place === first + SLOTS_PER_MS) continue;
    sql.run(INSERT_ROW, rowParameters(place, row));
    moment.taken.set(row.id, place);
    moment.next = place + 1;
    return { place, replaced: undefined };
  }
}

/** Rows of one commit share many a millisecond: to ask for its places once saves a third of the commit's time. */
function momentAt(sql: Sql, moments: Map<number, Moment>, first: number): Moment {
  const known = moments.get(first);
  if (known !== undefined) return known;
  const taken = new Map<string, number>();
  let next = first;
  for (const { place, id } of sql.all(TAKEN_PLACES, [first, first + SLOTS_PER_MS])) {
    taken.set(String(id), Number(place));
    next = Number(place) + 1;
  }
  const moment = { taken, next };
  moments.set(first, moment);
  return moment;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
