import type { Sql } from "../ports.ts";

/** One step of the schema: statements that lead from the version before it to the next one. */
export type Migration = readonly string[];

/**
 * All steps so far; the schema's version is their number. A released step is never changed: a new one is appended.
 *
 * `usage.place` is the start in milliseconds times 1024 plus a slot within that millisecond, so that the table itself lies in
 * order of time and a range of time needs no second index. A request is found again by its start and its id: an index on the
 * random ids alone would make each insert about three times as dear in a ledger of a million rows. `later` marks rows that were once recorded without reported usage:
 * only those are settled by the upstream's id of the response, so only they are in that index.
 *
 * `quota_use` holds what the windows have used, because rows are forgotten after a while and a lifetime is longer. In
 * `credit_journal`, which is only ever appended to, `balance` is the sum of the key's `micros` up to that entry, so that nobody has to add
 * up a million of them; its index by the request's start, not by its random id alone, grows at the end. `credit_hold` lists
 * the holds of the journal that were neither settled nor released.
 */
export const MIGRATIONS: readonly Migration[] = [
  [
    `CREATE TABLE usage (
      place INTEGER PRIMARY KEY,
      id TEXT NOT NULL,
      key_id TEXT NOT NULL,
      upstream TEXT NOT NULL,
      endpoint TEXT NOT NULL,
      model_asked TEXT,
      model_served TEXT,
      response_id TEXT,
      service_tier TEXT,
      uncached_input INTEGER NOT NULL,
      cached_input INTEGER NOT NULL,
      cache_write INTEGER NOT NULL,
      cache_write_long INTEGER NOT NULL,
      output INTEGER NOT NULL,
      reasoning INTEGER NOT NULL,
      usage_source TEXT NOT NULL,
      cost_micros INTEGER,
      cost_source TEXT NOT NULL,
      status INTEGER NOT NULL,
      ending TEXT NOT NULL,
      first_token_ms INTEGER,
      total_ms INTEGER NOT NULL,
      client TEXT,
      session TEXT,
      later INTEGER NOT NULL
    ) STRICT`,
    `CREATE INDEX usage_settled_later ON usage (response_id) WHERE later = 1 AND response_id IS NOT NULL`,
    `CREATE TABLE usage_hour (
      hour INTEGER NOT NULL,
      key_id TEXT NOT NULL,
      upstream TEXT NOT NULL,
      model TEXT NOT NULL,
      client TEXT NOT NULL,
      requests INTEGER NOT NULL,
      errors INTEGER NOT NULL,
      input INTEGER NOT NULL,
      cached_input INTEGER NOT NULL,
      cache_write INTEGER NOT NULL,
      output INTEGER NOT NULL,
      reasoning INTEGER NOT NULL,
      cost_micros INTEGER NOT NULL,
      unpriced INTEGER NOT NULL,
      first_at INTEGER NOT NULL,
      last_at INTEGER NOT NULL,
      PRIMARY KEY (hour, key_id, upstream, model, client)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE usage_pending_hour (hour INTEGER PRIMARY KEY) STRICT`,
    `CREATE TABLE price_snapshot (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      taken_at INTEGER NOT NULL,
      document TEXT NOT NULL
    ) STRICT`,
  ],
  [
    `CREATE TABLE managed_key (
      id TEXT PRIMARY KEY,
      label TEXT NOT NULL,
      digest BLOB NOT NULL UNIQUE,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      revoked_at INTEGER,
      rate_per_minute REAL,
      burst INTEGER NOT NULL,
      quota_tokens INTEGER,
      quota_window TEXT NOT NULL,
      models TEXT,
      max_concurrent INTEGER,
      is_credit INTEGER NOT NULL,
      previous_digest BLOB,
      previous_until INTEGER
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE quota_use (
      key_id TEXT NOT NULL,
      quota_window TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      resets_at INTEGER,
      tokens INTEGER NOT NULL,
      PRIMARY KEY (key_id, quota_window)
    ) STRICT, WITHOUT ROWID`,
    `INSERT INTO quota_use (key_id, quota_window, started_at, resets_at, tokens)
      SELECT key_id, 'life', 0, NULL, sum(uncached_input + cached_input + cache_write + output) FROM usage GROUP BY key_id`,
    `CREATE TABLE credit_journal (
      number INTEGER PRIMARY KEY,
      key_id TEXT NOT NULL,
      kind TEXT NOT NULL,
      micros INTEGER NOT NULL,
      balance INTEGER NOT NULL,
      at INTEGER NOT NULL,
      request_at INTEGER,
      request_id TEXT,
      note TEXT
    ) STRICT`,
    `CREATE INDEX credit_of_key ON credit_journal (key_id, number)`,
    `CREATE INDEX credit_of_request ON credit_journal (request_at, request_id) WHERE request_at IS NOT NULL`,
    `CREATE TABLE credit_hold (
      request_at INTEGER NOT NULL,
      request_id TEXT NOT NULL,
      key_id TEXT NOT NULL,
      micros INTEGER NOT NULL,
      PRIMARY KEY (request_at, request_id)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE bucket_state (
      key_id TEXT PRIMARY KEY,
      tokens REAL NOT NULL,
      at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
  ],
  [
    `ALTER TABLE usage_hour ADD COLUMN charged_micros INTEGER NOT NULL DEFAULT 0`,
    // Hours that were folded without it are read row by row until they are folded again.
    `INSERT OR IGNORE INTO usage_pending_hour (hour) SELECT DISTINCT hour FROM usage_hour`,
  ],
  [
    `CREATE TABLE usage_session_hour (
      hour INTEGER NOT NULL,
      session TEXT NOT NULL,
      key_id TEXT NOT NULL,
      model TEXT NOT NULL,
      requests INTEGER NOT NULL,
      errors INTEGER NOT NULL,
      input INTEGER NOT NULL,
      cached_input INTEGER NOT NULL,
      cache_write INTEGER NOT NULL,
      output INTEGER NOT NULL,
      reasoning INTEGER NOT NULL,
      cost_micros INTEGER NOT NULL,
      charged_micros INTEGER NOT NULL,
      unpriced INTEGER NOT NULL,
      first_at INTEGER NOT NULL,
      last_at INTEGER NOT NULL,
      PRIMARY KEY (hour, session, key_id, model)
    ) STRICT, WITHOUT ROWID`,
    // Its sums of the hours that were folded without it are made when those are folded again.
    `INSERT OR IGNORE INTO usage_pending_hour (hour) SELECT DISTINCT hour FROM usage_hour`,
  ],
];

/** A database that a newer Patchbay has written. Opening it would damage it. */
export class NewerSchemaError extends Error {
  readonly found: number;
  readonly known: number;

  constructor(found: number, known: number) {
    super(
      `The ledger was written by a newer Patchbay (schema ${found}, this one knows ${known}); update Patchbay, or choose another data directory.`,
    );
    this.name = "NewerSchemaError";
    this.found = found;
    this.known = known;
  }
}

/** A database that has to be migrated first, by somebody who may write. */
export class OlderSchemaError extends Error {
  constructor(found: number, known: number) {
    super(
      `The ledger is from an older Patchbay (schema ${found}, this one reads ${known}); start Patchbay once to bring it up to date.`,
    );
    this.name = "OlderSchemaError";
  }
}

/**
 * Brings the schema up to date, each step in a transaction of its own.
 *
 * The version is kept in a table because a Durable Object refuses `PRAGMA user_version`.
 * Throws `NewerSchemaError`, and whatever the database throws.
 */
export function migrate(sql: Sql, migrations: readonly Migration[] = MIGRATIONS): void {
  const found = schemaVersion(sql);
  if (found > migrations.length) throw new NewerSchemaError(found, migrations.length);
  for (let version = found; version < migrations.length; version += 1) {
    sql.transaction(() => {
      if (version === 0) {
        sql.run("CREATE TABLE IF NOT EXISTS ledger_state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT");
      }
      for (const statement of migrations[version] ?? []) sql.run(statement);
      writeState(sql, "schema_version", version + 1);
    });
  }
}

/** For those who only read: throws `NewerSchemaError` or `OlderSchemaError` unless the schema is exactly ours. */
export function assertCurrentSchema(sql: Sql): void {
  const found = schemaVersion(sql);
  if (found > MIGRATIONS.length) throw new NewerSchemaError(found, MIGRATIONS.length);
  if (found < MIGRATIONS.length) throw new OlderSchemaError(found, MIGRATIONS.length);
}

/** The version of the schema that the database has; 0 for an empty one. */
export function schemaVersion(sql: Sql): number {
  const tables = sql.all("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'ledger_state'");
  return tables.length === 0 ? 0 : readState(sql, "schema_version");
}

/** Whole numbers that the ledger keeps about itself. */
type StateName = "schema_version" | "kept_from" | "keys_version";

/** One number of the ledger's own state; 0 where it was never set. */
export function readState(sql: Sql, name: StateName): number {
  return Number(sql.all("SELECT value FROM ledger_state WHERE name = ?", [name])[0]?.["value"] ?? 0);
}

/** Sets one number of the ledger's own state. */
export function writeState(sql: Sql, name: StateName, value: number): void {
  sql.run(
    "INSERT INTO ledger_state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    [name, value],
  );
}
