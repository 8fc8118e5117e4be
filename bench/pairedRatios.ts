import { median } from "./median.ts";

/** The middle of many ratios, and the bounds that the true middle lies within in 95 of 100 such measurements. */
export interface MiddleRatio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Measures each of them once a round. Each takes each place equally often: the first of a round finds another machine than the last. */
export async function measureInTurns<Measured, Result>(
  those: readonly Measured[],
  rounds: number,
  measure: (one: Measured) => Promise<Result>,
): Promise<Result[][]> {
  const results: Result[][] = [];
  for (let round = 0; round < rounds; round += 1) {
    const measured: Result[] = [];
    for (let place = 0; place < those.length; place += 1) {
      const index = (round + place) % those.length;
      measured[index] = await measure(those[index] as Measured);
    }
    results.push(measured);
  }
  return results;
}

/** Half the width of that interval in ranks, for the square root of the number of ratios: 1.96 standard deviations of a fair coin's tosses. */
const RANKS_PER_ROOT = 0.98;

/** Of the ratios of pairs that were measured one right after the other, so that nothing is assumed of how they are spread. */
export function middleRatio(ratios: readonly number[]): MiddleRatio {
  const sorted = ratios.toSorted((one, other) => one - other);
  const half = RANKS_PER_ROOT * Math.sqrt(sorted.length);
  const at = (rank: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, rank))] ?? Number.NaN;
  return {
    median: median(ratios),
    low: at(Math.floor(sorted.length / 2 - half)),
    high: at(Math.ceil(sorted.length / 2 + half) - 1),
  };
}

/** `1.043x (1.031 to 1.058)`. */
export function ratioText({ median: middle, low, high }: MiddleRatio): string {
  return `${middle.toFixed(3)}x (${low.toFixed(3)} to ${high.toFixed(3)})`;
}
