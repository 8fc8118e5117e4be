/** How long ago: `90m`, `24h`, `7d`, `2w`. */
const AGO = /^(\d{1,6})\s*([mhdw])$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?$/;

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * A moment as people write it: some time ago (`24h`, `7d`), a date (its local midnight), or a date with a time, local unless it
 * names an offset. Milliseconds since the Unix epoch; undefined where it is none of these.
 */
export function parseMoment(text: string, now: number): number | undefined {
  const ago = AGO.exec(text.trim().toLowerCase());
  if (ago !== null) return Math.max(0, now - Number(ago[1]) * (UNIT_MS[ago[2] ?? ""] ?? NaN));
  const written = text.trim();
  if (DATE.test(written)) return moment(`${written}T00:00:00`);
  return DATE_TIME.test(written) ? moment(written.replace(" ", "T")) : undefined;
}

function moment(iso: string): number | undefined {
  const at = Date.parse(iso);
  // Date.parse takes the 31st of February for the 3rd of March.
  const isReal = new Date(`${iso.slice(0, 10)}T00:00:00Z`).toISOString().slice(0, 10) === iso.slice(0, 10);
  return Number.isNaN(at) || !isReal ? undefined : at;
}
