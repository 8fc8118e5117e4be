import type { Sql } from "../ports.ts";
import { countedWindows, loadQuotaUse, storeOpened } from "./quotaUse.ts";
import type { QuotaKey } from "./quotaUse.ts";
import { countTokens, isOpen, openWindow } from "./quotaWindow.ts";
import type { QuotaWindow, WindowUse } from "./quotaWindow.ts";
import type { ZoneOffset } from "./reportSpans.ts";

/**
 * What keys have used in their quota's windows, in memory. It counts a request as soon as its row is recorded, whereas `writeQuotaUse`
 * stores it when the row is committed; after a restart the counter starts from what is stored.
 */
export interface QuotaCounter {
  /** Tokens used in the window that is open; 0 where none is. */
  used(key: QuotaKey, now: number): number;
  /** When the window that is open ends; undefined for a lifetime, and where a `5h` or `7d` window waits for its first request. */
  resetsAt(key: QuotaKey, now: number): number | undefined;
  /** To be called with the start of each request that is admitted: opens the window where none is open. */
  begin(key: QuotaKey, now: number): void;
  /** Counts tokens of a request by its start, negative ones to take some back: those of a row that another has replaced. */
  count(key: QuotaKey, at: number, tokens: number): void;
  /** Starts again from what is stored: after a change by another process or of a window. To be called with all rows committed. */
  reload(): void;
}

/** A counter over a database that `migrate` has been run on. Throws what the database throws. */
export function createQuotaCounter(sql: Sql, zoneOffset: ZoneOffset): QuotaCounter {
  let uses = loadUses(sql);
  /** Midnights are dear to find (up to half a millisecond), and the same for all keys. */
  const calendar = new Map<QuotaWindow, WindowUse>();

  function openAt(window: QuotaWindow, at: number): WindowUse {
    if (window !== "day" && window !== "month") return openWindow(window, at, zoneOffset);
    let opened = calendar.get(window);
    if (opened === undefined || !isOpen(opened, at)) {
      opened = openWindow(window, at, zoneOffset);
      calendar.set(window, opened);
    }
    return opened;
  }

  function currentUse(key: QuotaKey, now: number): WindowUse | undefined {
    const use = uses[key.quotaWindow].get(key.id);
    return use !== undefined && isOpen(use, now) ? use : undefined;
  }

  return {
    used: (key, now) => currentUse(key, now)?.tokens ?? 0,
    resetsAt(key, now) {
      const use = currentUse(key, now);
      if (use !== undefined) return use.resetsAt ?? undefined;
      const isCalendar = key.quotaWindow === "day" || key.quotaWindow === "month";
      return isCalendar ? (openAt(key.quotaWindow, now).resetsAt ?? undefined) : undefined;
    },
    begin(key, now) {
      if (key.quotaWindow === "life" || currentUse(key, now) !== undefined) return;
      // This also replaces a window that starts in the future, which only a clock that ran ahead for a while can have opened.
      const { id: keyId, quotaWindow: window } = key;
      const use = openAt(window, now);
      uses[window].set(keyId, use);
      try {
        uses[window].set(keyId, storeOpened(sql, { keyId, window, use }, now));
      } catch {
        // A database that cannot be written now opens the window with the first row of it that is committed.
      }
    },
    count(key, at, tokens) {
      for (const window of countedWindows(key)) {
        const before = uses[window].get(key.id);
        uses[window].set(key.id, countTokens(before, window, at, tokens, zoneOffset));
      }
    },
    reload() {
      uses = loadUses(sql);
    },
  };
}

type UsesByWindow = Readonly<Record<QuotaWindow, Map<string, WindowUse>>>;

function loadUses(sql: Sql): UsesByWindow {
  const uses: UsesByWindow = { life: new Map(), "5h": new Map(), day: new Map(), "7d": new Map(), month: new Map() };
  for (const { keyId, window, use } of loadQuotaUse(sql)) uses[window].set(keyId, use);
  return uses;
}
