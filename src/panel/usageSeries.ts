import type { PanelUsage } from "./messages.ts";
import type { Measure } from "./pageState.ts";

/** What the chart and the table behind it show. */
export interface UsageSeries {
  /** Of each bucket: `2026-11-21` or `2026-11-21T14`. */
  readonly at: readonly string[];
  readonly series: readonly Series[];
}

/** The figures of one group, or of several that are too small to tell apart. */
export interface Series {
  readonly label: string;
  /** Of each bucket; null where nothing is known. */
  readonly values: readonly (number | null)[];
}

/** More colours than these are hard to tell apart; the last is for the rest. */
export const MOST_SERIES = 7;

/** The usage in one measure, split by the groups, the smaller groups gathered in one. */
export function seriesOf({ groups, buckets }: PanelUsage, measure: Measure): UsageSeries {
  const alone = groups.length > MOST_SERIES ? MOST_SERIES - 1 : groups.length;
  const series = groups.slice(0, alone).map(({ label }, place) => ({ label, from: place, to: place + 1 }));
  if (alone < groups.length) series.push({ label: `${groups.length - alone} others`, from: alone, to: groups.length });
  return {
    at: buckets.map(({ at }) => at),
    series: series.map(({ label, from, to }) => ({
      label,
      values: buckets.map((bucket) => sum((measure === "tokens" ? bucket.tokens : bucket.costs).slice(from, to))),
    })),
  };
}

/** The sum of what is known; null where nothing is. */
export function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}
