import { limitId, PLAN_LIMIT, type PlanReading, readCredits, readWindow, type WindowSlot } from "./planReading.ts";
import { textOf } from "./planValues.ts";

/** Reads a header of an answer by its name. */
export type ReadHeader = (name: string) => string | undefined;

/** Every limit has a family of headers of its own: `x-codex-primary-used-percent`, `x-codex-bengalfox-primary-used-percent`. */
const USED_PERCENT = /^x-(?<limit>[a-z0-9_-]{1,64})-(?:primary|secondary)-used-percent$/;

/** More families than any plan has: what comes after them is noise. */
const MAX_LIMITS = 32;

/** What the headers of an answer tell of the plan; undefined where they tell nothing. */
export function readPlanHeaders(header: ReadHeader, names: Iterable<string>, now: number): PlanReading | undefined {
  const families = new Set<string>();
  for (const name of names) {
    const family = USED_PERCENT.exec(name.toLowerCase())?.groups?.["limit"];
    if (family !== undefined && families.size < MAX_LIMITS) families.add(family);
  }
  const windowOf = (family: string, slot: WindowSlot) =>
    readWindow(
      {
        usedPercent: header(`x-${family}-${slot}-used-percent`),
        windowMinutes: header(`x-${family}-${slot}-window-minutes`),
        resetAt: header(`x-${family}-${slot}-reset-at`),
        resetAfterSeconds: header(`x-${family}-${slot}-reset-after-seconds`),
      },
      now,
    );
  const limits = [...families].map((family) => ({
    limit: limitId(family),
    name: textOf(header(`x-${family}-limit-name`)),
    primary: windowOf(family, "primary"),
    secondary: windowOf(family, "secondary"),
  }));
  const plan = textOf(header("x-codex-plan-type"));
  const credits = readCredits(
    header("x-codex-credits-has-credits"),
    header("x-codex-credits-unlimited"),
    header("x-codex-credits-balance"),
  );
  const type = textOf(header("x-codex-rate-limit-reached-type"));
  if (limits.length === 0 && plan === undefined && credits === undefined && type === undefined) return undefined;
  const isOfPlan = type !== undefined || families.has(PLAN_LIMIT);
  return {
    plan,
    limits,
    isComplete: false,
    credits,
    reached: isOfPlan ? { isReached: type === undefined ? undefined : true, type } : undefined,
  };
}
