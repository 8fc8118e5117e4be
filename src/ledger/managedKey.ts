import { QUOTA_WINDOWS } from "./quotaWindow.ts";
import type { QuotaWindow } from "./quotaWindow.ts";

/** What a key is called and what bounds it. Null: nothing does. */
export interface KeyDraft {
  /** What people call it; need not be unique. */
  readonly label: string;
  /** From this moment on it is refused. */
  readonly expiresAt: number | null;
  /** Null: as fast as it likes. */
  readonly ratePerMinute: number | null;
  /** Requests at once after a rest; of no effect without a rate. */
  readonly burst: number;
  readonly quotaTokens: number | null;
  /** What the quota holds for; of no effect without one. */
  readonly quotaWindow: QuotaWindow;
  /** Patterns of the models that it may use; null: all. */
  readonly models: readonly string[] | null;
  readonly maxConcurrent: number | null;
  /** Whether it may spend only what its credit journal holds. */
  readonly isCredit: boolean;
}

/** A key that callers present, without its secret's digest. Times are milliseconds since the Unix epoch. */
export interface ManagedKey extends KeyDraft {
  /** `key_` and 12 characters; stays when the secret changes. */
  readonly id: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
  /** Up to then (not included) the secret from before the last rotation is accepted too. */
  readonly previousUntil: number | null;
}

/** Whether a key may be used. A revoked key stays revoked, whether it has expired too or not. */
export type KeyState = "active" | "expired" | "revoked";

/** A key's state at a moment. */
export function stateOf(key: ManagedKey, now: number): KeyState {
  if (key.revokedAt !== null) return "revoked";
  return key.expiresAt !== null && now >= key.expiresAt ? "expired" : "active";
}

/** What somebody who manages keys got wrong: no such key, more than one of them, one that is revoked, a value that makes no sense. */
export type KeyMistakeKind = "unknown" | "ambiguous" | "revoked" | "malformed";

/** A mistake of whoever manages keys, in a sentence for them. */
export class KeyMistake extends Error {
  readonly kind: KeyMistakeKind;

  constructor(kind: KeyMistakeKind, message: string) {
    super(message);
    this.name = "KeyMistake";
    this.kind = kind;
  }
}

const LONGEST_LABEL = 100;
/** Labels are printed in terminals, where control characters (and those that turn the direction of writing) do harm. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Throws `KeyMistake` of kind `malformed` for a draft that cannot be meant. */
export function checkDraft(draft: KeyDraft): void {
  const { label, expiresAt, ratePerMinute, burst, quotaTokens, quotaWindow, models, maxConcurrent } = draft;
  if (label.trim() === "" || label.length > LONGEST_LABEL || UNPRINTABLE.test(label)) {
    throw malformed(`A key's label must be 1 to ${LONGEST_LABEL} printable characters`);
  }
  if (expiresAt !== null && !isCount(expiresAt)) throw malformed("A key's expiry must be a moment in milliseconds");
  if (ratePerMinute !== null && !(Number.isFinite(ratePerMinute) && ratePerMinute > 0)) {
    throw malformed("A key's rate must be above 0 requests a minute; leave it out for none");
  }
  if (!isCount(burst) || burst < 1) throw malformed("A key's burst must be a whole number from 1 up");
  if (quotaTokens !== null && !(isCount(quotaTokens) && quotaTokens > 0)) {
    throw malformed("A key's token quota must be a whole number from 1 up; leave it out for none");
  }
  if (!QUOTA_WINDOWS.includes(quotaWindow)) {
    throw malformed(`A quota's window must be one of ${QUOTA_WINDOWS.join(", ")}`);
  }
  if (models !== null && (models.length === 0 || models.some((pattern) => pattern.trim() === ""))) {
    throw malformed("A key's models must be a list of patterns that are not empty; leave it out for all models");
  }
  if (maxConcurrent !== null && !(isCount(maxConcurrent) && maxConcurrent > 0)) {
    throw malformed("A key's requests at once must be a whole number from 1 up; leave it out for no bound");
  }
}

function malformed(sentence: string): KeyMistake {
  return new KeyMistake("malformed", `${sentence}.`);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
