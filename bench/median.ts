/** The middle of some figures, which one disturbed round does not move. */
export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5);
}

/** The figure below which this share of them lies. */
export function quantile(figures: readonly number[], share: number): number {
  return figures.toSorted((left, right) => left - right)[Math.floor(figures.length * share)] ?? Number.NaN;
}
