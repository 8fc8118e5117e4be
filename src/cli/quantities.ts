import type { Rate } from "../ledger/tokenBucket.ts";
import { Misuse } from "./flags.ts";

/** The quantities that people write behind flags: `6h`, `60/m`, `64MiB`. All of them throw `Misuse`. */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Timers of JavaScript count their milliseconds in 31 bits, and fire at once when given more. */
const LONGEST_MS = 24 * 86_400_000;

/** A duration in milliseconds: a number with `ms`, `s`, `m`, `h` or `d`, up to 24 days; a bare 0 is allowed. */
export function durationMs(flag: string, text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  if (text.trim() === "0") return 0;
  const factor = unit === undefined ? undefined : UNIT_MS[unit];
  if (digits === undefined || factor === undefined)
    throw new Misuse(`--${flag} takes a duration like 30s, 10m or 6h, not "${text}".`);
  const milliseconds = Math.round(Number(digits) * factor);
  if (milliseconds > LONGEST_MS) throw new Misuse(`--${flag} takes at most 24d, not "${text}".`);
  return milliseconds;
}

/** Requests a minute from `60/m`, `1/s` or `1000/h`; undefined for 0, which bounds nothing. */
export function requestsPerMinute(flag: string, text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\/(s|m|h)$/.exec(text.trim()) ?? [];
  if (text.trim() === "0") return undefined;
  const minute = UNIT_MS["m"] ?? 0;
  const factor = unit === undefined ? undefined : UNIT_MS[unit];
  if (digits === undefined || factor === undefined) {
    throw new Misuse(`--${flag} takes a rate like 60/m, 1/s or 1000/h, or 0 for none, not "${text}".`);
  }
  return Number(digits) === 0 ? undefined : (Number(digits) * minute) / factor;
}

/** A token bucket from `--rate` and `--burst`. */
export function rateOf(rate: string, burst: string): Rate | undefined {
  const perMinute = requestsPerMinute("rate", rate);
  const atOnce = Math.max(1, wholeNumber("burst", burst));
  return perMinute === undefined ? undefined : { perMinute, burst: atOnce };
}

/** A whole number from 0 up. */
export function wholeNumber(flag: string, text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text.trim()) || !Number.isSafeInteger(number))
    throw new Misuse(`--${flag} takes a whole number, not "${text}".`);
  return number;
}

const UNIT_BYTES: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes from `64MiB`, `64m` or a bare number from 1 up. */
export function bytes(flag: string, text: string): number {
  const [, digits, unit] = /^(\d+)\s*(?:([kmg])(?:i?b)?)?$/i.exec(text.trim()) ?? [];
  const factor = UNIT_BYTES[(unit ?? "").toLowerCase()];
  const size = Number(digits) * (factor ?? NaN);
  if (!Number.isSafeInteger(size) || size === 0) throw new Misuse(`--${flag} takes a size like 64MiB, not "${text}".`);
  return size;
}

/** `HOST:PORT`, `[::1]:8390`, or a bare port. */
export function hostAndPort(flag: string, text: string): { readonly host: string; readonly port: number } {
  const [, written, digits] = /^(?:(\[[0-9a-fA-F:.]+\]|[^:\s]+):)?(\d{1,5})$/.exec(text.trim()) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535)
    throw new Misuse(`--${flag} takes HOST:PORT like 127.0.0.1:8390, not "${text}".`);
  return { host: written?.replaceAll(/[[\]]/g, "") ?? "127.0.0.1", port };
}
