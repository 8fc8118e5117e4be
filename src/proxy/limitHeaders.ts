import type { Admission } from "./admission.ts";
import type { LocalKey } from "./localKey.ts";

/** Whether its answers tell what is left. */
export function hasLimits({ rate, quotaTokens }: LocalKey): boolean {
  return rate !== undefined || quotaTokens !== undefined;
}

/** The headers of an answer to nobody in particular, or to a key without limits. */
export const noLimits = (): readonly string[] => [];

/**
 * What the key has left, in the headers that OpenAI's clients read: name, value, name, value. Empty for a key without limits, whose
 * answers keep the upstream's own.
 */
export function limitHeaders(key: LocalKey, admission: Admission, now: number): string[] {
  const { rate, quotaTokens } = key;
  if (!hasLimits(key)) return [];
  const standing = admission.standing(key);
  const headers: string[] = [];
  if (rate !== undefined) {
    headers.push(
      "x-ratelimit-limit-requests",
      // The rate as a whole number, as clients read it; never less than what may remain.
      String(Math.max(Math.ceil(rate.perMinute), rate.burst)),
      "x-ratelimit-remaining-requests",
      String(standing.remainingRequests ?? 0),
      "x-ratelimit-reset-requests",
      durationText(standing.msUntilFull ?? 0),
    );
  }
  if (quotaTokens !== undefined) {
    headers.push(
      "x-ratelimit-limit-tokens",
      String(quotaTokens),
      "x-ratelimit-remaining-tokens",
      String(standing.remainingTokens ?? 0),
    );
    // A lifetime has no reset.
    const { quotaResetsAt } = standing;
    if (quotaResetsAt !== undefined) {
      headers.push("x-ratelimit-reset-tokens", durationText(Math.max(0, quotaResetsAt - now)));
    }
  }
  return headers;
}

/** A duration as OpenAI writes it: `20ms`, `1s`, `6m0s`, `1h2m3s`; rounded up, so that nobody comes too early. */
export function durationText(milliseconds: number): string {
  const whole = Math.ceil(milliseconds);
  if (whole < 1000) return `${whole}ms`;
  const seconds = Math.ceil(whole / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = `${seconds % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
