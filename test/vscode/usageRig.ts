import type { PlanWindow } from "../../src/codex/planPicture.ts";
import type { ControlUsage } from "../../src/node/controlState.ts";
import type { KeyView } from "../../src/node/keyKeeping.ts";
import type { LiveView } from "../../src/proxy/liveRequests.ts";
import type { ContextKeys } from "../../src/vscode/contributions.ts";
import type { ConnectionView } from "../../src/vscode/connectionView.ts";
import type { UsageFacts } from "../../src/vscode/usageWatch.ts";

export const NOW = Date.parse("2026-11-21T12:00:00Z");

/** A connection that is up. */
export function upView(changes: Partial<ConnectionView> = {}): ConnectionView {
  return {
    status: "running",
    url: "http://127.0.0.1:8390",
    reason: undefined,
    sandbox: false,
    state: undefined,
    ...changes,
  };
}

/** Facts of nothing, with changes. */
export function factsOf(changes: Partial<UsageFacts> = {}): UsageFacts {
  return {
    today: [],
    running: new Map(),
    plan: undefined,
    signIn: undefined,
    keys: [],
    balances: undefined,
    held: undefined,
    ...changes,
  };
}

/** The sums of one upstream. */
export function usageOf(upstream: string, tokens: number, costUsd: number | null): ControlUsage {
  return {
    upstream,
    requests: 1,
    errors: 0,
    input_tokens: tokens,
    cached_tokens: 0,
    cache_write_tokens: 0,
    output_tokens: 0,
    reasoning_tokens: 0,
    cost_usd: costUsd,
    unpriced_requests: costUsd === null ? 1 : 0,
    first_at: null,
    last_at: null,
  };
}

/** A window of the plan. */
export function planWindow(changes: Partial<PlanWindow> = {}): PlanWindow {
  return {
    limit: "codex",
    name: undefined,
    usedPercent: 10,
    windowMinutes: 300,
    resetsAt: NOW + 2 * 3_600_000,
    stale: false,
    observedAt: NOW,
    ...changes,
  };
}

/** A plan with windows. */
export function planOf(windows: readonly PlanWindow[], limitReached = false): NonNullable<UsageFacts["plan"]> {
  return { plan: "plus", windows, credits: undefined, limitReached, reachedType: undefined, observedAt: NOW };
}

/** A key without limits, with changes. */
export function keyOf(changes: Partial<KeyView> = {}): KeyView {
  return {
    id: "key_1",
    label: "laptop",
    state: "active",
    created_at: "2026-11-01T00:00:00.000Z",
    expires_at: null,
    revoked_at: null,
    previous_until: null,
    limits: {
      requests_per_minute: null,
      burst: null,
      quota_tokens: null,
      quota_window: null,
      models: null,
      max_concurrent: null,
    },
    credit_usd: null,
    used: { requests: 0, tokens: 0, quota_tokens: 0, cost_usd: 0, last_at: null },
    resets_at: null,
    ...changes,
  };
}

/** A request on its way. */
export function liveRequest(id: string): LiveView {
  return {
    id,
    startedAt: NOW,
    keyId: "key_1",
    keyLabel: "laptop",
    model: "gpt-5.5",
    client: null,
    upstream: "openai",
    phase: "streaming",
    firstTokenMs: 100,
    outputTokens: 5,
    costMicros: 1_500,
    bytes: 100,
  };
}

/** Context keys of a proxy that is up and was used. */
export function contextKeys(changes: Partial<ContextKeys> = {}): ContextKeys {
  return {
    "patchbay.status": "running",
    "patchbay.isUp": true,
    "patchbay.isSignedIn": false,
    "patchbay.hasOpenaiKey": true,
    "patchbay.hasOpenrouterKey": false,
    "patchbay.hasUpstream": true,
    "patchbay.hasUsage": true,
    "patchbay.hasClients": false,
    "patchbay.isReviewing": false,
    ...changes,
  };
}
