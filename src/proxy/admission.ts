import { ApiError } from "../wire/errors.ts";
import { type Bucket, fullBucket, takeToken, tokensAt } from "../ledger/tokenBucket.ts";
import { inputTokens } from "../wire/usage.ts";
import type { UsageRow } from "../ledger/usageRow.ts";
import type { Clock } from "../ports.ts";
import type { LocalKey } from "./localKey.ts";

/** Decides whether a key's request may go on, and knows what the key has left. */
export interface Admission {
  /** Throws `rate_limit_exceeded` or `quota_exceeded`. A passed request has taken its token. */
  admit(key: LocalKey): void;
  standing(key: LocalKey): KeyStanding;
  /** Counts a row towards its key's quota; `replaced` is the row of the same request that it settles, where that is known. */
  count(row: UsageRow, replaced?: UsageRow): void;
  /** Takes back a row that was counted, once it turns out that another was counted in its place. */
  discount(replaced: UsageRow): void;
}

/** A key's use and what remains; undefined where nothing bounds it. */
export interface KeyStanding {
  readonly usedTokens: number;
  readonly remainingTokens: number | undefined;
  readonly remainingRequests: number | undefined;
}

/** `usedBefore` tells the tokens that a key has used up to now, in all rows that were counted; it is asked once per key. */
export function createAdmission(clock: Clock, usedBefore: (keyId: string) => number): Admission {
  const buckets = new Map<string, Bucket>();
  const used = new Map<string, number>();

  function usedTokens(keyId: string): number {
    let tokens = used.get(keyId);
    if (tokens === undefined) {
      tokens = usedBefore(keyId);
      used.set(keyId, tokens);
    }
    return tokens;
  }

  /** Before `usedBefore` was asked nothing need be counted: it will see these rows too. */
  function add(keyId: string, tokens: number): void {
    const before = used.get(keyId);
    if (before !== undefined) used.set(keyId, before + tokens);
  }

  return {
    admit(key) {
      if (key.quotaTokens !== undefined && usedTokens(key.id) >= key.quotaTokens) {
        throw new ApiError(
          "quota_exceeded",
          `The key '${key.label}' has used its token quota: raise it with --quota-tokens, or use another key.`,
        );
      }
      if (key.rate === undefined) return;
      const now = clock.monotonic();
      const answer = takeToken(buckets.get(key.id) ?? fullBucket(key.rate, now), key.rate, now);
      if (answer.kind === "passed") {
        buckets.set(key.id, answer.bucket);
        return;
      }
      throw new ApiError(
        "rate_limit_exceeded",
        `The key '${key.label}' asks faster than its rate allows: the Retry-After header says how long to wait.`,
        { retryAfterSeconds: answer.retryAfterSeconds },
      );
    },
    standing(key) {
      const tokens = usedTokens(key.id);
      const bucket = buckets.get(key.id);
      const rate = key.rate;
      return {
        usedTokens: tokens,
        remainingTokens: key.quotaTokens === undefined ? undefined : Math.max(0, key.quotaTokens - tokens),
        remainingRequests:
          rate === undefined
            ? undefined
            : Math.floor(bucket === undefined ? rate.burst : tokensAt(bucket, rate, clock.monotonic())),
      };
    },
    count(row, replaced) {
      add(row.keyId, countedTokens(row) - (replaced === undefined ? 0 : countedTokens(replaced)));
    },
    discount(replaced) {
      add(replaced.keyId, -countedTokens(replaced));
    },
  };
}

/** What a row takes from its key's quota. */
export function countedTokens(row: UsageRow): number {
  return inputTokens(row.tokens) + row.tokens.output;
}
