import { localDays } from "./reportSpans.ts";
import type { ZoneOffset } from "./reportSpans.ts";

/** What a token quota may hold for. */
export const QUOTA_WINDOWS = ["life", "5h", "day", "7d", "month"] as const;

/**
 * What a token quota holds for. `day` and `month` are those of the local calendar. `5h` and `7d` are like those of ChatGPT's plans: such
 * a window starts with the first request after the last one has ended, and lasts exactly that long, whatever the clocks of
 * the zone do. `life` has no end.
 */
export type QuotaWindow = (typeof QUOTA_WINDOWS)[number];

/** What was used in one window of one key. A window that was once opened keeps its end, even where the zone changes meanwhile. */
export interface WindowUse {
  /** Included. Tokens count for the window in which their request started. */
  readonly startedAt: number;
  /** Not included; null: never. */
  readonly resetsAt: number | null;
  readonly tokens: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** More than the longest local day (a zone that changes sides of the date line repeats up to one), and than the longest month. */
const AROUND_DAY_MS = 3 * DAY_MS;
const AROUND_MONTH_MS = 34 * DAY_MS;

/** The window that a request at this moment opens where none is open; nothing is used in it yet. */
export function openWindow(window: QuotaWindow, at: number, zoneOffset: ZoneOffset): WindowUse {
  switch (window) {
    case "life":
      return { startedAt: 0, resetsAt: null, tokens: 0 };
    case "5h":
      return { startedAt: at, resetsAt: at + 5 * HOUR_MS, tokens: 0 };
    case "7d":
      return { startedAt: at, resetsAt: at + 7 * DAY_MS, tokens: 0 };
    case "day":
      return calendarWindow(at, AROUND_DAY_MS, "2026-11-21".length, zoneOffset);
    case "month":
      return calendarWindow(at, AROUND_MONTH_MS, "2026-11".length, zoneOffset);
  }
}

/** The local days around a moment whose dates begin with the same so many characters. */
function calendarWindow(at: number, aroundMs: number, characters: number, zoneOffset: ZoneOffset): WindowUse {
  const days = localDays(at - aroundMs, at + aroundMs, zoneOffset);
  const date = days.find(({ since, until }) => since <= at && at < until)?.label.slice(0, characters) ?? "";
  const same = days.filter(({ label }) => label.startsWith(date));
  return { startedAt: same[0]?.since ?? at, resetsAt: same.at(-1)?.until ?? at, tokens: 0 };
}

/** Whether a moment lies in the window. */
export function isOpen(use: WindowUse, at: number): boolean {
  return use.startedAt <= at && (use.resetsAt === null || at < use.resetsAt);
}

/**
 * Counts the tokens of a request that started at a moment, negative ones to take some back. A request from before the window belongs to
 * one that is over: it changes nothing. One from after its end opens the next.
 */
export function countTokens(
  use: WindowUse | undefined,
  window: QuotaWindow,
  at: number,
  tokens: number,
  zoneOffset: ZoneOffset,
): WindowUse {
  if (use !== undefined && at < use.startedAt) return use;
  const current = use !== undefined && isOpen(use, at) ? use : openWindow(window, at, zoneOffset);
  return { ...current, tokens: Math.max(0, current.tokens + tokens) };
}

/** `Retry-After` for a quota that is used up: whole seconds until the window has ended, never early, never a whole second late. */
export function secondsUntilReset(resetsAt: number, now: number): number {
  return Math.max(1, Math.ceil((resetsAt - now) / 1000));
}
