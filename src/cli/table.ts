/** A column of a table for people. */
export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

const GAP = "  ";
const ELLIPSIS = "…";
const NARROWEST_NAME = 8;

/**
 * A table in columns of even width, without lines. Where it is wider than the terminal the first column is cut short. Control
 * characters are replaced: names come from clients, and must not be able to steer the terminal.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width = Infinity): string {
  const cells = [columns.map(({ title }) => title), ...rows].map((row) => row.map(printable));
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => characters(row[index] ?? "").length)));
  const total = widths.reduce((sum, one) => sum + one, GAP.length * (columns.length - 1));
  const [first = 0, ...others] = widths;
  const fitting = [
    total > width ? Math.max(Math.min(first, NARROWEST_NAME), first - (total - width)) : first,
    ...others,
  ];
  return cells
    .map((row) => row.map((cell, index) => pad(cell, fitting[index] ?? 0, columns[index]?.align ?? "left")).join(GAP))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** A text without characters that steer a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}

function pad(text: string, width: number, align: Column["align"]): string {
  const all = characters(text);
  const cut = all.length > width ? [...all.slice(0, width - 1), ELLIPSIS] : all;
  const space = " ".repeat(width - cut.length);
  return align === "left" ? cut.join("") + space : space + cut.join("");
}

function characters(text: string): string[] {
  return Array.from(text);
}
