import type { KeyView } from "./keyKeeping.ts";

/** Requests per minute make so many per unit; the first of them that makes a whole number is the one to write. */
const PER_UNIT = { m: 1, h: 60, d: 1_440 } as const;
/** An hour's rate that was divided into minutes comes back with an error of some quadrillionths. */
const PRECISION_DIGITS = 12;

/** A key's rate as people write it: `60/m`, `1000/h`. */
export function writtenRate(perMinute: number): string {
  for (const [unit, minutes] of Object.entries(PER_UNIT)) {
    const count = Number((perMinute * minutes).toPrecision(PRECISION_DIGITS));
    if (Number.isInteger(count)) return `${count}/${unit}`;
  }
  return `${perMinute}/m`;
}

/** A key's token quota as people write it: `2000000/day`, `0` for none. */
export function writtenQuota({
  quota_tokens: tokens,
  quota_window: window,
}: Pick<KeyView["limits"], "quota_tokens" | "quota_window">): string {
  if (tokens === null) return "0";
  return window === null || window === "life" ? String(tokens) : `${tokens}/${window}`;
}
