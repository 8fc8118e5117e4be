import { loadBuckets } from "../ledger/bucketState.ts";
import { awaitsUsage } from "../ledger/awaitedUsage.ts";
import { releaseOpenHolds } from "../ledger/creditJournal.ts";
import { createKeyAccounts, type KeyAccounts } from "../ledger/keyAccounts.ts";
import { createKeyRegister, type KeyRegister } from "../ledger/keyRegister.ts";
import { keysVersion } from "../ledger/keyTable.ts";
import { unsettledRows } from "../ledger/unsettledRows.ts";
import { createUsageLedger, type UsageLedger } from "../ledger/usageLedger.ts";
import type { Clock, Log, Sql } from "../ports.ts";
import { type Admission, createAdmission, type UnknownPricePolicy } from "../proxy/admission.ts";
import type { LocalKey } from "../proxy/localKey.ts";
import { localZoneOffset } from "./localZone.ts";

/** Who may ask, what they have used, and where it is written down. */
export interface ProcessAccounts {
  readonly keys: KeyRegister;
  readonly accounts: KeyAccounts;
  readonly ledger: UsageLedger;
  readonly admission: Admission;
  /** Stores what is not stored yet; to be called with all rows committed, before the file is closed. Never throws. */
  close(): void;
}

/** Upstreams keep records of what they answered; which of them are asked for at the start is bounded by this age. */
export const RECOVERY_MS = 86_400_000;
/** A killed process forgets what was taken from rates for so long; rows bring along what was taken before they are committed. */
const SAVE_DELAY_MS = 250;
/** So soon a process takes up what others change: a key that was revoked at its successor while it finishes its last answers. */
const KEYS_LOOK_MS = 1_000;

/**
 * Opens the accounts of a process over the ledger's file. What an earlier process held for requests that it did not see to their end is
 * given back, but for responses that go on in the background; what was used of rates and quotas is taken over. Throws what the database throws.
 */
export function openProcessAccounts(
  file: Sql,
  clock: Clock,
  log: Log,
  unknownPrice: () => UnknownPricePolicy,
  fixedKey?: LocalKey,
): ProcessAccounts {
  const goingOn = unsettledRows(file, clock.now() - RECOVERY_MS).filter(awaitsUsage);
  const released = releaseOpenHolds(file, clock.now(), new Set(goingOn.map(({ id }) => id)));
  if (released > 0) log.info("Credit that was held for interrupted requests was given back.", { requests: released });
  const keys = createKeyRegister(file);
  let admission: Admission | undefined;
  const accounts = createKeyAccounts({
    sql: file,
    clock,
    zoneOffset: localZoneOffset,
    keys: { byId: (id) => keys.byId(id) ?? (fixedKey?.id === id ? fixedKey : undefined) },
    takeDirtyBuckets: () => admission?.takeDirtyBuckets() ?? new Map(),
  });
  const { quota, purse } = accounts;
  let due: NodeJS.Timeout | undefined;

  function save(what: "rates" | "all"): void {
    clearTimeout(due);
    due = undefined;
    try {
      accounts.save(what);
    } catch (error) {
      log.warn("What keys have left of their rates could not be stored; it is stored with the next request.", {
        cause: causeOf(error),
      });
    }
  }

  const looking = setInterval(() => {
    try {
      if (keys.refreshIfChanged(keysVersion(file))) purse.refresh();
    } catch (error) {
      log.debug("Whether keys were changed by another process could not be read.", { cause: causeOf(error) });
    }
  }, KEYS_LOOK_MS).unref();

  admission = createAdmission({
    clock,
    quota,
    purse,
    buckets: loadBuckets(file, clock),
    unknownPrice,
    onTaken() {
      due ??= setTimeout(save, SAVE_DELAY_MS, "rates").unref();
    },
  });
  return {
    keys,
    accounts,
    ledger: createUsageLedger(file, log, accounts),
    admission,
    close() {
      clearInterval(looking);
      save("all");
    },
  };
}

function causeOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
