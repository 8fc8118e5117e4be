/** Reads a header of an answer by its name in lower case; undefined where it is missing. */
export type HeaderOf = (name: string) => string | undefined;

/** Longer than any window of a plan: a time beyond it is a mistake, or in another unit. */
const MAX_WAIT_SECONDS = 400 * 86_400;
/** OpenAI says how long to wait in the text of rate limits. */
const WAIT_IN_TEXT = /\btry again in\s+(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|seconds?|m|minutes?)\b/i;

/** The whole seconds that `Retry-After` (or OpenAI's `retry-after-ms`) asks to wait, at least one. `now` is in milliseconds. */
export function retryAfterSeconds(header: HeaderOf, now: number): number | undefined {
  const milliseconds = Number(header("retry-after-ms") ?? Number.NaN);
  if (milliseconds > 0) return secondsOf(milliseconds / 1000);
  const value = header("retry-after")?.trim() ?? "";
  if (value === "") return undefined;
  if (/^\d+(?:\.\d+)?$/.test(value)) return secondsOf(Number(value));
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : secondsOf((date - now) / 1000);
}

/** The wait that a message names ("Please try again in 11.054s"), in whole seconds. */
export function secondsInText(message: string): number | undefined {
  const [, amount = "", unit = ""] = WAIT_IN_TEXT.exec(message) ?? [];
  if (amount === "") return undefined;
  if (/^m(?:s|illi)/i.test(unit)) return secondsOf(Number(amount) / 1000);
  return secondsOf(/^m/i.test(unit) ? Number(amount) * 60 : Number(amount));
}

/** A number of seconds to wait, as a number or as text, in whole ones and at least one. */
export function secondsOf(value: unknown): number | undefined {
  const seconds = numberOf(value);
  return seconds === undefined || seconds > MAX_WAIT_SECONDS ? undefined : Math.max(1, Math.ceil(seconds));
}

/** The whole seconds until a time that is given in seconds since the epoch; `now` is in milliseconds. */
export function secondsUntil(time: unknown, now: number): number | undefined {
  const seconds = numberOf(time);
  // Some headers are empty or 0 where a window does not exist.
  return seconds === undefined || seconds <= 0 ? undefined : secondsOf(seconds - now / 1000);
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}
