import type { PlanPicture } from "../codex/planPicture.ts";
import type { KeyView } from "../node/keyKeeping.ts";
import { money, windowName } from "./amounts.ts";

/** Something that runs low. */
export interface LowAllowance {
  /** 0 to 100. */
  readonly leftPercent: number;
  /** Short: `5 hours 12% left`. */
  readonly text: string;
}

/** A key's budget has no fixed size, so below this it is low. */
const LOW_CREDIT_USD = 1;

/** What has less left than so many percent, the lowest first; credits count from one dollar down. */
export function lowAllowances(
  plan: PlanPicture | undefined,
  keys: readonly KeyView[],
  belowPercent: number,
  now: number,
): readonly LowAllowance[] {
  const low: LowAllowance[] = [];
  for (const { usedPercent, windowMinutes, name, limit, stale, resetsAt } of plan?.windows ?? []) {
    if (stale || (resetsAt !== undefined && resetsAt <= now)) continue;
    const leftPercent = Math.max(0, 100 - usedPercent);
    const title = limit === "codex" ? windowName(windowMinutes) : `${name ?? limit}, ${windowName(windowMinutes)}`;
    if (leftPercent < belowPercent) low.push({ leftPercent, text: `${title}: ${Math.round(leftPercent)}% left` });
  }
  for (const { label, state, credit_usd: credit, limits, used } of keys) {
    if (state !== "active") continue;
    if (credit !== null && credit < LOW_CREDIT_USD)
      low.push({ leftPercent: Math.max(0, credit) * 100, text: `key ${label}: ${money(Math.max(0, credit))} left` });
    if (limits.quota_tokens === null) continue;
    const leftPercent = Math.max(0, 100 - (used.quota_tokens / limits.quota_tokens) * 100);
    if (leftPercent < belowPercent)
      low.push({ leftPercent, text: `key ${label}: ${Math.round(leftPercent)}% of its tokens left` });
  }
  return low.sort((one, other) => one.leftPercent - other.leftPercent);
}
