import type { Sql } from "../ports.ts";
import { addKey, keysVersion, loadKeys, revokeKey, rotateKey, storedKeyOf, updateKey } from "./keyTable.ts";
import type { KeyIdentity, StoredKey } from "./keyTable.ts";
import { stateOf } from "./managedKey.ts";
import type { KeyDraft, KeyState, ManagedKey } from "./managedKey.ts";

/** A key that a presented secret belongs to. Only an `active` one may be used. */
export interface FoundKey {
  readonly key: ManagedKey;
  readonly state: KeyState;
}

/** Called with a key that was added or changed, and with what it was before. Must not throw. */
type KeyListener = (key: ManagedKey, before: ManagedKey | undefined) => void;

/**
 * All keys in memory, for the way of every request. What changes through it is in the database first, then here, then told to the
 * listeners, before the call returns: from then on a revoked key is refused. All changes throw what the functions of `keyTable.ts` throw,
 * and then nothing has changed. None of them is to be called in a transaction.
 */
export interface KeyRegister {
  /** The key of a secret by its SHA-256, in whatever state it is; the secret from before a rotation counts during its grace. */
  find(digest: string, now: number): FoundKey | undefined;
  byId(id: string): ManagedKey | undefined;
  /** All keys, the oldest first, revoked ones included. */
  list(): ManagedKey[];
  add(draft: KeyDraft, identity: KeyIdentity, now: number): ManagedKey;
  revoke(id: string, now: number): ManagedKey;
  rotate(id: string, digest: string, now: number, graceMs: number): ManagedKey;
  update(id: string, changes: Partial<KeyDraft>): ManagedKey;
  /** Reads everything anew, and tells the listeners of each key that another process has added or changed. */
  reload(): void;
  /** Reloads where `keysVersion` is not the one that is known here. Returns whether it was. */
  refreshIfChanged(version: number): boolean;
  /** Calls the listener with each key that is added or changed from now on. Returns how to stop it. */
  onChanged(listener: KeyListener): () => void;
}

/** A register over a database that `migrate` has been run on. Throws what the database throws. */
export function createKeyRegister(sql: Sql): KeyRegister {
  let byId = new Map<string, StoredKey>();
  let byDigest = new Map<string, StoredKey>();
  let byPreviousDigest = new Map<string, StoredKey>();
  let version = -1;
  const listeners = new Set<KeyListener>();

  function put(stored: StoredKey): void {
    const before = byId.get(stored.key.id);
    if (before !== undefined) {
      byDigest.delete(before.digest);
      byPreviousDigest.delete(before.previousDigest);
    }
    byId.set(stored.key.id, stored);
    byDigest.set(stored.digest, stored);
    if (stored.previousDigest !== "") byPreviousDigest.set(stored.previousDigest, stored);
  }

  function announce(key: ManagedKey, before: ManagedKey | undefined): void {
    for (const listener of listeners) listener(key, before);
  }

  function reload(): void {
    const loaded = loadKeys(sql);
    const previous = byId;
    byId = new Map();
    byDigest = new Map();
    byPreviousDigest = new Map();
    for (const stored of loaded.keys) put(stored);
    const isFirst = version === -1;
    version = loaded.version;
    if (isFirst) return;
    for (const stored of loaded.keys) {
      const before = previous.get(stored.key.id);
      if (before === undefined || !isSame(before, stored)) announce(stored.key, before?.key);
    }
  }

  /** Takes over a change that was made here, unless another process has changed keys too: then everything is read. */
  function takeOver(changed: ManagedKey): ManagedKey {
    const current = keysVersion(sql);
    if (current !== version + 1) {
      reload();
      return changed;
    }
    const before = byId.get(changed.id)?.key;
    put(storedKeyOf(sql, changed.id));
    version = current;
    announce(changed, before);
    return changed;
  }

  reload();

  return {
    find(digest, now) {
      const current = byDigest.get(digest)?.key;
      if (current !== undefined) return { key: current, state: stateOf(current, now) };
      const previous = byPreviousDigest.get(digest)?.key;
      if (previous === undefined || now >= (previous.previousUntil ?? 0)) return undefined;
      return { key: previous, state: stateOf(previous, now) };
    },
    byId: (id) => byId.get(id)?.key,
    list: () => [...byId.values()].map(({ key }) => key),
    add: (draft, identity, now) => takeOver(addKey(sql, draft, identity, now)),
    revoke: (id, now) => takeOver(revokeKey(sql, id, now)),
    rotate: (id, digest, now, graceMs) => takeOver(rotateKey(sql, id, digest, now, graceMs)),
    update: (id, changes) => takeOver(updateKey(sql, id, changes)),
    reload,
    refreshIfChanged(found) {
      if (found === version) return false;
      reload();
      return true;
    },
    onChanged(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function isSame(before: StoredKey, { key, digest }: StoredKey): boolean {
  return before.digest === digest && JSON.stringify(before.key) === JSON.stringify(key);
}
