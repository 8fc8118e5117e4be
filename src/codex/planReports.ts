import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { limitId, type LimitReading, PLAN_LIMIT, type PlanReading, readCredits, readWindow } from "./planReading.ts";
import { booleanOf, countOf, textOf } from "./planValues.ts";

const CODE_REVIEW_LIMIT = "code_review";
/** More than any plan has: what comes after them is noise. */
const MAX_LIMITS = 32;

/** What a `codex.rate_limits` event tells of the plan; undefined for anything else. */
export function readRateLimitsEvent(event: unknown, now: number): PlanReading | undefined {
  if (!isJsonObject(event) || event["type"] !== "codex.rate_limits") return undefined;
  const metered = textOf(event["metered_limit_name"]);
  const limit = metered === undefined ? PLAN_LIMIT : limitId(metered);
  const limits = [
    limitOfEvent(limit, textOf(event["limit_name"]), event["rate_limits"], now),
    limitOfEvent(CODE_REVIEW_LIMIT, undefined, event["code_review_rate_limits"], now),
  ];
  return {
    plan: textOf(event["plan_type"]),
    limits: limits.filter((one) => one !== undefined),
    isComplete: false,
    credits: creditsOf(event["credits"]),
    reached: limit === PLAN_LIMIT ? reachedOf(event["rate_limits"], undefined) : undefined,
  };
}

/** What the answer of `wham/usage` tells of the plan; undefined where it is no such answer. */
export function readUsageReport(usage: unknown, now: number): PlanReading | undefined {
  if (!isJsonObject(usage) || !("rate_limit" in usage || "plan_type" in usage)) return undefined;
  const additional = Array.isArray(usage["additional_rate_limits"]) ? usage["additional_rate_limits"] : [];
  const limits = [
    limitOfReport(PLAN_LIMIT, undefined, usage["rate_limit"], now),
    limitOfReport(CODE_REVIEW_LIMIT, undefined, usage["code_review_rate_limit"], now),
    ...additional.slice(0, MAX_LIMITS).map((one) => additionalLimit(one, now)),
  ];
  return {
    plan: textOf(usage["plan_type"]),
    limits: limits.filter((one) => one !== undefined),
    isComplete: isJsonObject(usage["rate_limit"]),
    credits: creditsOf(usage["credits"]),
    reached: reachedOf(usage["rate_limit"], usage["rate_limit_reached_type"]),
  };
}

function additionalLimit(one: unknown, now: number): LimitReading | undefined {
  if (!isJsonObject(one)) return undefined;
  const name = textOf(one["limit_name"]);
  const id = textOf(one["metered_feature"]) ?? name;
  return id === undefined ? undefined : limitOfReport(limitId(id), name, one["rate_limit"], now);
}

function limitOfReport(limit: string, name: string | undefined, told: unknown, now: number): LimitReading | undefined {
  if (!isJsonObject(told)) return undefined;
  const windowOf = (window: unknown) => windowIn(window, minutesOfReport, now);
  return { limit, name, primary: windowOf(told["primary_window"]), secondary: windowOf(told["secondary_window"]) };
}

function limitOfEvent(limit: string, name: string | undefined, told: unknown, now: number): LimitReading | undefined {
  if (!isJsonObject(told)) return undefined;
  const windowOf = (window: unknown) => windowIn(window, minutesOfEvent, now);
  return { limit, name, primary: windowOf(told["primary"]), secondary: windowOf(told["secondary"]) };
}

function windowIn(window: unknown, minutesOf: (window: JsonObject) => unknown, now: number) {
  if (window === null) return null;
  if (!isJsonObject(window)) return undefined;
  const values = {
    usedPercent: window["used_percent"],
    windowMinutes: minutesOf(window),
    resetAt: window["reset_at"],
    resetAfterSeconds: window["reset_after_seconds"],
  };
  return readWindow(values, now);
}

function minutesOfReport(window: JsonObject): unknown {
  const seconds = countOf(window["limit_window_seconds"]);
  return seconds === undefined ? undefined : seconds / 60;
}

function minutesOfEvent(window: JsonObject): unknown {
  return window["window_minutes"];
}

function creditsOf(credits: unknown) {
  if (!isJsonObject(credits)) return undefined;
  return readCredits(credits["has_credits"], credits["unlimited"], credits["balance"]);
}

/** `reachedType` is an object with a `type` in the report; a plain text is taken as well. */
function reachedOf(told: unknown, reachedType: unknown): PlanReading["reached"] {
  const type = textOf(isJsonObject(reachedType) ? reachedType["type"] : reachedType);
  const isReached = isJsonObject(told) ? limitReachedIn(told) : undefined;
  return isReached === undefined && type === undefined ? undefined : { isReached: isReached ?? true, type };
}

function limitReachedIn(told: JsonObject): boolean | undefined {
  const allowed = booleanOf(told["allowed"]);
  return booleanOf(told["limit_reached"]) ?? (allowed === undefined ? undefined : !allowed);
}
