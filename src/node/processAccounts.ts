import { loadBuckets } from "../ledger/bucketState.ts";
import { releaseOpenHolds } from "../ledger/creditJournal.ts";
import { createKeyAccounts, type KeyAccounts } from "../ledger/keyAccounts.ts";
import { createKeyRegister, type KeyRegister } from "../ledger/keyRegister.ts";
import { createUsageLedger, type UsageLedger } from "../ledger/usageLedger.ts";
import type { Clock, Log, Sql } from "../ports.ts";
import { type Admission, createAdmission, type UnknownPricePolicy } from "../proxy/admission.ts";
import { localZoneOffset } from "./localZone.ts";

/** Who may ask, what they have used, and where it is written down. */
export interface ProcessAccounts {
  readonly keys: KeyRegister;
  readonly accounts: KeyAccounts;
  readonly ledger: UsageLedger;
  readonly admission: Admission;
}

/**
 * Opens the accounts of a process over the ledger's file. What an earlier process held for requests that it did not see to their end is
 * given back; what was used of rates and quotas is taken over. Throws what the database throws.
 */
export function openProcessAccounts(
  file: Sql,
  clock: Clock,
  log: Log,
  unknownPrice: () => UnknownPricePolicy,
): ProcessAccounts {
  const released = releaseOpenHolds(file, clock.now());
  if (released > 0) log.info("Credit that was held for interrupted requests was given back.", { requests: released });
  const keys = createKeyRegister(file);
  let admission: Admission | undefined;
  const accounts = createKeyAccounts({
    sql: file,
    clock,
    zoneOffset: localZoneOffset,
    keys,
    takeDirtyBuckets: () => admission?.takeDirtyBuckets() ?? new Map(),
  });
  const { quota, purse } = accounts;
  admission = createAdmission({ clock, quota, purse, buckets: loadBuckets(file, clock), unknownPrice });
  return { keys, accounts, ledger: createUsageLedger(file, log, accounts), admission };
}
