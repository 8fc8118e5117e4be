const GAP = "  ";
const LONGEST_BAR = 30;
/** A shorter bar tells nothing. */
const SHORTEST_BAR = 6;
const FULL = "█";
const HALF = "▌";

/**
 * Lines of text with a bar behind each that has a value: the longest for the largest one, in halves of a character. Lines that do not fit
 * beside a bar in the terminal stay without, all of them.
 */
export function withBars(
  lines: readonly string[],
  values: readonly (number | undefined)[],
  terminalWidth: number,
): string[] {
  const widest = Math.max(0, ...lines.map((line) => Array.from(line).length));
  const space = Math.min(LONGEST_BAR, terminalWidth - widest - GAP.length);
  const largest = Math.max(0, ...values.map((value) => value ?? 0));
  if (space < SHORTEST_BAR || largest <= 0) return [...lines];
  return lines.map((line, index) => {
    const bar = barOf(values[index] ?? 0, largest, space);
    return bar === "" ? line : line + " ".repeat(widest - Array.from(line).length) + GAP + bar;
  });
}

/** What is above nothing is never shown as nothing. */
function barOf(value: number, largest: number, width: number): string {
  if (value <= 0) return "";
  const halves = Math.max(1, Math.round((value / largest) * width * 2));
  return FULL.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? HALF : "");
}
