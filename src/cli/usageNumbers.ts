import { MICROS_PER_DOLLAR } from "../wire/money.ts";
import type { UsageTotals } from "../ledger/reports.ts";

/** A count with thousands separators. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Micro-dollars for people: cents from a dollar up, more digits below. */
export function money(micros: number): string {
  const dollars = micros / MICROS_PER_DOLLAR;
  const digits = micros >= MICROS_PER_DOLLAR || micros === 0 ? 2 : micros >= 10_000 ? 4 : 6;
  return `$${dollars.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** What some requests cost, saying how much of it is not known. */
export function totalCost(totals: UsageTotals): string {
  if (totals.unpricedRequests === 0) return money(totals.costMicros);
  return totals.unpricedRequests === totals.requests ? "unknown" : `${money(totals.costMicros)} + unknown`;
}

/** Where the known part of a cost comes from: the upstreams' own bills, or the price table. */
export function costSource({ costMicros, chargedMicros }: UsageTotals): string {
  if (costMicros === 0) return "-";
  if (chargedMicros === 0) return "price table";
  return chargedMicros === costMicros ? "upstream" : `${percent(chargedMicros / costMicros)} upstream`;
}

/** A cost by its sources, in a sentence. */
export function costSentence({ costMicros, chargedMicros, unpricedRequests }: UsageTotals): string {
  const parts = [
    ...(chargedMicros > 0 ? [`${money(chargedMicros)} as the upstreams charged`] : []),
    ...(costMicros > chargedMicros ? [`${money(costMicros - chargedMicros)} by the price table`] : []),
    ...(unpricedRequests > 0 ? [`${count(unpricedRequests)} requests of unknown cost`] : []),
  ];
  return parts.length === 0 ? "Nothing was charged." : `Cost: ${parts.join(", ")}.`;
}

/** The part of the input that came from a cache; undefined where there was no input. */
export function cacheShare({ inputTokens, cachedTokens }: UsageTotals): number | undefined {
  return inputTokens === 0 ? undefined : cachedTokens / inputTokens;
}

/** A part of 1 in whole hundredths; what is not all and not nothing never looks so. */
export function percent(share: number): string {
  const rounded = Math.round(share * 100);
  return `${share > 0 && share < 1 ? Math.min(99, Math.max(1, rounded)) : rounded}%`;
}

/** A moment in local time, to the minute. */
export function localTime(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
