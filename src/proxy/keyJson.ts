import type { KeyStanding } from "./admission.ts";
import type { LocalKey } from "./localKey.ts";
import { MICROS_PER_DOLLAR } from "../wire/money.ts";

/** A key as its holder sees it; null where nothing bounds it. Money is in dollars, times are those of RFC 3339. */
export function keyJson(key: LocalKey, standing: KeyStanding): object {
  const { quotaResetsAt, msUntilFull } = standing;
  return {
    id: key.id,
    label: key.label,
    expires_at: key.expiresAt === undefined ? null : new Date(key.expiresAt).toISOString(),
    limits: {
      requests_per_minute: key.rate?.perMinute ?? null,
      burst: key.rate?.burst ?? null,
      quota_tokens: key.quotaTokens ?? null,
      quota_window: key.quotaTokens === undefined ? null : key.quotaWindow,
      models: key.models ?? null,
      max_concurrent: key.maxConcurrent ?? null,
    },
    used: { tokens: standing.usedTokens, running: standing.running },
    remaining: {
      tokens: standing.remainingTokens ?? null,
      requests: standing.remainingRequests ?? null,
      credit_usd: dollars(standing.creditMicros),
    },
    held_usd: dollars(standing.heldMicros),
    resets: {
      tokens_at: quotaResetsAt === undefined ? null : new Date(quotaResetsAt).toISOString(),
      requests_seconds: msUntilFull === undefined ? null : Math.ceil(msUntilFull / 1000),
    },
  };
}

function dollars(micros: number | undefined): number | null {
  return micros === undefined ? null : micros / MICROS_PER_DOLLAR;
}
