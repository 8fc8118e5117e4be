/**
 * Where a row lies: its start in milliseconds times 1024, plus a slot within that millisecond. Below 2^53 until the year 2248.
 */
export const SLOTS_PER_MS = 1024;

/** Milliseconds in the hours that roll-ups are made of. */
export const HOUR_MS = 3_600_000;

/** The latest moment that has a place. */
export const LATEST_MS = Math.floor(Number.MAX_SAFE_INTEGER / SLOTS_PER_MS) - 1;

/** The first place of a moment in milliseconds since the Unix epoch. */
export function firstPlace(atMs: number): number {
  return atMs * SLOTS_PER_MS;
}

/** The moment of a place, in milliseconds since the Unix epoch. */
export function momentOf(place: number): number {
  return Math.floor(place / SLOTS_PER_MS);
}

/** The number of the UTC hour that a moment lies in, counted from the Unix epoch. */
export function hourOf(atMs: number): number {
  return Math.floor(atMs / HOUR_MS);
}
