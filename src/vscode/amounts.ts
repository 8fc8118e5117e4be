const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const LARGEST_UNIT = { name: "B", size: 1_000_000_000 };
const UNITS = [
  { name: "k", size: 1_000, below: 999_500 },
  { name: "M", size: 1_000_000, below: 999_500_000 },
];

/** A count of tokens in at most four characters and a unit: `842`, `12.3k`, `1.25M`. */
export function shortTokens(count: number): string {
  if (count < 1_000) return String(Math.round(count));
  // 999 500 would round to 1000k.
  const unit = UNITS.find(({ below }) => count < below) ?? LARGEST_UNIT;
  const value = count / unit.size;
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)}${unit.name}`;
}

/** Dollars as people read them: `$0`, `<$0.01`, `$4.20`, `$1,240`. Null: nothing is known. */
export function money(dollars: number | null): string {
  if (dollars === null) return "cost unknown";
  if (dollars === 0) return "$0";
  if (dollars > 0 && dollars < 0.01) return "<$0.01";
  return dollars.toLocaleString("en-US", {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: dollars < 1_000 ? 2 : 0,
    maximumFractionDigits: dollars < 1_000 ? 2 : 0,
  });
}

/** A count with separators: `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** A length of time in its two largest units: `4 d 3 h`, `2 h 5 min`, `12 min`, `30 s`. */
export function span(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < MINUTE_MS) return `${Math.ceil(ms / 1000)} s`;
  const [days, hours, minutes] = [
    Math.floor(ms / DAY_MS),
    Math.floor((ms % DAY_MS) / HOUR_MS),
    Math.floor((ms % HOUR_MS) / MINUTE_MS),
  ];
  if (days > 0) return hours === 0 ? `${days} d` : `${days} d ${hours} h`;
  if (hours > 0) return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
  return `${minutes} min`;
}

/** A moment to come, in local time: `at 15:40`, and on another day `on Dec 4 at 15:40`. */
export function clockTime(at: number, now: number): string {
  const [moment, today] = [new Date(at), new Date(now)];
  const time = moment.toLocaleTimeString("en-US", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (moment.toDateString() === today.toDateString()) return `at ${time}`;
  return `on ${moment.toLocaleDateString("en-US", { month: "short", day: "numeric" })} at ${time}`;
}

/** The length of a plan's window: `5 hours`, `7 days`; "window" where it is not told. */
export function windowName(minutes: number | undefined): string {
  if (minutes === undefined) return "window";
  if (minutes % (24 * 60) === 0) return plural(minutes / (24 * 60), "day");
  return minutes % 60 === 0 ? plural(minutes / 60, "hour") : `${minutes} minutes`;
}

/** `1 request`, `2 requests`. */
export function plural(amount: number, noun: string): string {
  return `${count(amount)} ${noun}${amount === 1 ? "" : "s"}`;
}
