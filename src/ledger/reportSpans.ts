import { firstPlace, HOUR_MS, hourOf } from "./place.ts";

/** A piece of time, from `since` up to but without `until`, under the name that it is reported by. */
export interface LabelledSpan {
  readonly label: string;
  readonly since: number;
  readonly until: number;
}

/** A range of hours or of places, from the first up to but without the last. */
export type LabelledRange = readonly [label: string, from: number, to: number];

/** Minutes east of UTC at a moment; what `-new Date(at).getTimezoneOffset()` says. */
export type ZoneOffset = (at: number) => number;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The local days of a piece of time, each labelled with its date. Offsets may change within it, at any minute. */
export function localDays(since: number, until: number, zoneOffset: ZoneOffset): LabelledSpan[] {
  const days: LabelledSpan[] = [];
  for (let start = since; start < until;) {
    const offset = zoneOffset(start) * MINUTE_MS;
    const day = Math.floor((start + offset) / DAY_MS);
    const end = Math.min(until, nextMidnight(day, offset, start, zoneOffset));
    days.push({ label: new Date(day * DAY_MS).toISOString().slice(0, 10), since: start, until: end });
    start = end;
  }
  return days;
}

function nextMidnight(day: number, offset: number, start: number, zoneOffset: ZoneOffset): number {
  const midnight = (day + 1) * DAY_MS;
  const unchanged = midnight - offset;
  const changed = midnight - zoneOffset(unchanged) * MINUTE_MS;
  // Where the clocks jump over midnight there is no such moment: the day ends when they jump.
  const exists = zoneOffset(changed) === zoneOffset(unchanged);
  return exists && changed > start ? changed : unchanged;
}

/**
 * Splits pieces of time into whole hours, which roll-ups answer, and the ragged rest, for which single rows are read.
 * Hours in `pending` have no valid roll-up: they are read row by row too. `pending` is in ascending order.
 */
export function splitSpans(
  spans: readonly LabelledSpan[],
  pending: readonly number[],
): { hours: LabelledRange[]; places: LabelledRange[] } {
  const hours: LabelledRange[] = [];
  const places: LabelledRange[] = [];
  let next = 0;
  for (const { label, since, until } of spans) {
    const first = Math.ceil(since / HOUR_MS);
    const end = hourOf(until);
    if (first >= end) {
      addPlaces(label, since, until);
      continue;
    }
    hours.push([label, first, end]);
    addPlaces(label, since, first * HOUR_MS);
    while ((pending[next] ?? Infinity) < first) next += 1;
    for (let hour = pending[next]; hour !== undefined && hour < end; hour = pending[next]) {
      addPlaces(label, hour * HOUR_MS, (hour + 1) * HOUR_MS);
      next += 1;
    }
    addPlaces(label, end * HOUR_MS, until);
  }
  return { hours, places };

  function addPlaces(label: string, since: number, until: number): void {
    if (since >= until) return;
    const last = places.at(-1);
    if (last !== undefined && last[0] === label && last[2] === firstPlace(since)) {
      places[places.length - 1] = [label, last[1], firstPlace(until)];
    } else places.push([label, firstPlace(since), firstPlace(until)]);
  }
}
