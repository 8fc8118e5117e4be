import type { Clock } from "../ports.ts";
import { type ReadHeader, readPlanHeaders } from "./planHeaders.ts";
import type { PlanCredits, PlanPicture, PlanWindow } from "./planPicture.ts";
import { PLAN_LIMIT, type PlanReading, WINDOW_SLOTS, type WindowReading } from "./planReading.ts";
import { readRateLimitsEvent, readUsageReport } from "./planReports.ts";

/** A live picture of the ChatGPT plan, put together from whatever the upstream tells. Nothing in it throws. */
export interface PlanWindows {
  /** The headers of an answer; `names` are the names of all of them. */
  noteHeaders(header: ReadHeader, names: Iterable<string>): void;
  /** An event of a stream; all but `codex.rate_limits` are ignored. */
  noteEvent(event: unknown): void;
  /** The answer of `wham/usage`. */
  noteUsage(usage: unknown): void;
  picture(): PlanPicture;
}

interface KeptWindow extends WindowReading {
  readonly limit: string;
  readonly observedAt: number;
}

interface Reached {
  readonly isReached: boolean | undefined;
  readonly type: string | undefined;
}

/** More than any plan has; the oldest ones go first. */
const MAX_WINDOWS = 64;
const MINUTE_MS = 60_000;

/** Starts with nothing known. One of these belongs to one account. */
export function createPlanWindows(clock: Clock): PlanWindows {
  /** By limit and slot. */
  const windows = new Map<string, KeptWindow>();
  const names = new Map<string, string>();
  let plan: string | undefined;
  let credits: PlanCredits | undefined;
  let reached: Reached = { isReached: undefined, type: undefined };
  let observedAt: number | undefined;

  function note(reading: PlanReading | undefined, now: number): void {
    if (reading === undefined) return;
    observedAt = now;
    plan = reading.plan ?? plan;
    credits = reading.credits ?? credits;
    reached = reading.reached ?? reached;
    if (reading.isComplete) {
      windows.clear();
      names.clear();
    }
    for (const told of reading.limits) {
      if (told.name !== undefined) names.set(told.limit, told.name);
      for (const slot of WINDOW_SLOTS) {
        const window = told[slot];
        const place = `${told.limit} ${slot}`;
        if (window === undefined) continue;
        windows.delete(place);
        if (window !== null) windows.set(place, { ...window, limit: told.limit, observedAt: now });
      }
    }
    for (const place of [...windows.keys()].slice(0, -MAX_WINDOWS)) windows.delete(place);
    for (const limit of names.keys()) if (!hasWindow(limit)) names.delete(limit);
  }

  function hasWindow(limit: string): boolean {
    return WINDOW_SLOTS.some((slot) => windows.has(`${limit} ${slot}`));
  }

  function shown(window: KeptWindow, now: number): PlanWindow {
    const { limit, windowMinutes } = window;
    const common = { limit, name: names.get(limit), windowMinutes, observedAt: window.observedAt };
    return hasReset(window, now)
      ? { ...common, usedPercent: 0, resetsAt: undefined, stale: true }
      : { ...common, usedPercent: window.usedPercent, resetsAt: window.resetsAt, stale: false };
  }

  /** What was told stands until a window of the plan has reset: then only a new word counts. */
  function isReachedNow(now: number): boolean {
    const own = [...windows.values()].filter((window) => window.limit === PLAN_LIMIT);
    const isUsedUp = own.some((window) => window.usedPercent >= 100 && !hasReset(window, now));
    if (reached.isReached === true) return isUsedUp || !own.some((window) => hasReset(window, now));
    const goesOnWithCredits = credits !== undefined && (credits.hasCredits || credits.unlimited);
    return reached.isReached === undefined && isUsedUp && !goesOnWithCredits;
  }

  return {
    noteHeaders(header, headerNames) {
      const now = clock.now();
      note(readPlanHeaders(header, headerNames, now), now);
    },
    noteEvent(event) {
      const now = clock.now();
      note(readRateLimitsEvent(event, now), now);
    },
    noteUsage(usage) {
      const now = clock.now();
      note(readUsageReport(usage, now), now);
    },
    picture() {
      const now = clock.now();
      const limitReached = isReachedNow(now);
      return {
        plan,
        windows: [...windows.keys()].toSorted(inOrder).flatMap((place) => {
          const window = windows.get(place);
          return window === undefined ? [] : [shown(window, now)];
        }),
        credits,
        limitReached,
        reachedType: limitReached ? reached.type : undefined,
        observedAt,
      };
    },
  };
}

/** A window whose reset is not told has rolled over once its length has passed. */
function hasReset(window: KeptWindow, now: number): boolean {
  const { resetsAt, windowMinutes, observedAt } = window;
  return now >= (resetsAt ?? (windowMinutes === undefined ? Infinity : observedAt + windowMinutes * MINUTE_MS));
}

/** The plan's own windows first, then by limit, primary before secondary. */
function inOrder(one: string, other: string): number {
  const ofPlan = (place: string): number => (place.startsWith(`${PLAN_LIMIT} `) ? 0 : 1);
  return ofPlan(one) - ofPlan(other) || (one < other ? -1 : 1);
}
