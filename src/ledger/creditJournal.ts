import type { Sql, SqlValue } from "../ports.ts";
import type { CreditChange } from "./creditChange.ts";

/**
 * What an entry of the journal is: credit given or taken by hand, money set aside for a request that runs, what a request cost in the
 * place of what was set aside for it, or what was set aside given back.
 */
export type CreditEntryKind = "grant" | "hold" | "settle" | "release";

/** A request that spends credit. Its start finds its entries again, beside its id: both are those of its usage row. */
export interface CreditRequest {
  readonly keyId: string;
  readonly requestId: string;
  readonly startedAt: number;
}

/**
 * What the entries of one request shall add up to from now on: minus the estimate while it runs (`hold`), minus what it cost after it
 * (`settle`), nothing (`release`). Money is never negative here.
 */
export interface CreditMovement {
  readonly request: CreditRequest;
  readonly kind: "hold" | "settle" | "release";
  readonly micros: number;
  /** When it happened. */
  readonly at: number;
}

/** The sum of the key's journal: its credit without what is held for requests. Throws what the database throws. */
export function balance(sql: Sql, keyId: string): number {
  const [last] = sql.all("SELECT balance FROM credit_journal WHERE key_id = ? ORDER BY number DESC LIMIT 1", [keyId]);
  return Number(last?.["balance"] ?? 0);
}

/**
 * Adds to, takes from or sets a key's credit, and returns its new balance. What is held for requests that run stays held: a balance
 * that is set is the one from before they are charged. Not to be called in a transaction. Throws what the database throws.
 */
export function grant(sql: Sql, keyId: string, change: CreditChange, note: string | null, now: number): number {
  return sql.transaction(() => {
    const before = balance(sql, keyId);
    const micros = change.kind === "add" ? change.micros : change.micros - (before + heldFor(sql, keyId));
    append(sql, { keyId, kind: "grant", micros, balance: before + micros, at: now, request: undefined, note });
    return before + micros;
  });
}

/**
 * Makes the entries of requests add up to what the movements say, by appending the difference to what they add up to so far. So a
 * movement that is written twice, settles anew, or comes after the hold was released by somebody else or never written is right all the same.
 * Starts no transaction: to be called in the one that commits the requests' rows. Returns the new balances by key.
 */
export function writeMovements(sql: Sql, movements: readonly CreditMovement[]): Map<string, number> {
  const balances = new Map<string, number>();
  for (const { request, kind, micros, at } of movements) {
    const { keyId } = request;
    const before = balances.get(keyId) ?? balance(sql, keyId);
    const difference = (kind === "release" ? 0 : 0 - micros) - sumOfRequest(sql, request);
    const wasHeld = takeHold(sql, request);
    if (kind === "hold") putHold(sql, request, micros);
    balances.set(keyId, before + difference);
    if (difference === 0 && (!wasHeld || kind === "hold")) continue;
    append(sql, { keyId, kind, micros: difference, balance: before + difference, at, request, note: null });
  }
  return balances;
}

/**
 * Gives back what a process that ended without settling has left held; returns for how many requests. To be called at the start,
 * before the rows that were left in a spool are recorded and settled. Not to be called in a transaction.
 *
 * @param goingOn the ids of requests that go on in the background, whose holds stay
 */
export function releaseOpenHolds(sql: Sql, now: number, goingOn: ReadonlySet<string> = new Set()): number {
  return sql.transaction(() => {
    const movements = openHolds(sql)
      .filter(({ request }) => !goingOn.has(request.requestId))
      .map(({ request }): CreditMovement => ({ request, kind: "release", micros: 0, at: now }));
    writeMovements(sql, movements);
    return movements.length;
  });
}

/** What is held now, for requests that run or go on in the background, or that a process has not seen to their end. */
export function openHolds(sql: Sql): CreditMovement[] {
  return sql.all("SELECT request_at, request_id, key_id, micros FROM credit_hold").map((row) => {
    const startedAt = Number(row["request_at"]);
    const request = { keyId: String(row["key_id"]), requestId: String(row["request_id"]), startedAt };
    return { request, kind: "hold", micros: Number(row["micros"]), at: startedAt };
  });
}

/** What the entries of a request add up to so far: minus what is held for it, or minus what it was charged. */
export function sumOfRequest(sql: Sql, request: CreditRequest): number {
  const [row] = sql.all(
    "SELECT coalesce(sum(micros), 0) AS micros FROM credit_journal WHERE request_at = ? AND request_id = ?",
    [request.startedAt, request.requestId],
  );
  return Number(row?.["micros"] ?? 0);
}

/** Whether a request was charged. */
export function isSettled(sql: Sql, { startedAt, requestId }: CreditRequest): boolean {
  const where = "WHERE request_at = ? AND request_id = ? AND kind = 'settle'";
  return sql.all(`SELECT 1 FROM credit_journal ${where} LIMIT 1`, [startedAt, requestId]).length > 0;
}

function heldFor(sql: Sql, keyId: string): number {
  const [row] = sql.all("SELECT coalesce(sum(micros), 0) AS micros FROM credit_hold WHERE key_id = ?", [keyId]);
  return Number(row?.["micros"] ?? 0);
}

/** Returns whether there was one. */
function takeHold(sql: Sql, { startedAt, requestId }: CreditRequest): boolean {
  const where = "WHERE request_at = ? AND request_id = ?";
  if (sql.all(`SELECT 1 FROM credit_hold ${where}`, [startedAt, requestId]).length === 0) return false;
  sql.run(`DELETE FROM credit_hold ${where}`, [startedAt, requestId]);
  return true;
}

function putHold(sql: Sql, { startedAt, requestId, keyId }: CreditRequest, micros: number): void {
  sql.run("INSERT INTO credit_hold (request_at, request_id, key_id, micros) VALUES (?, ?, ?, ?)", [
    startedAt,
    requestId,
    keyId,
    micros,
  ]);
}

interface CreditEntry {
  readonly keyId: string;
  readonly kind: CreditEntryKind;
  readonly micros: number;
  /** The sum of the key's entries up to and with this one. */
  readonly balance: number;
  readonly at: number;
  readonly request: CreditRequest | undefined;
  readonly note: string | null;
}

function append(sql: Sql, entry: CreditEntry): void {
  const { request } = entry;
  const values: SqlValue[] = [entry.keyId, entry.kind, entry.micros, entry.balance, entry.at];
  sql.run(
    `INSERT INTO credit_journal (key_id, kind, micros, balance, at, request_at, request_id, note)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [...values, request?.startedAt ?? null, request?.requestId ?? null, entry.note],
  );
}
