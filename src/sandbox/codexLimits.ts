import type { Clock } from "../ports.ts";
import type { LimitsShape } from "./answerShape.ts";
import type { SandboxUser } from "./issuerClaims.ts";

/** The plan windows of the accounts, which fill with use and empty with time. */
export interface CodexLimits {
  /** Counts a request with so many tokens. */
  use(accountId: string, tokens: number): void;
  /** How that account's windows are told from now on. */
  reshape(accountId: string, shape: LimitsShape): void;
  /** Puts the windows into the headers of an answer. A plan that is used up for so many seconds says so. */
  tell(user: SandboxUser, headers: Headers, usedUpSeconds?: number): void;
  /** The answer to `GET /wham/usage`. */
  report(user: SandboxUser): Record<string, unknown>;
}

interface Window {
  /** What fills it, in tokens. */
  readonly capacity: number;
  readonly minutes: number;
  used: number;
  /** Milliseconds since the epoch. */
  resetAt: number;
}

interface Account {
  shape: LimitsShape;
  readonly short: Window;
  readonly weekly: Window;
}

interface Told {
  readonly percent: number;
  readonly minutes: number;
  /** Seconds since the epoch. */
  readonly resetAt: number;
  /** Seconds. */
  readonly resetAfter: number;
}

// Small enough that every request moves the needle: the least one counts as a percent of the short window.
const SHORT_CAPACITY_TOKENS = 100_000;
const WEEKLY_CAPACITY_TOKENS = 1_000_000;
const LEAST_TOKENS = 1000;
const SHORT_MINUTES = 300;
const WEEKLY_MINUTES = 10_080;
const FULL_PERCENT = 100;
const ACCOUNT_LIMIT = 1000;
const FAMILY = "bengalfox";
const FAMILY_NAME = "GPT-5.3-Codex-Spark";

/** Nothing used yet. */
export function createCodexLimits(clock: Clock): CodexLimits {
  const accounts = new Map<string, Account>();

  function account(id: string): Account {
    const now = clock.now();
    let found = accounts.get(id);
    if (found === undefined) {
      found = {
        shape: "plus",
        short: fresh(SHORT_CAPACITY_TOKENS, SHORT_MINUTES, now),
        weekly: fresh(WEEKLY_CAPACITY_TOKENS, WEEKLY_MINUTES, now),
      };
      accounts.set(id, found);
      const oldest = accounts.keys().next().value;
      if (accounts.size > ACCOUNT_LIMIT && oldest !== undefined) accounts.delete(oldest);
    }
    for (const window of [found.short, found.weekly]) {
      if (now < window.resetAt) continue;
      window.used = 0;
      window.resetAt = now + window.minutes * 60_000;
    }
    return found;
  }

  function told(window: Window, usedUpSeconds?: number): Told {
    const now = clock.now();
    const resetAt = Math.floor((usedUpSeconds === undefined ? window.resetAt : now + usedUpSeconds * 1000) / 1000);
    // It never fills by itself, so that a sandbox that runs for days keeps answering.
    const percent = Math.min(FULL_PERCENT - 1, Math.floor((window.used / window.capacity) * FULL_PERCENT));
    return {
      percent: usedUpSeconds === undefined ? percent : FULL_PERCENT,
      minutes: window.minutes,
      resetAt,
      resetAfter: Math.max(0, resetAt - Math.floor(now / 1000)),
    };
  }

  return {
    use(accountId, tokens) {
      const { short, weekly } = account(accountId);
      const counted = Math.max(LEAST_TOKENS, tokens);
      short.used += counted;
      weekly.used += counted;
    },
    reshape(accountId, shape) {
      account(accountId).shape = shape;
    },
    tell(user, headers, usedUpSeconds) {
      const { shape, short, weekly } = account(user.accountId);
      if (shape === "none") return;
      headers.set("x-codex-plan-type", user.planType);
      headers.set("x-codex-active-limit", "codex");
      headers.set("x-codex-primary-over-secondary-limit-percent", "0");
      headers.set("x-codex-credits-has-credits", "False");
      headers.set("x-codex-credits-unlimited", "False");
      headers.set("x-codex-credits-balance", "0");
      if (shape === "weekly") {
        tellWindow(headers, "x-codex-primary", told(weekly, usedUpSeconds));
        tellWindow(headers, "x-codex-secondary", undefined);
      } else {
        tellWindow(headers, "x-codex-primary", told(short, usedUpSeconds));
        tellWindow(headers, "x-codex-secondary", told(weekly));
      }
      if (usedUpSeconds !== undefined) headers.set("x-codex-rate-limit-reached-type", "rate_limit_reached");
      if (shape !== "families") return;
      headers.set(`x-codex-${FAMILY}-limit-name`, FAMILY_NAME);
      tellWindow(headers, `x-codex-${FAMILY}-primary`, told(fresh(1, SHORT_MINUTES, clock.now())));
      tellWindow(headers, `x-codex-${FAMILY}-secondary`, told(fresh(1, WEEKLY_MINUTES, clock.now())));
    },
    report(user) {
      const { shape, short, weekly } = account(user.accountId);
      const windows = shape === "weekly" ? [told(weekly)] : [told(short), told(weekly)];
      const family = {
        limit_name: FAMILY_NAME,
        metered_feature: `codex_${FAMILY}`,
        rate_limit: rateLimit([told(fresh(1, SHORT_MINUTES, clock.now()))]),
      };
      return {
        user_id: user.userId,
        account_id: user.accountId,
        email: user.email,
        plan_type: user.planType,
        rate_limit: shape === "none" ? null : rateLimit(windows),
        additional_rate_limits: shape === "families" ? [family] : [],
        code_review_rate_limit: null,
        credits: { has_credits: false, unlimited: false, overage_limit_reached: false, balance: "0" },
        spend_control: null,
        rate_limit_reached_type: null,
        rate_limit_reset_credits: { available_count: 0, applicable_available_count: 0 },
        rate_limit_upsell: null,
        promo: null,
      };
    },
  };
}

function fresh(capacity: number, minutes: number, now: number): Window {
  return { capacity, minutes, used: 0, resetAt: now + minutes * 60_000 };
}

/** The headers of one window; one that the plan has not is told as zeros and an empty time (seen in a real answer of a Pro plan). */
function tellWindow(headers: Headers, name: string, told: Told | undefined): void {
  headers.set(`${name}-used-percent`, String(told?.percent ?? 0));
  headers.set(`${name}-window-minutes`, String(told?.minutes ?? 0));
  headers.set(`${name}-reset-at`, String(told?.resetAt ?? ""));
  headers.set(`${name}-reset-after-seconds`, String(told?.resetAfter ?? 0));
}

function rateLimit(windows: readonly Told[]): Record<string, unknown> {
  const [primary = null, secondary = null] = windows.map((told) => ({
    used_percent: told.percent,
    limit_window_seconds: told.minutes * 60,
    reset_after_seconds: told.resetAfter,
    reset_at: told.resetAt,
  }));
  return { allowed: true, limit_reached: false, primary_window: primary, secondary_window: secondary };
}
