/** Money is counted in whole micro-dollars, so that sums are exact. */
export const MICROS_PER_DOLLAR = 1_000_000;
