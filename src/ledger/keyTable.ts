import type { Sql, SqlValue } from "../ports.ts";
import { checkDraft, KeyMistake } from "./managedKey.ts";
import type { KeyDraft, ManagedKey } from "./managedKey.ts";
import { readState, writeState } from "./schema.ts";

/** What makes a new key that key: made by `newKeyId`, and the SHA-256 of what `newKeySecret` made, in hexadecimal digits. */
export interface KeyIdentity {
  readonly id: string;
  readonly digest: string;
}

/** A key with the digests of the secrets that it answers to, in hexadecimal digits. */
export interface StoredKey {
  readonly key: ManagedKey;
  readonly digest: string;
  /** Empty where there is none. */
  readonly previousDigest: string;
}

/**
 * A `StoredKey` in JSON: to take ten thousand keys out as documents is several times as quick as by single columns. Not every version
 * of SQLite writes real numbers into JSON with all 17 digits.
 */
const DOCUMENT = `json_object(
  'key', json_object(
    'id', id, 'label', label, 'createdAt', created_at, 'expiresAt', expires_at, 'revokedAt', revoked_at,
    'ratePerMinute', json(iif(rate_per_minute IS NULL, NULL, printf('%!.17g', rate_per_minute))), 'burst', burst,
    'quotaTokens', quota_tokens, 'quotaWindow', quota_window, 'models', json(models), 'maxConcurrent', max_concurrent,
    'isCredit', json(iif(is_credit, 'true', 'false')), 'previousUntil', previous_until),
  'digest', lower(hex(digest)), 'previousDigest', lower(hex(previous_digest)))`;

/** Documents that are taken out as one. */
const DOCUMENTS_AT_ONCE = 1_000;

/** Adds a key. Throws `KeyMistake` (malformed), and what the database throws. */
export function addKey(sql: Sql, draft: KeyDraft, identity: KeyIdentity, now: number): ManagedKey {
  checkDraft(draft);
  return change(sql, () => {
    sql.run(
      `INSERT INTO managed_key (label, expires_at, rate_per_minute, burst, quota_tokens, quota_window, models, max_concurrent,
        is_credit, id, digest, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, unhex(?), ?)`,
      [...draftValues(draft), identity.id, identity.digest, now],
    );
    return keyOf(sql, identity.id);
  });
}

/** All keys, the oldest first, revoked ones included. */
export function listKeys(sql: Sql): ManagedKey[] {
  return readKeys(sql).map(({ key }) => key);
}

/** All keys with their digests, and the version that `keysVersion` gave then. Not to be called in a transaction. */
export function loadKeys(sql: Sql): { readonly version: number; readonly keys: readonly StoredKey[] } {
  return sql.transaction(() => ({ version: keysVersion(sql), keys: readKeys(sql) }));
}

/** A number that changes with every change of a key, whichever process made it. */
export function keysVersion(sql: Sql): number {
  return readState(sql, "keys_version");
}

/**
 * The key that somebody means: by its exact id; else by its label, where one key alone has it (a revoked key gives way
 * to one that is not); else by the beginning of its id, `key_` and more, where no other begins so. Throws `KeyMistake`: unknown, ambiguous.
 */
export function findKey(sql: Sql, idOrLabel: string): ManagedKey {
  const keys = listKeys(sql);
  const exact = keys.find(({ id }) => id === idOrLabel);
  if (exact !== undefined) return exact;
  const labelled = keys.filter(({ label }) => label === idOrLabel);
  const living = labelled.filter(({ revokedAt }) => revokedAt === null);
  const isPrefix = idOrLabel.startsWith("key_") && idOrLabel.length > "key_".length;
  const begun = isPrefix ? keys.filter(({ id }) => id.startsWith(idOrLabel)) : [];
  const candidates = [living, labelled, begun].find(({ length }) => length > 0) ?? [];
  const [first, ...others] = candidates;
  if (first === undefined) {
    throw new KeyMistake("unknown", `No key has the id or label "${idOrLabel}"; see the list of keys.`);
  }
  if (others.length === 0) return first;
  const ids = candidates.map(({ id }) => id).join(", ");
  throw new KeyMistake("ambiguous", `"${idOrLabel}" may be any of ${ids}; give the whole id of the one you mean.`);
}

/** Ends a key for good. Revoking it again changes nothing. Throws `KeyMistake` (unknown). */
export function revokeKey(sql: Sql, id: string, now: number): ManagedKey {
  return change(sql, () => {
    sql.run(
      `UPDATE managed_key SET revoked_at = ?, previous_digest = NULL, previous_until = NULL
       WHERE id = ? AND revoked_at IS NULL`,
      [now, id],
    );
    return keyOf(sql, id);
  });
}

/**
 * Gives a key a new secret; its id, limits and history stay. The secret that it had lives on for `graceMs`; one from before
 * that, which was still in its grace, ends. Throws `KeyMistake`: unknown, revoked.
 */
export function rotateKey(sql: Sql, id: string, digest: string, now: number, graceMs: number): ManagedKey {
  return change(sql, () => {
    refuseRevoked(keyOf(sql, id));
    sql.run(
      graceMs > 0
        ? "UPDATE managed_key SET previous_digest = digest, previous_until = ?, digest = unhex(?) WHERE id = ?"
        : "UPDATE managed_key SET previous_digest = NULL, previous_until = ?, digest = unhex(?) WHERE id = ?",
      [graceMs > 0 ? now + graceMs : null, digest, id],
    );
    return keyOf(sql, id);
  });
}

/** Changes what a key is called or what bounds it. Throws `KeyMistake`: unknown, revoked, malformed. */
export function updateKey(sql: Sql, id: string, changes: Partial<KeyDraft>): ManagedKey {
  return change(sql, () => {
    const draft = { ...keyOf(sql, id), ...changes };
    refuseRevoked(draft);
    checkDraft(draft);
    sql.run(
      `UPDATE managed_key SET label = ?, expires_at = ?, rate_per_minute = ?, burst = ?, quota_tokens = ?, quota_window = ?,
        models = ?, max_concurrent = ?, is_credit = ? WHERE id = ?`,
      [...draftValues(draft), id],
    );
    return keyOf(sql, id);
  });
}

/** One key with its digests. Throws `KeyMistake` (unknown). */
export function storedKeyOf(sql: Sql, id: string): StoredKey {
  const [row] = sql.all(`SELECT ${DOCUMENT} AS document FROM managed_key WHERE id = ?`, [id]);
  if (row === undefined) throw new KeyMistake("unknown", `No key has the id "${id}"; see the list of keys.`);
  return JSON.parse(String(row["document"])) as StoredKey;
}

function keyOf(sql: Sql, id: string): ManagedKey {
  return storedKeyOf(sql, id).key;
}

/** Every change tells other processes that their picture of the keys is old. */
function change<Result>(sql: Sql, work: () => Result): Result {
  return sql.transaction(() => {
    const result = work();
    writeState(sql, "keys_version", keysVersion(sql) + 1);
    return result;
  });
}

function refuseRevoked(key: ManagedKey): void {
  if (key.revokedAt !== null) {
    throw new KeyMistake("revoked", `The key ${key.id} ("${key.label}") is revoked for good; add a new one.`);
  }
}

function readKeys(sql: Sql): StoredKey[] {
  const keys: StoredKey[] = [];
  for (let last = ""; ;) {
    const [part] = sql.all(
      `SELECT json_group_array(json(document)) AS documents, max(id) AS last FROM
        (SELECT id, ${DOCUMENT} AS document FROM managed_key WHERE id > ? ORDER BY id LIMIT ${DOCUMENTS_AT_ONCE})`,
      [last],
    );
    if (typeof part?.["last"] !== "string") break;
    last = part["last"];
    keys.push(...(JSON.parse(String(part["documents"])) as StoredKey[]));
  }
  return keys.sort((one, other) => one.key.createdAt - other.key.createdAt || (one.key.id < other.key.id ? -1 : 1));
}

/** In the order of the columns that INSERT and UPDATE name first. */
function draftValues(draft: KeyDraft): SqlValue[] {
  return [
    draft.label,
    draft.expiresAt,
    draft.ratePerMinute,
    draft.burst,
    draft.quotaTokens,
    draft.quotaWindow,
    draft.models === null ? null : JSON.stringify(draft.models),
    draft.maxConcurrent,
    draft.isCredit ? 1 : 0,
  ];
}
