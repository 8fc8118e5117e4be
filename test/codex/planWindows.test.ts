import assert from "node:assert/strict";
import { NOW_S, planRig } from "./planRig.ts";

const UNKNOWN = { plan: undefined, windows: [], credits: undefined, limitReached: false, reachedType: undefined };

/** An answer of a Pro account, recorded 2026-09-24. */
const PRO = {
  "content-type": "text/event-stream",
  "x-codex-active-limit": "codex",
  "x-codex-plan-type": "pro",
  "x-codex-credits-has-credits": "False",
  "x-codex-credits-unlimited": "False",
  "x-codex-credits-balance": "0",
  "x-codex-primary-used-percent": "22",
  "x-codex-primary-window-minutes": "10080",
  "x-codex-primary-reset-at": "1790426679",
  "x-codex-primary-reset-after-seconds": "155800",
  "x-codex-secondary-used-percent": "0",
  "x-codex-secondary-window-minutes": "0",
  "x-codex-secondary-reset-at": "",
};

const EVENT = {
  type: "codex.rate_limits",
  plan_type: "plus",
  rate_limits: {
    allowed: true,
    limit_reached: false,
    primary: { used_percent: 42, window_minutes: 300, reset_at: NOW_S + 60 },
    secondary: null,
  },
  code_review_rate_limits: null,
  credits: { has_credits: true, unlimited: false, balance: "123" },
  promo: null,
};

const USAGE = {
  user_id: "user-1",
  account_id: "acc",
  plan_type: "plus",
  rate_limit: {
    allowed: true,
    limit_reached: false,
    primary_window: { used_percent: 42, limit_window_seconds: 18_000, reset_after_seconds: 120, reset_at: NOW_S + 120 },
    secondary_window: {
      used_percent: 5,
      limit_window_seconds: 604_800,
      reset_after_seconds: 0,
      reset_at: NOW_S + 9000,
    },
  },
  additional_rate_limits: [
    {
      limit_name: "GPT-5.3-Codex-Spark",
      metered_feature: "codex_bengalfox",
      rate_limit: {
        allowed: true,
        limit_reached: false,
        primary_window: { used_percent: 7, limit_window_seconds: 3600, reset_after_seconds: 60, reset_at: 0 },
        secondary_window: null,
      },
    },
  ],
  code_review_rate_limit: null,
  credits: { has_credits: true, unlimited: false, overage_limit_reached: false, balance: "62498.725" },
  rate_limit_reached_type: null,
};

describe("the picture of the plan", () => {
  it("shows nothing before anything was heard", () => {
    assert.deepEqual(planRig().windows.picture(), { ...UNKNOWN, observedAt: undefined });
  });

  it("reads the headers of an answer, with 0 and empty for what there is not", () => {
    const { windows, noteHeaders } = planRig();
    noteHeaders(PRO);
    assert.deepEqual(windows.picture(), {
      plan: "pro",
      windows: [
        {
          limit: "codex",
          name: undefined,
          usedPercent: 22,
          windowMinutes: 10_080,
          resetsAt: 1_790_426_679_000,
          stale: false,
          observedAt: NOW_S * 1000,
        },
      ],
      credits: { hasCredits: false, unlimited: false, balance: "0" },
      limitReached: false,
      reachedType: undefined,
      observedAt: NOW_S * 1000,
    });
  });

  it("ignores the headers of an answer that has nothing of the plan", () => {
    const { windows, noteHeaders } = planRig();
    noteHeaders({ "content-type": "text/html", "x-ratelimit-remaining": "3" });
    assert.deepEqual(windows.picture(), { ...UNKNOWN, observedAt: undefined });
  });

  it("reads any number of limits, the plan's own first, under one name in headers and reports", () => {
    const { windows, noteHeaders, used } = planRig();
    const family = (limit: string, percent: string) => ({
      [`x-${limit}-primary-used-percent`]: percent,
      [`x-${limit}-primary-window-minutes`]: "300",
    });
    noteHeaders({
      ...family("codex-bengalfox", "80.5"),
      "x-codex-bengalfox-limit-name": "Spark",
      ...family("a-third", "3"),
      ...family("codex", "1"),
    });
    assert.deepEqual(used(), [
      ["codex", 1, 300],
      ["a_third", 3, 300],
      ["codex_bengalfox", 80.5, 300],
    ]);
    assert.equal(windows.picture().windows[2]?.name, "Spark");
    windows.noteUsage(USAGE);
    assert.deepEqual(used(), [
      ["codex", 42, 300],
      ["codex", 5, 10_080],
      ["codex_bengalfox", 7, 60],
    ]);
  });

  it("reads booleans as Python, JSON and C write them", () => {
    for (const [written, meant] of Object.entries({
      True: true,
      true: true,
      1: true,
      False: false,
      false: false,
      0: false,
    })) {
      const { windows, noteHeaders } = planRig();
      noteHeaders({ "x-codex-credits-has-credits": written, "x-codex-credits-unlimited": written });
      assert.deepEqual(windows.picture().credits, { hasCredits: meant, unlimited: meant, balance: undefined });
    }
    const { windows, noteHeaders } = planRig();
    noteHeaders({ "x-codex-credits-has-credits": "perhaps" });
    assert.equal(windows.picture().credits, undefined);
  });

  it("takes the seconds to the reset where its time is not told", () => {
    const { windows, noteHeaders } = planRig();
    noteHeaders({ ...PRO, "x-codex-primary-reset-at": "" });
    assert.equal(windows.picture().windows[0]?.resetsAt, (NOW_S + 155_800) * 1000);
  });

  it("reads the event of a stream, and no other event", () => {
    const { windows, used } = planRig();
    windows.noteEvent({ ...EVENT, type: "response.created" });
    assert.equal(windows.picture().observedAt, undefined);
    windows.noteEvent(EVENT);
    assert.deepEqual(used(), [["codex", 42, 300]]);
    const { plan, credits } = windows.picture();
    assert.deepEqual(
      { plan, credits },
      { plan: "plus", credits: { hasCredits: true, unlimited: false, balance: "123" } },
    );
    windows.noteEvent({ ...EVENT, metered_limit_name: "codex-bengalfox", limit_name: "Spark" });
    assert.deepEqual(used(), [
      ["codex", 42, 300],
      ["codex_bengalfox", 42, 300],
    ]);
  });

  it("keeps what a later answer does not speak of, and drops a window that it says is not there", () => {
    const { windows, noteHeaders, used } = planRig();
    windows.noteUsage(USAGE);
    noteHeaders({ "x-codex-primary-used-percent": "43", "x-codex-primary-window-minutes": "300" });
    assert.deepEqual(used().slice(0, 2), [
      ["codex", 43, 300],
      ["codex", 5, 10_080],
    ]);
    noteHeaders(PRO);
    assert.deepEqual(used(), [
      ["codex", 22, 10_080],
      ["codex_bengalfox", 7, 60],
    ]);
    assert.equal(windows.picture().plan, "pro");
  });

  it("forgets limits that a whole report no longer names", () => {
    const { windows, used } = planRig();
    windows.noteUsage(USAGE);
    windows.noteUsage({ ...USAGE, additional_rate_limits: null });
    assert.deepEqual(used().length, 2);
    windows.noteUsage({ plan_type: "plus", rate_limit: "nonsense" });
    assert.deepEqual(used().length, 2);
  });

  it("shows a window as reset once its time has passed, told or counted", () => {
    const { windows, noteHeaders, clock } = planRig();
    windows.noteEvent(EVENT);
    clock.pass(59_999);
    assert.equal(windows.picture().windows[0]?.usedPercent, 42);
    clock.pass(1);
    const [reset] = windows.picture().windows;
    assert.deepEqual(
      [reset?.usedPercent, reset?.stale, reset?.resetsAt, reset?.windowMinutes],
      [0, true, undefined, 300],
    );
    noteHeaders({ "x-codex-primary-used-percent": "9", "x-codex-primary-window-minutes": "5" });
    assert.equal(windows.picture().windows[0]?.stale, false);
    clock.pass(5 * 60_000);
    assert.equal(windows.picture().windows[0]?.stale, true);
  });
});

describe("a limit of the plan", () => {
  const usedUp = { ...PRO, "x-codex-primary-used-percent": "100.0" };

  it("is reached when the upstream says so, until the window resets", () => {
    const { windows, noteHeaders, clock } = planRig();
    noteHeaders({ ...usedUp, "x-codex-rate-limit-reached-type": "rate_limit_reached" });
    assert.equal(windows.picture().limitReached, true);
    assert.equal(windows.picture().reachedType, "rate_limit_reached");
    clock.pass(1_790_426_679_000 - NOW_S * 1000);
    assert.equal(windows.picture().limitReached, false);
    assert.equal(windows.picture().reachedType, undefined);
  });

  it("is reached when all of a window is used and no credits are left to go on with", () => {
    const { windows, noteHeaders } = planRig();
    noteHeaders(usedUp);
    assert.equal(windows.picture().limitReached, true);
    noteHeaders({ ...usedUp, "x-codex-credits-has-credits": "True" });
    assert.equal(windows.picture().limitReached, false);
  });

  it("is not reached when the report says that it is not, and is where it says so with a reason", () => {
    const { windows } = planRig();
    const rate_limit = { ...USAGE.rate_limit, primary_window: { used_percent: 100, reset_at: NOW_S + 500 } };
    windows.noteUsage({ ...USAGE, rate_limit });
    assert.equal(windows.picture().limitReached, false);
    const reached = { ...rate_limit, allowed: false, limit_reached: true };
    windows.noteUsage({
      ...USAGE,
      rate_limit: reached,
      rate_limit_reached_type: { type: "workspace_member_credits_depleted" },
    });
    assert.equal(windows.picture().limitReached, true);
    assert.equal(windows.picture().reachedType, "workspace_member_credits_depleted");
  });

  it("is forgotten with the next answer that does not speak of it: a user can reset a window", () => {
    const { windows, noteHeaders } = planRig();
    noteHeaders({ ...usedUp, "x-codex-rate-limit-reached-type": "rate_limit_reached" });
    noteHeaders(PRO);
    assert.equal(windows.picture().limitReached, false);
  });

  it("is not the plan's where another metered limit is used up", () => {
    const { windows, noteHeaders } = planRig();
    noteHeaders({ "x-codex-bengalfox-primary-used-percent": "100", "x-codex-bengalfox-primary-window-minutes": "300" });
    assert.equal(windows.picture().limitReached, false);
  });
});
