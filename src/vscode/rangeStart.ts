import type { PanelRange } from "../panel/messages.ts";

const DAYS: Readonly<Record<PanelRange, number>> = { today: 1, "7d": 7, "30d": 30 };

/** The local midnight that a range begins at, in milliseconds since the Unix epoch. */
export function rangeStart(range: PanelRange, now: number): number {
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1 - DAYS[range]).getTime();
}
