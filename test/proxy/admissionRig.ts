import assert from "node:assert/strict";
import type { CreditRequest } from "../../src/ledger/creditJournal.ts";
import { openWindow } from "../../src/ledger/quotaWindow.ts";
import type { QuotaKey } from "../../src/ledger/quotaUse.ts";
import type { WindowUse } from "../../src/ledger/quotaWindow.ts";
import type { Bucket } from "../../src/ledger/tokenBucket.ts";
import {
  type Admission,
  type AdmissionRequest,
  type Admitted,
  createAdmission,
  type UnknownPricePolicy,
} from "../../src/proxy/admission.ts";
import { type LocalKey, unlimitedKey } from "../../src/proxy/localKey.ts";
import { ApiError } from "../../src/wire/errors.ts";
import { DAY } from "../ledger/temporaryLedger.ts";

/** Admission over a hand-set clock, naive windows and a naive purse, whose insides a test may look at and change. */
export interface AdmissionRig {
  readonly admission: Admission;
  /** Milliseconds since the start. */
  now: number;
  /** Tokens used in the open window. */
  usedTokens: number;
  freeMicros: number;
  policy: UnknownPricePolicy;
  /** What is held, by the requests' ids. */
  readonly holds: ReadonlyMap<string, number>;
  /** How often an estimate was asked for. */
  estimates: number;
  /** Asks; returns the place, or the refusal. */
  ask(key: LocalKey, changes?: Partial<AdmissionRequest>): Admitted | ApiError;
}

/** A key that nothing bounds, but for what is given. */
export function key(limits: Partial<LocalKey> = {}): LocalKey {
  return { ...unlimitedKey("key_a", "agent"), ...limits };
}

/** Everything starts full, unused and without credit. */
export function admissionRig(buckets: ReadonlyMap<string, Bucket> = new Map()): AdmissionRig {
  const holds = new Map<string, number>();
  let window: WindowUse | undefined;
  let number = 0;
  const clock = { now: () => DAY + rig.now, monotonic: () => 1_000 + rig.now };
  const open = (asked: QuotaKey, now: number): WindowUse => openWindow(asked.quotaWindow, now, () => 0);
  const rig: AdmissionRig = {
    now: 0,
    usedTokens: 0,
    freeMicros: 0,
    policy: "refuse",
    holds,
    estimates: 0,
    admission: createAdmission({
      clock,
      buckets,
      unknownPrice: () => rig.policy,
      quota: {
        used: (_key, now) => (isOver(window, now) ? 0 : rig.usedTokens),
        resetsAt(asked, now) {
          if (window !== undefined && !isOver(window, now)) return window.resetsAt ?? undefined;
          const isCalendar = asked.quotaWindow === "day" || asked.quotaWindow === "month";
          return isCalendar ? (open(asked, now).resetsAt ?? undefined) : undefined;
        },
        begin(asked, at, now) {
          if (window === undefined || isOver(window, now)) window = open(asked, at);
        },
      },
      purse: {
        hold({ requestId }: CreditRequest, micros) {
          if (rig.freeMicros <= 0 || micros > rig.freeMicros) return "insufficient";
          rig.freeMicros -= micros;
          holds.set(requestId, micros);
          return "held";
        },
        release(requestId) {
          rig.freeMicros += holds.get(requestId) ?? 0;
          holds.delete(requestId);
        },
        isHeld: (requestId) => holds.has(requestId),
        standing: () => ({ balanceMicros: rig.freeMicros, heldMicros: [...holds.values()].reduce((a, b) => a + b, 0) }),
      },
    }),
    ask(asked: LocalKey, changes: Partial<AdmissionRequest> = {}): Admitted | ApiError {
      number += 1;
      const now = clock.now();
      if (isOver(window, now)) [window, rig.usedTokens] = [undefined, 0];
      if (asked.quotaWindow === "day" || asked.quotaWindow === "month") window ??= open(asked, now);
      try {
        return rig.admission.admit(asked, {
          requestId: `req_${number}`,
          startedAt: now,
          model: "gpt-5.5",
          namesModel: true,
          estimate() {
            rig.estimates += 1;
            return 10;
          },
          expectedTokens: () => 10,
          ...changes,
        });
      } catch (error) {
        if (error instanceof ApiError) return error;
        throw error;
      }
    },
  };
  return rig;
}

function isOver(window: WindowUse | undefined, now: number): boolean {
  return window !== undefined && window.resetsAt !== null && now >= window.resetsAt;
}

/** The refusal that this answer has to be. */
export function refusal(answer: Admitted | ApiError): ApiError {
  assert.ok(answer instanceof ApiError, "it was let through");
  return answer;
}

/** The place that this answer has to be. */
export function passed(answer: Admitted | ApiError): Admitted {
  if (answer instanceof ApiError) assert.fail(answer.message);
  return answer;
}
