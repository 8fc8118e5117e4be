import type { KeyView } from "../node/keyKeeping.ts";

type Limits = Pick<KeyView["limits"], "requests_per_minute" | "quota_tokens" | "quota_window">;

/** Requests per minute make so many per unit; the first of them that makes a whole number is the one to write. */
const PER_UNIT = { m: 1, h: 60, d: 1_440 } as const;
/** An hour's rate that was divided into minutes comes back with an error of some quadrillionths. */
const PRECISION_DIGITS = 12;

/** A key's token quota as it is written to set it: `2000000/day`, `0` for none. */
export function quotaInput({ quota_tokens: tokens, quota_window: window }: Limits): string {
  if (tokens === null) return "0";
  return window === null || window === "life" ? String(tokens) : `${tokens}/${window}`;
}

/** A key's rate as it is written to set it: `60/m`, `1000/h`, `0` for none. */
export function rateInput({ requests_per_minute: perMinute }: Limits): string {
  if (perMinute === null) return "0";
  for (const [unit, minutes] of Object.entries(PER_UNIT)) {
    const count = Number((perMinute * minutes).toPrecision(PRECISION_DIGITS));
    if (Number.isInteger(count)) return `${count}/${unit}`;
  }
  return `${perMinute}/m`;
}

/** What was written of a credit as a change of it: an amount without a sign is added. */
export function creditInput(written: string): string {
  const text = written.trim();
  return /^[+=-]/.test(text) ? text : `+${text}`;
}

/** What was written as patterns of models, with commas, spaces or both between them. */
export function modelsInput(written: string): string[] {
  return written.split(/[\s,]+/).filter((one) => one !== "");
}
