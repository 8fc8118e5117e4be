/** Readers for the values of limits, which come as JSON numbers, as text and as Python writes them. None of them throws. */

const MAX_DATE_MS = 8.64e15;

/** A text that says something. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

/** A finite number that is not negative. */
export function countOf(value: unknown): number | undefined {
  const text = textOf(value);
  const number = text === undefined ? value : Number(text);
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** The same, with 0 for "there is none". */
export function positiveOf(value: unknown): number | undefined {
  return countOf(value) || undefined;
}

/** `True`, `False`, `1` and `0` as headers have them, and JSON's own. */
export function booleanOf(value: unknown): boolean | undefined {
  switch (typeof value === "string" ? value.trim().toLowerCase() : value) {
    case true:
    case 1:
    case "true":
    case "1":
      return true;
    case false:
    case 0:
    case "false":
    case "0":
      return false;
    default:
      return undefined;
  }
}

/** Seconds since the Unix epoch, else seconds from now, as milliseconds since the Unix epoch. */
export function resetOf(at: unknown, afterSeconds: unknown, now: number): number | undefined {
  const seconds = positiveOf(at);
  const after = positiveOf(afterSeconds);
  const reset = seconds === undefined ? now + (after ?? Number.NaN) * 1000 : seconds * 1000;
  return reset <= MAX_DATE_MS ? Math.round(reset) : undefined;
}
