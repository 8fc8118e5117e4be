import { createPlanWindows } from "../../src/codex/planWindows.ts";
import { handClock } from "./catalogueRig.ts";

/** When the clock starts, in seconds since the Unix epoch. */
export const NOW_S = 1_790_270_000;

/** A picture at a clock that is moved by hand. */
export function planRig() {
  const clock = handClock(NOW_S * 1000);
  const windows = createPlanWindows(clock);
  const noteHeaders = (headers: Readonly<Record<string, string>>): void =>
    windows.noteHeaders((name) => headers[name.toLowerCase()], Object.keys(headers));
  const used = () => windows.picture().windows.map((one) => [one.limit, one.usedPercent, one.windowMinutes]);
  return { clock, windows, noteHeaders, used };
}
