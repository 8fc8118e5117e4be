import { reportUsage } from "../ledger/reports.ts";
import type { UsageLedger } from "../ledger/usageLedger.ts";
import type { Clock, Sql } from "../ports.ts";
import { type Admission, countedTokens, createAdmission } from "../proxy/admission.ts";

/**
 * Admission by what the ledger knows. Whoever records a row counts it at once, as if its request were new, so that no request slips
 * through before the commit; the commit tells which row it replaced, and that one is taken back.
 */
export function createLedgerAdmission(clock: Clock, sql: Sql, ledger: UsageLedger): Admission {
  const admission = createAdmission(clock, usedTokens);
  ledger.onRecorded((_row, replaced) => {
    if (replaced !== undefined) admission.discount(replaced);
  });

  /** The tokens in the ledger, and in the rows that still wait for it where it cannot be written. */
  function usedTokens(keyId: string): number {
    const [total] = reportUsage(sql, { groupBy: "none", keyId });
    const committed = total === undefined ? 0 : total.inputTokens + total.outputTokens;
    return ledger.queued.reduce((sum, row) => (row.keyId === keyId ? sum + countedTokens(row) : sum), committed);
  }

  return admission;
}
