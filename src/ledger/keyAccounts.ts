import type { Clock, Sql } from "../ports.ts";
import { inputTokens } from "../wire/usage.ts";
import { awaitsUsage } from "./awaitedUsage.ts";
import { saveBuckets } from "./bucketState.ts";
import { createPurse, type Purse } from "./creditPurse.ts";
import type { ManagedKey } from "./managedKey.ts";
import { createQuotaCounter, type QuotaCounter } from "./quotaCounter.ts";
import { type QuotaKey, writeQuotaUse } from "./quotaUse.ts";
import type { ZoneOffset } from "./reportSpans.ts";
import type { Bucket } from "./tokenBucket.ts";
import type { LedgerCompanion } from "./usageLedger.ts";
import type { UsageRow } from "./usageRow.ts";

/** What keys have used and may still spend, kept with the rows: in memory at once, on the disk in the rows' own transactions. */
export interface KeyAccounts extends LedgerCompanion {
  readonly quota: QuotaCounter;
  readonly purse: Purse;
  /**
   * Stores what has changed without a row to go with: the rates of requests that still run, and with `all` what was held and given back
   * too, which a crash loses without harm. Not to be called in a transaction. Throws what the database throws, and can be called again.
   */
  save(what: "rates" | "all"): void;
}

/** What the accounts are kept over. */
export interface KeyAccountsParts {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly zoneOffset: ZoneOffset;
  readonly keys: { byId(id: string): Pick<ManagedKey, "quotaWindow" | "isCredit"> | undefined };
  /** The rate limits that changed since it was last asked. */
  readonly takeDirtyBuckets: () => ReadonlyMap<string, Bucket>;
}

/** Accounts over a database that `migrate` has been run on, with no hold open in it but those that are taken over. Throws what the database throws. */
export function createKeyAccounts(parts: KeyAccountsParts): KeyAccounts {
  const { sql, clock, zoneOffset, keys } = parts;
  const quota = createQuotaCounter(sql, zoneOffset);
  const purse = createPurse(sql, clock);
  /** Rows whose charge waits for a database that can be read. */
  const uncharged: UsageRow[] = [];
  /** Of a transaction that may yet fail. */
  let buckets = new Map<string, Bucket>();

  /** What nobody knows the price of was let through by the user's own word, and costs nothing here. Throws what the database throws. */
  function charge(row: UsageRow): void {
    purse.settle({ keyId: row.keyId, requestId: row.id, startedAt: row.startedAt }, row.costMicros ?? 0);
  }

  function writeBuckets(target: Sql): void {
    buckets = new Map([...buckets, ...parts.takeDirtyBuckets()]);
    saveBuckets(target, buckets, clock);
  }

  function quotaKey(keyId: string): QuotaKey {
    return { id: keyId, quotaWindow: keys.byId(keyId)?.quotaWindow ?? "life" };
  }

  return {
    quota,
    purse,
    recorded(row) {
      quota.count(quotaKey(row.keyId), row.startedAt, countedTokens(row));
      if (keys.byId(row.keyId)?.isCredit !== true || awaitsUsage(row)) return;
      try {
        charge(row);
      } catch {
        uncharged.push(row);
      }
    },
    write(target, rows, replaced) {
      for (let [row] = uncharged; row !== undefined; [row] = uncharged) {
        charge(row);
        uncharged.shift();
      }
      const counts = rows.map((row, index) => {
        const before = replaced[index];
        const tokens = countedTokens(row) - (before === undefined ? 0 : countedTokens(before));
        return { key: quotaKey(row.keyId), at: row.startedAt, tokens };
      });
      writeQuotaUse(target, counts, zoneOffset);
      if (purse.isWaiting) purse.write(target);
      writeBuckets(target);
    },
    save(what) {
      sql.transaction(() => {
        if (what === "all" && purse.isWaiting) purse.write(sql);
        writeBuckets(sql);
      });
      if (what === "all") purse.committed();
      buckets.clear();
    },
    committed(_rows, replaced) {
      // Counted as if it were new when it was recorded.
      for (const row of replaced) {
        if (row !== undefined) quota.count(quotaKey(row.keyId), row.startedAt, -countedTokens(row));
      }
      purse.committed();
      buckets.clear();
    },
  };
}

/** What a row takes from its key's quota. */
function countedTokens(row: UsageRow): number {
  return inputTokens(row.tokens) + row.tokens.output;
}
