import type { ZoneOffset } from "../../src/ledger/reportSpans.ts";

/** Zones without and with changes of the clocks, at midnight too, by half an hour, and by a whole day (Apia, end of 2011). */
export const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/Santiago",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Apia",
] as const;

type Zone = (typeof ZONES)[number];

const formats = new Map<Zone, Intl.DateTimeFormat>();

/** Date and time of a moment in a zone, as `2026-11-21 23:59:59`. */
export function localDate(zone: Zone, at: number): string {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone,
      dateStyle: "short",
      timeStyle: "medium",
      hourCycle: "h23",
    });
    formats.set(zone, format);
  }
  return format.format(at);
}

/** What `-new Date(at).getTimezoneOffset()` says in that zone. */
export function zoneOf(zone: Zone): ZoneOffset {
  return (at) => {
    const second = Math.floor(at / 1000) * 1000;
    return (Date.parse(`${localDate(zone, second).replace(" ", "T")}Z`) - second) / 60_000;
  };
}
