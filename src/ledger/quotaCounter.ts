import type { Sql } from "../ports.ts";
import { countedWindows, loadQuotaUse, storeOpened, storeUse, tokensOfRows } from "./quotaUse.ts";
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
  /**
   * To be called for each request that is admitted: opens the window where none is open. One that started before the window did, and was
   * admitted after others, moves the window's start back to its own, so that its tokens count in the window that admitted it.
   */
  begin(key: QuotaKey, startedAt: number, now: number): void;
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
  /** The latest moment at which each key was asked about: where the clock is behind it now, rows may lie ahead of the clock. */
  const latest = new Map<string, number>();

  function openAt(window: QuotaWindow, at: number): WindowUse {
    if (window !== "day" && window !== "month") return openWindow(window, at, zoneOffset);
    let opened = calendar.get(window);
    if (opened === undefined || !isOpen(opened, at)) {
      opened = openWindow(window, at, zoneOffset);
      calendar.set(window, opened);
    }
    return opened;
  }

  /**
   * The use of the window that is open by the clock as it is now. Where the clock was set back, the rows say what was used in it: so nobody
   * gains a quota by that, and a clock that ran far ahead for a while stops nobody.
   */
  function currentUse(key: QuotaKey, now: number): WindowUse | undefined {
    const { id, quotaWindow: window } = key;
    const use = uses[window].get(id);
    if (window === "life") return use;
    const before = latest.get(id) ?? 0;
    if (now > before) latest.set(id, now);
    if (use !== undefined && isOpen(use, now)) return use;
    const ahead = use !== undefined && now < use.startedAt ? Math.max(before, use.resetsAt ?? 0) : before;
    if (ahead > before) latest.set(id, ahead);
    const opened = openAt(window, now);
    if (opened.startedAt < ahead) {
      const tokens = tokensOfRows(sql, id, opened);
      return tokens === 0 && !isCalendar(key) ? undefined : put(key, { ...opened, tokens });
    }
    if (!isCalendar(key)) return undefined;
    uses[window].set(id, opened);
    return opened;
  }

  /** Takes a use over, and stores it where the database can be written; where it cannot, the first row that is committed stores one. */
  function put(key: QuotaKey, use: WindowUse): WindowUse {
    uses[key.quotaWindow].set(key.id, use);
    try {
      storeUse(sql, { keyId: key.id, window: key.quotaWindow, use });
    } catch {
      // Said above.
    }
    return use;
  }

  return {
    used: (key, now) => currentUse(key, now)?.tokens ?? 0,
    resetsAt(key, now) {
      const use = currentUse(key, now);
      if (use !== undefined) return use.resetsAt ?? undefined;
      return isCalendar(key) ? (openAt(key.quotaWindow, now).resetsAt ?? undefined) : undefined;
    },
    begin(key, startedAt, now) {
      const { id: keyId, quotaWindow: window } = key;
      // Days and months begin by the calendar, whoever asks first, and lifetimes do not begin.
      if (window === "life" || isCalendar(key)) return;
      const current = currentUse(key, now);
      if (current !== undefined) {
        if (startedAt < current.startedAt) put(key, { ...current, startedAt });
        return;
      }
      const use = openAt(window, startedAt);
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

function isCalendar({ quotaWindow }: QuotaKey): boolean {
  return quotaWindow === "day" || quotaWindow === "month";
}

type UsesByWindow = Readonly<Record<QuotaWindow, Map<string, WindowUse>>>;

function loadUses(sql: Sql): UsesByWindow {
  const uses: UsesByWindow = { life: new Map(), "5h": new Map(), day: new Map(), "7d": new Map(), month: new Map() };
  for (const { keyId, window, use } of loadQuotaUse(sql)) uses[window].set(keyId, use);
  return uses;
}
