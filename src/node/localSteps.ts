/** Today since local midnight, or whole local days of which today is the last. */
export const USAGE_RANGES = ["today", "7d", "30d"] as const;

/** One of them. */
export type UsageRange = (typeof USAGE_RANGES)[number];

/** An hour or a day. Times are milliseconds since the Unix epoch. */
export interface LocalStep {
  /** Local time: `2026-11-21` or `2026-11-21T14`. */
  readonly at: string;
  readonly since: number;
  /** Not included. */
  readonly until: number;
}

const DAYS = { "7d": 7, "30d": 30 } as const;
const HOUR_MS = 3_600_000;

/** The hours of today, or the days of a longer range, in order of time. Days of 23 and 25 hours have as many. */
export function localSteps(range: UsageRange, now: number): readonly LocalStep[] {
  if (range !== "today") {
    return Array.from({ length: DAYS[range] }, (_, index) => {
      const since = midnight(now, index + 1 - DAYS[range]);
      return { at: dateText(since), since, until: midnight(now, index + 2 - DAYS[range]) };
    });
  }
  const steps: LocalStep[] = [];
  const end = midnight(now, 1);
  for (let since = midnight(now, 0); since < end; since += HOUR_MS) {
    const hour = String(new Date(since).getHours()).padStart(2, "0");
    steps.push({ at: `${dateText(since)}T${hour}`, since, until: Math.min(end, since + HOUR_MS) });
  }
  return steps;
}

function midnight(now: number, days: number): number {
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime();
}

function dateText(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
