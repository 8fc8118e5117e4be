import type { Clock, Log, Sql } from "../ports.ts";
import { expireUsage } from "../ledger/retention.ts";
import { rollUp } from "../ledger/rollUp.ts";

/** Soon after the start, so that a process that never lives for a minute keeps its ledger tidy too. */
const FIRST_UPKEEP_MS = 1_000;
const UPKEEP_INTERVAL_MS = 60_000;
/** Between two bounded pieces of work, so that streams get their turns. */
const PAUSE_MS = 20;

/**
 * Folds finished hours and forgets expired rows now and then, in small pieces. `commit` is called before each piece, and `alsoDo` when
 * both are done.
 */
export function startLedgerUpkeep(
  sql: Sql,
  commit: () => void,
  retentionDays: number,
  clock: Clock,
  log: Log,
  alsoDo: () => void,
): { stop(): void } {
  let timer = setTimeout(run, FIRST_UPKEEP_MS);
  timer.unref();

  function run(): void {
    let more = false;
    try {
      commit();
      more = rollUp(sql, clock.now()) || expireUsage(sql, retentionDays, clock.now());
      if (!more) alsoDo();
    } catch (error) {
      log.error("The ledger could not be tidied; it is tried again later.", {
        cause: error instanceof Error ? error.message : String(error),
      });
    }
    timer = setTimeout(run, more ? PAUSE_MS : UPKEEP_INTERVAL_MS);
    timer.unref();
  }

  return { stop: () => clearTimeout(timer) };
}
