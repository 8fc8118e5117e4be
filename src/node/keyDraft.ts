import { parseCreditChange } from "../ledger/creditChange.ts";
import { type KeyDraft, KeyMistake } from "../ledger/managedKey.ts";
import { QUOTA_WINDOWS, type QuotaWindow } from "../ledger/quotaWindow.ts";

/** A new key as people write it: on the command line, in the editor, over the control socket. */
export interface WrittenKey {
  readonly label: string;
  /** `60/m`, `1/s`, `1000/h`; `0` for none; the default where left out. */
  readonly rate?: string | undefined;
  readonly burst?: string | undefined;
  /** `500000`, `500000/day`; a window of 5h, day, 7d or month; `0` for none. */
  readonly quota?: string | undefined;
  /** Dollars that the key may spend, `5.00`; without it, credit does not bound the key. */
  readonly credit?: string | undefined;
  /** `30d`, `12h`; never where left out. */
  readonly expires?: string | undefined;
  /** Patterns of models, `gpt-*`; all where left out. */
  readonly models?: readonly string[] | undefined;
  readonly maxConcurrent?: string | undefined;
}

/** What bounds a new key that says nothing else. */
export interface KeyDefaults {
  readonly ratePerMinute: number | null;
  readonly burst: number;
  readonly quotaTokens: number | null;
  readonly quotaWindow: QuotaWindow;
}

/** For a key of a coding agent: steady work passes, a runaway loop does not. */
export const KEY_DEFAULTS: KeyDefaults = { ratePerMinute: 60, burst: 10, quotaTokens: null, quotaWindow: "life" };

const SECOND_MS = 1000;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: SECOND_MS,
  m: 60 * SECOND_MS,
  h: 3_600 * SECOND_MS,
  d: 86_400 * SECOND_MS,
};
const MINUTE_MS = 60 * SECOND_MS;

/** Reads it. Throws `KeyMistake` (malformed) with a sentence that names what is wrong. */
export function readWrittenKey(
  written: WrittenKey,
  defaults: KeyDefaults,
  now: number,
): { readonly draft: KeyDraft; readonly creditMicros: number | undefined } {
  const quota = written.quota === undefined ? undefined : quotaOf(written.quota);
  const creditMicros = written.credit === undefined ? undefined : creditOf(written.credit);
  return {
    creditMicros,
    draft: {
      label: written.label,
      expiresAt: written.expires === undefined ? null : now + expiryOf(written.expires),
      ratePerMinute: written.rate === undefined ? defaults.ratePerMinute : rateOf(written.rate),
      burst: written.burst === undefined ? defaults.burst : countOf("burst", written.burst),
      quotaTokens: quota === undefined ? defaults.quotaTokens : quota.tokens,
      quotaWindow: quota?.window ?? defaults.quotaWindow,
      models: written.models === undefined || written.models.length === 0 ? null : written.models,
      maxConcurrent:
        written.maxConcurrent === undefined ? null : countOf("number of requests at once", written.maxConcurrent),
      isCredit: creditMicros !== undefined,
    },
  };
}

/** New limits of a key as people write them. What is left out stays; `0` (of models `*`, of the expiry `never`) takes a limit away. */
export type WrittenChanges = Omit<WrittenKey, "label" | "credit"> & { readonly label?: string | undefined };

/** Reads them. Throws `KeyMistake` (malformed) with a sentence that names what is wrong. */
export function readWrittenChanges(written: WrittenChanges, now: number): Partial<KeyDraft> {
  const { label, rate, burst, quota, expires, models, maxConcurrent } = written;
  const readQuota = quota === undefined ? undefined : quotaOf(quota);
  return {
    ...(label !== undefined && { label }),
    ...(rate !== undefined && { ratePerMinute: rateOf(rate) }),
    ...(burst !== undefined && { burst: countOf("burst", burst) }),
    ...(readQuota !== undefined && { quotaTokens: readQuota.tokens, quotaWindow: readQuota.window }),
    ...(expires !== undefined && { expiresAt: expires.trim() === "never" ? null : now + expiryOf(expires) }),
    ...(models !== undefined && { models: models.includes("*") ? null : models }),
    ...(maxConcurrent !== undefined && {
      maxConcurrent: maxConcurrent.trim() === "0" ? null : countOf("number of requests at once", maxConcurrent),
    }),
  };
}

/** Milliseconds from `30d`, `12h`, `90s`. Throws `KeyMistake`. */
export function expiryOf(text: string): number {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text.trim()) ?? [];
  const factor = unit === undefined ? undefined : UNIT_MS[unit];
  if (digits === undefined || factor === undefined) throw malformed(`A time is written like 30d or 12h, not "${text}"`);
  return Number(digits) * factor;
}

function rateOf(text: string): number | null {
  if (text.trim() === "0") return null;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\/([smhd])$/.exec(text.trim()) ?? [];
  const factor = unit === undefined ? undefined : UNIT_MS[unit];
  if (digits === undefined || factor === undefined) {
    throw malformed(`A rate is written like 60/m or 1000/h, or 0 for none, not "${text}"`);
  }
  return Number(digits) === 0 ? null : (Number(digits) * MINUTE_MS) / factor;
}

/** `500000`, `500000/day`, `0` for none. Throws `KeyMistake` (malformed). */
export function quotaOf(text: string): { readonly tokens: number | null; readonly window: QuotaWindow } {
  const [amount = "", written, ...more] = text.trim().split("/");
  const window = written === undefined ? "life" : QUOTA_WINDOWS.find((one) => one === written);
  if (window === undefined || more.length > 0) {
    throw malformed(
      `A quota is written like 500000 or 500000/day, with a window of 5h, day, 7d or month, not "${text}"`,
    );
  }
  const tokens = wholeNumber(amount.replaceAll("_", ""));
  if (tokens === undefined) throw malformed(`A quota is a whole number of tokens, not "${amount}"`);
  return { tokens: tokens === 0 ? null : tokens, window };
}

function creditOf(text: string): number {
  const change = parseCreditChange(text.startsWith("=") ? text : `=${text.replace(/^\+/, "")}`);
  return change.micros;
}

function countOf(what: string, text: string): number {
  const count = wholeNumber(text);
  if (count === undefined || count < 1) throw malformed(`A key's ${what} is a whole number from 1 up, not "${text}"`);
  return count;
}

function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return /^\d+$/.test(text.trim()) && Number.isSafeInteger(number) ? number : undefined;
}

function malformed(sentence: string): KeyMistake {
  return new KeyMistake("malformed", `${sentence}.`);
}
