import { ApiError } from "../wire/errors.ts";
import type { KeyRegister } from "../ledger/keyRegister.ts";
import type { KeyState, ManagedKey } from "../ledger/managedKey.ts";
import type { QuotaWindow } from "../ledger/quotaWindow.ts";
import type { Rate } from "../ledger/tokenBucket.ts";
import type { Exchange } from "./exchange.ts";
import { spokenKey } from "./spokenName.ts";

/** A key that callers present to us, and what it may do. The key itself is known by its digest only. */
export interface LocalKey {
  readonly id: string;
  readonly label: string;
  /** From this moment on it is refused; undefined: never. */
  readonly expiresAt: number | undefined;
  /** Undefined: as fast as it likes. */
  readonly rate: Rate | undefined;
  /** Tokens it may use in its window; undefined: no bound. */
  readonly quotaTokens: number | undefined;
  readonly quotaWindow: QuotaWindow;
  /** Patterns of the models that it may use; undefined: all. */
  readonly models: readonly string[] | undefined;
  /** Requests that may run at once; undefined: any number. */
  readonly maxConcurrent: number | undefined;
  /** Whether it may spend only what its credit journal holds. */
  readonly isCredit: boolean;
}

/** A key that a secret belongs to, in whatever state it is. */
export interface FoundLocalKey {
  readonly key: LocalKey;
  readonly state: KeyState;
}

/** SHA-256 of a text, in hexadecimal digits. Synchronous, because it stands in front of every request. */
export type Digest = (text: string) => string;

/** The keys that may call. */
export interface KeyRing {
  /** The key that a caller presents. */
  find(presented: string): FoundLocalKey | undefined;
  /** Whether a key was revoked, perhaps after a request with it was let in. */
  isRevoked(keyId: string): boolean;
}

/** What a ring is made of. */
export interface KeyRingParts {
  readonly digest: Digest;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** The keys that the ledger knows. */
  readonly managed?: Pick<KeyRegister, "find" | "byId"> | undefined;
  /** One key of the user's choice besides. */
  readonly fixed?: FixedKey | undefined;
}

/** A key that is set rather than handed out. */
export interface FixedKey {
  readonly key: LocalKey;
  readonly secret: string;
}

/** What local keys begin with, so that one is recognised where it must not go. */
export const LOCAL_KEY_PREFIX = "pb_";

/** Stands for callers without a key of ours: `--allow-any-key`, and the transparent route. */
export function anonymousKey(id: "any" | "transparent"): LocalKey {
  return unlimitedKey(id, id);
}

/** Whether what its requests use has to be known: they are bound by it. */
export function isBounded(key: LocalKey): boolean {
  return key.quotaTokens !== undefined || key.isCredit;
}

/** A key that nothing bounds. */
export function unlimitedKey(id: string, label: string): LocalKey {
  return {
    id,
    label,
    expiresAt: undefined,
    rate: undefined,
    quotaTokens: undefined,
    quotaWindow: "life",
    models: undefined,
    maxConcurrent: undefined,
    isCredit: false,
  };
}

/** A ring that takes one digest of what is presented, and none of what can be no key. */
export function createKeyRing({ digest, now, managed, fixed }: KeyRingParts): KeyRing {
  const expected = fixed === undefined ? undefined : digest(fixed.secret);
  const foundFixed: FoundLocalKey | undefined = fixed === undefined ? undefined : { key: fixed.key, state: "active" };
  /** A key's limits in the terms of admission, made anew when it was changed. */
  const made = new WeakMap<ManagedKey, LocalKey>();

  return {
    find(presented) {
      const isManaged = managed !== undefined && presented.startsWith(LOCAL_KEY_PREFIX);
      if (!isManaged && expected === undefined) return undefined;
      const digested = digest(presented);
      if (expected !== undefined && isSame(digested, expected)) return foundFixed;
      const found = isManaged ? managed.find(digested, now()) : undefined;
      if (found === undefined) return undefined;
      let key = made.get(found.key);
      if (key === undefined) made.set(found.key, (key = localKeyOf(found.key)));
      return { key, state: found.state };
    },
    isRevoked: (keyId) => typeof managed?.byId(keyId)?.revokedAt === "number",
  };
}

/** A managed key in the terms of admission. */
export function localKeyOf(key: ManagedKey): LocalKey {
  return {
    id: key.id,
    label: key.label,
    expiresAt: key.expiresAt ?? undefined,
    rate: key.ratePerMinute === null ? undefined : { perMinute: key.ratePerMinute, burst: key.burst },
    quotaTokens: key.quotaTokens ?? undefined,
    quotaWindow: key.quotaWindow,
    models: key.models ?? undefined,
    maxConcurrent: key.maxConcurrent ?? undefined,
    isCredit: key.isCredit,
  };
}

/**
 * The caller's key, from the places that the contract names. A caller may carry other credentials besides (an agent's own bearer next to
 * an `X-Daemon-Token`), so the first that is a key of ours counts, in whatever state it is. Throws `invalid_api_key`.
 */
export function presentedKey(
  exchange: Exchange,
  pathKey: string | undefined,
  ring: KeyRing | undefined,
  allowAny: boolean,
): FoundLocalKey {
  const presented = [exchange.header("x-daemon-token"), pathKey, exchange.header("x-api-key"), bearer(exchange)];
  if (ring !== undefined) {
    for (const key of presented) {
      const found = key === undefined || key === "" ? undefined : ring.find(key);
      if (found !== undefined) return found;
    }
  }
  if (allowAny) return { key: anonymousKey("any"), state: "active" };
  throw new ApiError(
    "invalid_api_key",
    presented.some((key) => key !== undefined && key !== "")
      ? "This Patchbay key is not known here: check that the client has the key that Patchbay gave out."
      : "This request carries no Patchbay key: send it as 'Authorization: Bearer KEY', 'X-API-Key' or 'X-Daemon-Token'.",
  );
}

/** A key that may be used now. Throws `key_expired`, and `invalid_api_key` for a revoked one. */
export function usableKey({ key, state }: FoundLocalKey): LocalKey {
  switch (state) {
    case "active":
      return key;
    case "expired":
      throw new ApiError(
        "key_expired",
        `${spokenKey(key.label)} has expired: ask whoever runs Patchbay for a new one.`,
      );
    case "revoked":
      throw new ApiError(
        "invalid_api_key",
        `${spokenKey(key.label)} was revoked: ask whoever runs Patchbay for a new one.`,
      );
  }
}

/** What the reader of an answer is told whose key was revoked meanwhile. */
export const KEY_REVOKED = "The key of this request was revoked: ask whoever runs Patchbay for a new one.";

/** The token of `Authorization: Bearer`; the scheme's case does not matter (RFC 9110 section 11.1). */
export function bearer(exchange: Exchange): string | undefined {
  const header = exchange.header("authorization");
  if (header === undefined || header.slice(0, 7).toLowerCase() !== "bearer ") return undefined;
  return header.slice(7).trim();
}

/** Compares digests in a time that does not depend on where they differ. */
function isSame(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let index = 0; index < one.length; index += 1) difference |= one.charCodeAt(index) ^ other.charCodeAt(index);
  return difference === 0;
}

/** Refuses a target that carries a local key where it would go upstream, `?api_key=pb_...`. Throws `invalid_request`. */
export function checkTarget(target: string, ring: KeyRing | undefined): void {
  if (!/pb(?:_|%5f)/i.test(target)) return;
  for (const [candidate] of decoded(target).matchAll(/pb_[\w-]+/g)) {
    if (ring?.find(candidate) !== undefined) {
      throw new ApiError(
        "invalid_request",
        "The request's address carries a Patchbay key, which must not go upstream: send it in a header instead.",
      );
    }
  }
}

function decoded(target: string): string {
  try {
    return decodeURIComponent(target);
  } catch {
    return target;
  }
}
