import type { CodexFailure } from "./codexFailure.ts";
import { textOf } from "./eventFields.ts";
import type { FailureFields } from "./failureFields.ts";
import { type HeaderOf, retryAfterSeconds, secondsOf, secondsUntil } from "./retryAfter.ts";

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;
/** Beyond it, days make a number that says nothing (and could look like a status). */
const MAX_NAMED_DAYS = 90;
const MINUTES_OF_WINDOW = new Map([
  [300, "five-hour "],
  [1440, "daily "],
  [10_080, "weekly "],
  [43_200, "monthly "],
]);
const PLAN = /^[a-z][a-z_]{0,40}$/;

/**
 * The plan's usage limit is reached. The sentence says when it resets, in words: opencode takes digits that look like a status (429, 500
 * to 504) and "try again later" for a reason to repeat the request.
 */
export function usageLimitFailure(fields: FailureFields, header: HeaderOf, now: number): CodexFailure {
  const window = exhaustedWindow(header, now);
  const wait =
    secondsOf(fields.more["resets_in_seconds"]) ??
    secondsUntil(fields.more["resets_at"], now) ??
    window?.resetsInSeconds ??
    retryAfterSeconds(header, now);
  const type = fields.type ?? "usage_limit_reached";
  const plan = (textOf(fields.more["plan_type"]) ?? header("x-codex-plan-type") ?? "").toLowerCase();
  const limit = `${window?.name ?? ""}usage limit of the ${planName(plan)}`;
  const reset = wait === undefined ? "the plan's usage page says when it resets" : `it resets ${inWords(wait)}`;
  return {
    status: 429,
    message: `The ${limit} is reached: ${reset}, and models of other upstreams answer until then.`,
    type,
    code: fields.code ?? type,
    param: null,
    retryAfterSeconds: wait,
    limit: {
      ...(PLAN.test(plan) && { plan_type: plan }),
      ...(wait !== undefined && { resets_at: Math.round(now / 1000) + wait, resets_in_seconds: wait }),
    },
  };
}

interface Window {
  readonly name: string;
  readonly resetsInSeconds: number | undefined;
}

/** Of two windows that are used up, the one that resets last is the one to wait for. */
function exhaustedWindow(header: HeaderOf, now: number): Window | undefined {
  const windows = ["primary", "secondary"].flatMap((window): Window[] => {
    const name = `x-codex-${window}`;
    if (!(Number(header(`${name}-used-percent`) ?? 0) >= 100)) return [];
    const minutes = Number(header(`${name}-window-minutes`) ?? 0);
    return [
      {
        name: MINUTES_OF_WINDOW.get(minutes) ?? "",
        resetsInSeconds:
          secondsOf(header(`${name}-reset-after-seconds`)) ?? secondsUntil(header(`${name}-reset-at`), now),
      },
    ];
  });
  return windows.sort((a, b) => (b.resetsInSeconds ?? 0) - (a.resetsInSeconds ?? 0))[0];
}

function planName(plan: string): string {
  if (!PLAN.test(plan)) return "ChatGPT plan";
  const words = plan.replaceAll("_", " ");
  return `ChatGPT ${words.charAt(0).toUpperCase()}${words.slice(1)} plan`;
}

function inWords(seconds: number): string {
  if (seconds < MINUTE_SECONDS) return "in less than a minute";
  const minutes = Math.ceil(seconds / MINUTE_SECONDS) * MINUTE_SECONDS;
  const days = Math.floor(minutes / DAY_SECONDS);
  if (days > MAX_NAMED_DAYS) return "in some months";
  const parts = [
    counted(days, "day"),
    counted(Math.floor((minutes % DAY_SECONDS) / HOUR_SECONDS), "hour"),
    // With days to wait, minutes are of no interest.
    days > 0 ? "" : counted(Math.floor((minutes % HOUR_SECONDS) / MINUTE_SECONDS), "minute"),
  ];
  return `in ${parts.filter((part) => part !== "").join(" and ")}`;
}

function counted(count: number, unit: string): string {
  if (count === 0) return "";
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
