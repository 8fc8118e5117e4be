import type { PlanCredits } from "./planPicture.ts";
import { booleanOf, countOf, positiveOf, resetOf, textOf } from "./planValues.ts";

/** The limit of the plan itself; the others are metered besides it. */
export const PLAN_LIMIT = "codex";

/** A limit has up to two windows. Which of them is the long one, only their lengths tell. */
export const WINDOW_SLOTS = ["primary", "secondary"] as const;

/** The place of a window in its limit. */
export type WindowSlot = (typeof WINDOW_SLOTS)[number];

/** A window as it was told. */
export interface WindowReading {
  readonly usedPercent: number;
  readonly windowMinutes: number | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly resetsAt: number | undefined;
}

/** What was told of a limit. A window that is null does not exist; of one that is undefined nothing was said. */
export interface LimitReading {
  readonly limit: string;
  readonly name: string | undefined;
  readonly primary: WindowReading | null | undefined;
  readonly secondary: WindowReading | null | undefined;
}

/** What one answer, event or report told. Absent members were not told. */
export interface PlanReading {
  readonly plan?: string | undefined;
  readonly limits: readonly LimitReading[];
  /** Whether these are all limits, so that those not named are gone. */
  readonly isComplete: boolean;
  readonly credits?: PlanCredits | undefined;
  readonly reached?: { readonly isReached: boolean | undefined; readonly type: string | undefined } | undefined;
}

/** The values of a window as they came. */
export interface WindowValues {
  readonly usedPercent: unknown;
  readonly windowMinutes: unknown;
  readonly resetAt: unknown;
  readonly resetAfterSeconds: unknown;
}

/** Undefined where no use is told; null where all is 0 or empty, which is how the upstream writes that there is no such window. */
export function readWindow(values: WindowValues, now: number): WindowReading | null | undefined {
  const used = countOf(values.usedPercent);
  if (used === undefined) return undefined;
  const windowMinutes = positiveOf(values.windowMinutes);
  const resetsAt = resetOf(values.resetAt, values.resetAfterSeconds, now);
  if (used === 0 && windowMinutes === undefined && resetsAt === undefined) return null;
  return { usedPercent: Math.min(used, 100), windowMinutes, resetsAt };
}

/** Undefined where it is not told whether there are any. */
export function readCredits(hasCredits: unknown, unlimited: unknown, balance: unknown): PlanCredits | undefined {
  const has = booleanOf(hasCredits);
  if (has === undefined) return undefined;
  const amount = typeof balance === "number" && Number.isFinite(balance) ? String(balance) : textOf(balance);
  return { hasCredits: has, unlimited: booleanOf(unlimited) ?? false, balance: amount };
}

/** One spelling: headers write dashes where reports write underscores. */
export function limitId(name: string): string {
  return name.trim().toLowerCase().replaceAll("-", "_");
}
