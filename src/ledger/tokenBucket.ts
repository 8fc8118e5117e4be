/** How fast a key may ask: so many requests a minute on average, so many at once. */
export interface Rate {
  readonly perMinute: number;
  /** The bucket's size: requests that may come at once after a rest. */
  readonly burst: number;
}

/** A token bucket's state; time is in milliseconds of the caller's clock. */
export interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

const MS_PER_MINUTE = 60_000;
/** A token that is whole but for what floating-point sums lose counts as whole: a client that waited as told must pass. */
const ROUNDING = 1e-6;

/** The outcome of asking a bucket: it passed, or it would pass after this many whole seconds. */
export type BucketAnswer =
  | { readonly kind: "passed"; readonly bucket: Bucket }
  | { readonly kind: "refused"; readonly retryAfterSeconds: number };

/** A bucket that nobody has taken from. */
export function fullBucket(rate: Rate, now: number): Bucket {
  return { tokens: rate.burst, at: now };
}

/**
 * Takes one request's token. A refusal says after how many whole seconds the same request would pass (`Retry-After` knows no fractions):
 * never too early, never a whole second late.
 */
export function takeToken(bucket: Bucket, rate: Rate, now: number): BucketAnswer {
  const tokens = tokensAt(bucket, rate, now);
  if (tokens >= 1 - ROUNDING) return { kind: "passed", bucket: { tokens: Math.max(0, tokens - 1), at: now } };
  const waitMs = ((1 - ROUNDING - tokens) * MS_PER_MINUTE) / rate.perMinute;
  return { kind: "refused", retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}

/** What is in the bucket at a time. A clock that went back adds nothing. */
export function tokensAt(bucket: Bucket, rate: Rate, now: number): number {
  const gained = (Math.max(0, now - bucket.at) * rate.perMinute) / MS_PER_MINUTE;
  return Math.min(rate.burst, bucket.tokens + gained);
}

/** Whole milliseconds until the bucket is full, for `x-ratelimit-reset-requests`; 0 where it is. Never early, never a whole one late. */
export function msUntilFull(bucket: Bucket, rate: Rate, now: number): number {
  const missing = rate.burst - ROUNDING - tokensAt(bucket, rate, now);
  return missing <= 0 ? 0 : Math.ceil((missing * MS_PER_MINUTE) / rate.perMinute);
}
