import type { CreditRequest } from "../ledger/creditJournal.ts";
import type { Purse } from "../ledger/creditPurse.ts";
import type { QuotaCounter } from "../ledger/quotaCounter.ts";
import { secondsUntilReset } from "../ledger/quotaWindow.ts";
import { type Bucket, fullBucket, msUntilFull, takeToken, tokensAt } from "../ledger/tokenBucket.ts";
import type { Clock } from "../ports.ts";
import { ApiError } from "../wire/errors.ts";
import { spoken } from "../wire/retryBait.ts";
import type { LocalKey } from "./localKey.ts";
import { matchesPattern } from "./modelRouting.ts";
import { spokenKey } from "./spokenName.ts";

/** What a request asks a model for. */
export interface ModelQuestion {
  /** As asked for, a default filled in; null where there is none. */
  readonly model: string | null;
  /** Models that the upstream may answer with in its place. */
  readonly fallbackModels?: readonly string[];
  /** Whether the endpoint is one for a model: a key that is bound to some may ask no other. */
  readonly namesModel: boolean;
}

/** A request that asks to go on. */
export interface AdmissionRequest extends Omit<CreditRequest, "keyId">, ModelQuestion {
  /** What the request may cost at most, in micro-dollars; undefined where no price is known. Asked for keys with credit only. */
  readonly estimate: () => number | undefined;
  /** The tokens that the request may use at most. Asked for keys with a quota only. */
  readonly expectedTokens: () => number;
}

/** A request that goes on. */
export interface Admitted {
  /** The request is over, whichever way: its place is free, and what was held for it and not settled is given back. Again does no harm. */
  end(): void;
  /**
   * The request is answered, but what it uses is not known yet, because it goes on in the background: its place is free, and what was held
   * and set aside stays so until `usageKnown`, whatever `end` says after it.
   */
  goesOn(): void;
}

/**
 * Decides whether a key's request may go on, and knows what the key has left.
 *
 * A quota counts the tokens that upstreams reported, which is known only when answers end. So what running requests may use at most is set
 * aside, and a further one waits where it would not fit in what is left beside them. Only where nothing is set aside may one take more
 * than there is, because the rest of a quota could never be used otherwise. So the quota can be exceeded by no more than what each
 * of the requests that run uses above what was set aside for it, plus what was missing for a single one.
 */
export interface Admission {
  /**
   * Throws, in this order: `model_not_allowed`, `rate_limit_exceeded` for too many at once and for too many a minute, `quota_exceeded`,
   * `insufficient_credit`. A refused request takes nothing; one that goes on has taken its token and its hold.
   */
  admit(key: LocalKey, request: AdmissionRequest): Admitted;
  /** Throws `model_not_allowed`; for before it is known whether anybody serves the model. */
  checkModel(key: LocalKey, question: ModelQuestion): void;
  /**
   * What a request has used that went on in the background is settled, or will never be known: what was held for it, perhaps by an earlier
   * process, and not settled is given back. Does nothing for any other request.
   */
  usageKnown(requestId: string): void;
  /** Whether something is held here for a request that went on in the background. */
  isHeld(requestId: string): boolean;
  standing(key: LocalKey): KeyStanding;
  /** The buckets that were taken from since the last call, to be kept over a restart. */
  takeDirtyBuckets(): ReadonlyMap<string, Bucket>;
}

/** A key's use and what remains; undefined where nothing bounds it. Money is in micro-dollars, times in milliseconds. */
export interface KeyStanding {
  readonly usedTokens: number;
  readonly remainingTokens: number | undefined;
  /** When the quota's window ends, since the epoch; undefined for a lifetime and where the window waits for its first request. */
  readonly quotaResetsAt: number | undefined;
  readonly remainingRequests: number | undefined;
  /** Until the bucket is full again. */
  readonly msUntilFull: number | undefined;
  readonly running: number;
  readonly creditMicros: number | undefined;
  readonly heldMicros: number | undefined;
}

/** What is done with a request of a key with credit whose price nobody knows. */
export type UnknownPricePolicy = "refuse" | "allow";

/** What admission works with. */
export interface AdmissionParts {
  readonly clock: Clock;
  readonly quota: Pick<QuotaCounter, "used" | "resetsAt" | "begin">;
  readonly purse: Pick<Purse, "hold" | "release" | "isHeld" | "standing">;
  /** The buckets that an earlier process left. */
  readonly buckets: ReadonlyMap<string, Bucket>;
  readonly unknownPrice: () => UnknownPricePolicy;
  /** A bucket was taken from: `takeDirtyBuckets` has something. */
  readonly onTaken?: () => void;
}

/** Codex and opencode ask five times more at most: waits of twice the time that has passed, up to this, cover a minute. */
const LONGEST_PLACE_SECONDS = 30;
const WAIT_PER_TIME_PASSED = 2;
const MS_PER_SECOND = 1000;

/** Admission over what is known of the keys' use. */
export function createAdmission(parts: AdmissionParts): Admission {
  const { clock, quota, purse, buckets: left, unknownPrice } = parts;
  const buckets = new Map(left);
  const dirty = new Map<string, Bucket>();
  const running = new Map<string, number>();
  /** Tokens that the running requests of keys with a quota may use. */
  const setAside = new Map<string, number>();
  /** When a request of a key that has some running last began or ended, on the monotonic clock. */
  const movedAt = new Map<string, number>();
  /** How requests end that go on in the background, by their ids. */
  const goingOn = new Map<string, () => void>();

  /** Nobody knows when a place becomes free: soon, as a rule, and the later the longer nothing has moved. */
  function placeSeconds(key: LocalKey): number {
    const now = clock.monotonic();
    const stillSeconds = (now - (movedAt.get(key.id) ?? now)) / MS_PER_SECOND;
    return Math.min(LONGEST_PLACE_SECONDS, Math.max(1, Math.floor(WAIT_PER_TIME_PASSED * stillSeconds)));
  }

  function count(key: LocalKey, requests: number, tokens: number): void {
    add(running, key.id, requests);
    // For others nobody waits.
    if (key.maxConcurrent === undefined && key.quotaTokens === undefined) return;
    add(setAside, key.id, tokens);
    if (running.has(key.id) || setAside.has(key.id)) movedAt.set(key.id, clock.monotonic());
    else movedAt.delete(key.id);
  }

  function checkModel(key: LocalKey, { model, fallbackModels = [], namesModel }: ModelQuestion): void {
    const { models } = key;
    if (models === undefined || !namesModel) return;
    const isAllowed = (one: string): boolean => models.some((pattern) => matchesPattern(one, pattern));
    if (model !== null && isAllowed(model) && fallbackModels.every(isAllowed)) return;
    throw new ApiError(
      "model_not_allowed",
      `${spokenKey(key.label)} may not use this model: use ${spoken(`one that matches ${models.join(" or ")}`, "one of its models")}, or another key.`,
      { param: "model" },
    );
  }

  function checkPlace(key: LocalKey): void {
    if (key.maxConcurrent === undefined || (running.get(key.id) ?? 0) < key.maxConcurrent) return;
    throw new ApiError(
      "rate_limit_exceeded",
      `${spokenKey(key.label)} has as many requests running as it may: the next can start when one of them ends.`,
      { retryAfterSeconds: placeSeconds(key) },
    );
  }

  /** Returns the bucket after the token was taken; it is put back in place only when everything else has passed too. */
  function takenFrom(key: LocalKey): Bucket | undefined {
    if (key.rate === undefined) return undefined;
    const now = clock.monotonic();
    const answer = takeToken(buckets.get(key.id) ?? fullBucket(key.rate, now), key.rate, now);
    if (answer.kind === "passed") return answer.bucket;
    throw new ApiError(
      "rate_limit_exceeded",
      `${spokenKey(key.label)} asks faster than its rate allows: the Retry-After header says how long to wait.`,
      {
        retryAfterSeconds: answer.retryAfterSeconds,
        until: clock.now() + answer.retryAfterSeconds * MS_PER_SECOND,
      },
    );
  }

  /** Returns the tokens to set aside. */
  function checkQuota(key: LocalKey, request: AdmissionRequest, now: number): number {
    if (key.quotaTokens === undefined) return 0;
    const left = key.quotaTokens - quota.used(key, now);
    if (left > 0) {
      const expected = request.expectedTokens();
      const others = setAside.get(key.id) ?? 0;
      if (expected === 0 || others === 0 || others + expected <= left) return expected;
      throw new ApiError(
        "rate_limit_exceeded",
        `${spokenKey(key.label)} has set aside the rest of its token quota for its requests that run: the next can start when one of them ends.`,
        { retryAfterSeconds: placeSeconds(key) },
      );
    }
    const resetsAt = quota.resetsAt(key, now);
    if (resetsAt === undefined) {
      throw new ApiError(
        "quota_exceeded",
        `${spokenKey(key.label)} has used its token quota: raise its quota, or use another key.`,
      );
    }
    throw new ApiError(
      "quota_exceeded",
      `${spokenKey(key.label)} has used its token quota for this ${WINDOW_NAMES[key.quotaWindow]}: raise its quota, or use another key until the window resets.`,
      { retryAfterSeconds: secondsUntilReset(resetsAt, now), until: resetsAt },
    );
  }

  function holdCredit(key: LocalKey, request: AdmissionRequest): void {
    if (!key.isCredit) return;
    const estimate = request.estimate();
    if (estimate === undefined && unknownPrice() === "refuse") {
      throw new ApiError(
        "insufficient_credit",
        `${spokenKey(key.label)} has a credit, and the price of this request is not known: use a model with a price, or allow it with --unknown-price allow (in VS Code: 'patchbay.unknownPrice').`,
        { param: "model" },
      );
    }
    // What costs nothing waits for nobody: a response in the background that took more than there is may be asked for.
    if (estimate === 0 && purse.standing(key.id).balanceMicros > 0) return;
    const { requestId, startedAt } = request;
    if (purse.hold({ keyId: key.id, requestId, startedAt }, estimate ?? 0) === "held") return;
    throw new ApiError(
      "insufficient_credit",
      `${spokenKey(key.label)} has not enough credit for this request: add some with 'patchbay keys credit ${spoken(key.id, "KEY")} +5' (in VS Code: 'Patchbay: Add Credit to a Key').`,
    );
  }

  return {
    checkModel,
    admit(key, request) {
      checkModel(key, request);
      checkPlace(key);
      const bucket = takenFrom(key);
      const now = clock.now();
      const expected = checkQuota(key, request, now);
      holdCredit(key, request);
      if (bucket !== undefined) {
        buckets.set(key.id, bucket);
        dirty.set(key.id, bucket);
        parts.onTaken?.();
      }
      if (key.quotaTokens !== undefined) quota.begin(key, request.startedAt, now);
      count(key, 1, expected);
      let over = false;
      return {
        end() {
          if (over) return;
          over = true;
          count(key, -1, -expected);
          if (key.isCredit) purse.release(request.requestId);
        },
        goesOn() {
          if (over) return;
          over = true;
          count(key, -1, 0);
          goingOn.set(request.requestId, () => count(key, 0, -expected));
        },
      };
    },
    usageKnown(requestId) {
      goingOn.get(requestId)?.();
      goingOn.delete(requestId);
      purse.release(requestId);
    },
    isHeld: (requestId) => purse.isHeld(requestId),
    standing(key) {
      const { rate, quotaTokens } = key;
      const now = clock.now();
      const used = quota.used(key, now);
      const bucket = buckets.get(key.id);
      const credit = key.isCredit ? purse.standing(key.id) : undefined;
      const monotonic = clock.monotonic();
      return {
        usedTokens: used,
        remainingTokens: quotaTokens === undefined ? undefined : Math.max(0, quotaTokens - used),
        quotaResetsAt: quotaTokens === undefined ? undefined : quota.resetsAt(key, now),
        remainingRequests:
          rate === undefined
            ? undefined
            : Math.floor(bucket === undefined ? rate.burst : tokensAt(bucket, rate, monotonic)),
        msUntilFull: rate === undefined ? undefined : bucket === undefined ? 0 : msUntilFull(bucket, rate, monotonic),
        running: running.get(key.id) ?? 0,
        creditMicros: credit?.balanceMicros,
        heldMicros: credit?.heldMicros,
      };
    },
    takeDirtyBuckets() {
      const taken = new Map(dirty);
      dirty.clear();
      return taken;
    },
  };
}

/** Keeps no entry for nothing. */
function add(counts: Map<string, number>, keyId: string, amount: number): void {
  const sum = (counts.get(keyId) ?? 0) + amount;
  if (sum === 0) counts.delete(keyId);
  else counts.set(keyId, sum);
}

/** How a quota's window is spoken of; without digits, which opencode may take for a status. */
const WINDOW_NAMES = {
  life: "lifetime",
  "5h": "five-hour window",
  day: "day",
  "7d": "week",
  month: "month",
} as const;
