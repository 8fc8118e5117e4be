/** How figures are written. Whatever the editor's language, the page speaks English, and so do its figures. */

const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const DAY = new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric", timeZone: "UTC" });
const MOMENT = new Intl.DateTimeFormat("en-US", {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** What stands for a figure that is not known. */
export const UNKNOWN = "–";

/** A count in few letters: `950`, `12.3K`, `1.2M`. */
export function compactCount(value: number): string {
  return COMPACT.format(value);
}

/** A count with every digit: `12,345`. */
export function exactCount(value: number): string {
  return WHOLE.format(value);
}

/** A count and what it counts: `1 request`, `2 requests`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${exactCount(value)} ${value === 1 ? one : many}`;
}

/** Dollars: cents, and of less than a dollar what tells of the rest of it. */
export function dollars(value: number | null): string {
  if (value === null) return UNKNOWN;
  const size = Math.abs(value);
  const digits = size >= 1 || size === 0 ? 2 : size >= 0.01 ? 4 : 6;
  const written = size.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: digits });
  return `${value < 0 ? "-" : ""}$${written}`;
}

/** What requests cost, where some have no known price: `$1.20 + unknown`. */
export function totalDollars(costUsd: number | null, unpricedRequests: number): string {
  if (costUsd === null) return "Unknown cost";
  return unpricedRequests === 0 ? dollars(costUsd) : `${dollars(costUsd)} + unknown`;
}

/** A share of a whole: `37%`; unknown of nothing. */
export function share(part: number, whole: number): string {
  return whole === 0 ? UNKNOWN : `${Math.round((100 * part) / whole)}%`;
}

/** Milliseconds until a token came: `420 ms`, `1.35 s`. */
export function latency(milliseconds: number | null): string {
  if (milliseconds === null) return UNKNOWN;
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

/** Tokens per second: `8.4/s`, `120/s`. */
export function speed(tokensPerSecond: number | null): string {
  if (tokensPerSecond === null) return UNKNOWN;
  return `${tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : Math.round(tokensPerSecond)}/s`;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long something takes, to the minute: `under a minute`, `12 min`, `2 h 13 min`, `3 d 4 h`. */
export function duration(milliseconds: number): string {
  if (milliseconds < MINUTE_MS) return "under a minute";
  const [large, largeName, small, smallName] =
    milliseconds >= DAY_MS ? [DAY_MS, "d", HOUR_MS, "h"] : [HOUR_MS, "h", MINUTE_MS, "min"];
  const first = Math.floor(milliseconds / large);
  const second = Math.floor((milliseconds % large) / small);
  return [first === 0 ? "" : `${first} ${largeName}`, second === 0 ? "" : `${second} ${smallName}`]
    .filter((part) => part !== "")
    .join(" ");
}

/** A moment in the reader's local time: `Nov 21, 14:03`. */
export function moment(at: number): string {
  return MOMENT.format(at);
}

/** A bucket's time, `2026-11-21` or `2026-11-21T14`, as the chart writes it: `Nov 21` or `14:00`. */
export function bucketTime(at: string): string {
  const [date = "", hour] = at.split("T");
  return hour === undefined ? DAY.format(new Date(`${date}T00:00:00Z`)) : `${hour}:00`;
}
