import type { UsageTotals } from "../ledger/reports.ts";

/** A count with thousands separators. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Micro-dollars for people: cents from a dollar up, more digits below. */
export function money(micros: number): string {
  const dollars = micros / 1_000_000;
  const digits = micros >= 1_000_000 || micros === 0 ? 2 : micros >= 10_000 ? 4 : 6;
  return `$${dollars.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** What some requests cost, saying how much of it is not known. */
export function totalCost(totals: UsageTotals): string {
  if (totals.unpricedRequests === 0) return money(totals.costMicros);
  return totals.unpricedRequests === totals.requests ? "unknown" : `${money(totals.costMicros)} + unknown`;
}

/** A moment in local time, to the minute. */
export function localTime(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
