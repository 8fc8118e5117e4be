import { hash, randomBytes } from "node:crypto";
import { type CreditChange, parseCreditChange } from "../ledger/creditChange.ts";
import { grant } from "../ledger/creditJournal.ts";
import type { Purse } from "../ledger/creditPurse.ts";
import type { KeyRegister } from "../ledger/keyRegister.ts";
import { newKeyId, newKeySecret } from "../ledger/keySecret.ts";
import { findKey } from "../ledger/keyTable.ts";
import { type KeyState, KeyMistake, type ManagedKey, stateOf } from "../ledger/managedKey.ts";
import type { QuotaCounter } from "../ledger/quotaCounter.ts";
import { restartQuotaWindow } from "../ledger/quotaUse.ts";
import { reportUsage, type UsageGroup } from "../ledger/reports.ts";
import type { Sql } from "../ports.ts";
import {
  expiryOf,
  type KeyDefaults,
  readWrittenChanges,
  readWrittenKey,
  type WrittenChanges,
  type WrittenKey,
} from "./keyDraft.ts";
import { localZoneOffset } from "./localZone.ts";
import { MICROS_PER_DOLLAR } from "../wire/money.ts";

/** A key as everybody who manages keys sees it; null where nothing bounds it. Money is in dollars, times are those of RFC 3339. */
export interface KeyView {
  readonly id: string;
  readonly label: string;
  readonly state: KeyState;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  /** Until then the secret from before the last rotation is good as well. */
  readonly previous_until: string | null;
  readonly limits: {
    readonly requests_per_minute: number | null;
    readonly burst: number | null;
    readonly quota_tokens: number | null;
    readonly quota_window: string | null;
    readonly models: readonly string[] | null;
    readonly max_concurrent: number | null;
  };
  /** What is left of its credit, without what is held for requests that run; null for a key that credit does not bound. */
  readonly credit_usd: number | null;
  readonly used: {
    readonly requests: number;
    /** Of its whole life. */
    readonly tokens: number;
    /** Of the quota's window. */
    readonly quota_tokens: number;
    readonly cost_usd: number;
    readonly last_at: string | null;
  };
  /** When the quota's window ends. */
  readonly resets_at: string | null;
}

/** A key whose secret can be seen this one time. */
export interface NewKeyView extends KeyView {
  readonly key: string;
}

/** Adds and changes keys. Names are ids, labels, or beginnings of ids. Everything throws `KeyMistake`, and what the database throws. */
export interface KeyKeeping {
  list(): readonly KeyView[];
  show(name: string): KeyView;
  add(written: WrittenKey): NewKeyView;
  /** With effect from the next request on. A quota's new window starts with what the day or month has used, any other with nothing. */
  set(name: string, written: WrittenChanges): KeyView;
  /** At once: running answers of the key end. */
  revoke(name: string): KeyView;
  /** A new secret for the same key; the old one lives on for the grace, `1h`. */
  rotate(name: string, grace: string | undefined): NewKeyView;
  /** `+5.00`, `-1`, `=0`, in dollars. Makes credit bound the key from now on. */
  credit(name: string, change: string): KeyView;
}

/** What keys are kept over. */
export interface KeyKeepingParts {
  readonly sql: Sql;
  readonly keys: KeyRegister;
  readonly quota: QuotaCounter;
  readonly purse: Purse;
  readonly defaults: KeyDefaults;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The keeping of keys over the ledger's database, in the process that serves or beside a stopped one. */
export function createKeyKeeping(parts: KeyKeepingParts): KeyKeeping {
  const { sql, keys, quota, purse, now } = parts;

  function named(name: string): ManagedKey {
    return findKey(sql, name);
  }

  function view(key: ManagedKey, used: UsageGroup | undefined): KeyView {
    const at = now();
    const resetsAt = key.quotaTokens === null ? undefined : quota.resetsAt(key, at);
    return {
      id: key.id,
      label: key.label,
      state: stateOf(key, at),
      created_at: moment(key.createdAt),
      expires_at: momentOrNull(key.expiresAt),
      revoked_at: momentOrNull(key.revokedAt),
      previous_until: momentOrNull(key.previousUntil !== null && key.previousUntil > at ? key.previousUntil : null),
      limits: {
        requests_per_minute: key.ratePerMinute,
        burst: key.ratePerMinute === null ? null : key.burst,
        quota_tokens: key.quotaTokens,
        quota_window: key.quotaTokens === null ? null : key.quotaWindow,
        models: key.models,
        max_concurrent: key.maxConcurrent,
      },
      credit_usd: key.isCredit ? freeMicros(key.id) / MICROS_PER_DOLLAR : null,
      used: {
        requests: used?.requests ?? 0,
        tokens: (used?.inputTokens ?? 0) + (used?.outputTokens ?? 0),
        quota_tokens: quota.used(key, at),
        cost_usd: (used?.costMicros ?? 0) / MICROS_PER_DOLLAR,
        last_at: used === undefined ? null : moment(used.lastAt),
      },
      resets_at: momentOrNull(resetsAt ?? null),
    };
  }

  function freeMicros(keyId: string): number {
    const { balanceMicros, heldMicros } = purse.standing(keyId);
    return balanceMicros - heldMicros;
  }

  function viewOf(key: ManagedKey): KeyView {
    const [used] = reportUsage(sql, { groupBy: "none", keyId: key.id });
    return view(key, used !== undefined && used.requests > 0 ? used : undefined);
  }

  function change(id: string, by: CreditChange, note: string): void {
    grant(sql, id, by, note, now());
    purse.refresh();
  }

  return {
    list() {
      const used = new Map(reportUsage(sql, { groupBy: "key" }).map((group) => [group.group, group]));
      return keys.list().map((key) => view(key, used.get(key.id)));
    },
    show: (name) => viewOf(named(name)),
    add(written) {
      const { draft, creditMicros } = readWrittenKey(written, parts.defaults, now());
      const secret = newKeySecret(randomBytes);
      const key = keys.add(draft, { id: newKeyId(randomBytes), digest: digestOf(secret) }, now());
      if (creditMicros !== undefined) change(key.id, { kind: "set", micros: creditMicros }, "with the key");
      return { ...viewOf(key), key: secret };
    },
    set(name, written) {
      const key = named(name);
      const changed = keys.update(key.id, readWrittenChanges(written, now()));
      if (changed.quotaWindow !== key.quotaWindow) {
        restartQuotaWindow(sql, changed, now(), localZoneOffset);
        quota.reload();
      }
      return viewOf(changed);
    },
    revoke: (name) => viewOf(keys.revoke(named(name).id, now())),
    rotate(name, grace) {
      const secret = newKeySecret(randomBytes);
      const graceMs = grace === undefined ? 0 : expiryOf(grace);
      return { ...viewOf(keys.rotate(named(name).id, digestOf(secret), now(), graceMs)), key: secret };
    },
    credit(name, text) {
      const by = parseCreditChange(text);
      const key = named(name);
      if (key.revokedAt !== null) throw new KeyMistake("revoked", `The key ${key.id} is revoked: add a new one.`);
      change(key.id, by, "by hand");
      return viewOf(key.isCredit ? key : keys.update(key.id, { isCredit: true }));
    },
  };
}

function digestOf(secret: string): string {
  return hash("sha256", secret, "hex");
}

function moment(at: number): string {
  return new Date(at).toISOString();
}

function momentOrNull(at: number | null): string | null {
  return at === null ? null : moment(at);
}
