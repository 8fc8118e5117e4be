import type { Sql } from "../ports.ts";
import type { ManagedKey } from "./managedKey.ts";
import { countTokens, isOpen, openWindow } from "./quotaWindow.ts";
import type { QuotaWindow, WindowUse } from "./quotaWindow.ts";
import { reportUsage } from "./reports.ts";
import type { ZoneOffset } from "./reportSpans.ts";

/** What a quota needs to know of a key. */
export type QuotaKey = Pick<ManagedKey, "id" | "quotaWindow">;

/** Tokens of one request: all of its row's, or, where it replaced a row, the difference, which may be negative. */
export interface QuotaCount {
  readonly key: QuotaKey;
  /** When the request started. */
  readonly at: number;
  readonly tokens: number;
}

/** The use of one window of one key, as it is stored. */
export interface StoredUse {
  readonly keyId: string;
  readonly window: QuotaWindow;
  readonly use: WindowUse;
}

const COLUMNS = "key_id, quota_window, started_at, resets_at, tokens";

/** The use of all windows of all keys. Throws what the database throws. */
export function loadQuotaUse(sql: Sql): StoredUse[] {
  return sql.all(`SELECT ${COLUMNS} FROM quota_use`).map((row) => ({
    keyId: String(row["key_id"]),
    window: String(row["quota_window"]) as QuotaWindow,
    use: {
      startedAt: Number(row["started_at"]),
      resetsAt: row["resets_at"] === null ? null : Number(row["resets_at"]),
      tokens: Number(row["tokens"]),
    },
  }));
}

/**
 * Adds to what is stored. To be called in the transaction that commits the requests' rows, once for each row, with what the row
 * replaced taken off: then the stored use is always that of the rows, whenever the process is killed.
 */
export function writeQuotaUse(sql: Sql, counts: readonly QuotaCount[], zoneOffset: ZoneOffset): void {
  const uses = new Map<string, StoredUse>();
  // In the order of their starts: the first request is the one that opens a window, even where a later one ended before it.
  for (const { key, at, tokens } of counts.toSorted((one, other) => one.at - other.at)) {
    for (const window of countedWindows(key)) {
      const name = `${window} ${key.id}`;
      const before = uses.get(name)?.use ?? readUse(sql, key.id, window);
      uses.set(name, { keyId: key.id, window, use: countTokens(before, window, at, tokens, zoneOffset) });
    }
  }
  for (const use of uses.values()) storeUse(sql, use);
}

/** The windows that a key's tokens count for. A lifetime is always counted, so that it is known when it becomes a quota. */
export function countedWindows(key: QuotaKey): readonly QuotaWindow[] {
  return key.quotaWindow === "life" ? ["life"] : ["life", key.quotaWindow];
}

/** Stores a use in the place of what was stored. Throws what the database throws. */
export function storeUse(sql: Sql, { keyId, window, use }: StoredUse): void {
  sql.run(
    `INSERT INTO quota_use (${COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key_id, quota_window) DO UPDATE SET
      started_at = excluded.started_at, resets_at = excluded.resets_at, tokens = excluded.tokens`,
    [keyId, window, use.startedAt, use.resetsAt, use.tokens],
  );
}

/**
 * Stores a window that the first request after the last one opens, unless another process has opened one meanwhile. Returns the one that
 * is open now.
 */
export function storeOpened(sql: Sql, { keyId, window, use }: StoredUse, now: number): WindowUse {
  const stored = readUse(sql, keyId, window);
  if (stored !== undefined && isOpen(stored, now)) return stored;
  storeUse(sql, { keyId, window, use });
  return use;
}

/**
 * To be called after a key's window was changed, with all rows committed and in no transaction; a counter then has to reload. A day or month
 * starts with what its rows have used so far, any other window with the next request.
 */
export function restartQuotaWindow(sql: Sql, key: QuotaKey, now: number, zoneOffset: ZoneOffset): void {
  const { quotaWindow: window, id: keyId } = key;
  const isCalendar = window === "day" || window === "month";
  const opened = openWindow(window, now, zoneOffset);
  const tokens = isCalendar ? tokensOfRows(sql, keyId, opened) : 0;
  sql.transaction(() => {
    sql.run("DELETE FROM quota_use WHERE key_id = ? AND quota_window <> 'life'", [keyId]);
    if (isCalendar) storeUse(sql, { keyId, window, use: { ...opened, tokens } });
  });
}

/** What the committed rows of a key say that was used in a window. Throws what the database throws. */
export function tokensOfRows(sql: Sql, keyId: string, { startedAt, resetsAt }: WindowUse): number {
  const [total] = reportUsage(sql, { groupBy: "none", keyId, since: startedAt, until: resetsAt ?? undefined });
  return total === undefined ? 0 : total.inputTokens + total.outputTokens;
}

function readUse(sql: Sql, keyId: string, window: QuotaWindow): WindowUse | undefined {
  const [row] = sql.all("SELECT started_at, resets_at, tokens FROM quota_use WHERE key_id = ? AND quota_window = ?", [
    keyId,
    window,
  ]);
  if (row === undefined) return undefined;
  return {
    startedAt: Number(row["started_at"]),
    resetsAt: row["resets_at"] === null ? null : Number(row["resets_at"]),
    tokens: Number(row["tokens"]),
  };
}
