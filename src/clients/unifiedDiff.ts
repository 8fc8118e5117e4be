import { diffLines, type Hunk, linesOf } from "./lineDiff.ts";

const CONTEXT_LINES = 3;

/** The difference of two texts as `diff -u` shows it; empty where there is none. Undefined stands for a file that is not there. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  const from = linesOf(before ?? "");
  const hunks = diffLines(from, linesOf(after ?? ""));
  if (hunks.length === 0) return "";
  const head = `--- ${before === undefined ? "/dev/null" : path}\n+++ ${after === undefined ? "/dev/null" : path}\n`;
  let shift = 0;
  const parts = grouped(hunks).map((group) => {
    const part = groupText(from, group, shift);
    shift += grownBy(group);
    return part;
  });
  return head + parts.join("");
}

/** Hunks whose context would touch are shown as one. */
function grouped(hunks: readonly Hunk[]): readonly (readonly Hunk[])[] {
  const groups: Hunk[][] = [];
  for (const hunk of hunks) {
    const last = groups.at(-1);
    const previous = last?.at(-1);
    if (last !== undefined && previous !== undefined && hunk.start - previous.end <= 2 * CONTEXT_LINES) last.push(hunk);
    else groups.push([hunk]);
  }
  return groups;
}

function groupText(from: readonly string[], group: readonly Hunk[], shift: number): string {
  const start = Math.max((group[0]?.start ?? 0) - CONTEXT_LINES, 0);
  const end = Math.min((group.at(-1)?.end ?? 0) + CONTEXT_LINES, from.length);
  const size = end - start;
  let text = `@@ -${rangeText(start, size)} +${rangeText(start + shift, size + grownBy(group))} @@\n`;
  let at = start;
  for (const hunk of group) {
    text += marked(" ", from.slice(at, hunk.start)) + marked("-", from.slice(hunk.start, hunk.end));
    text += marked("+", hunk.lines);
    at = hunk.end;
  }
  return text + marked(" ", from.slice(at, end));
}

function grownBy(group: readonly Hunk[]): number {
  return group.reduce((sum, { start, end, lines }) => sum + lines.length - (end - start), 0);
}

function rangeText(start: number, size: number): string {
  return `${size === 0 ? start : start + 1},${size}`;
}

function marked(mark: string, lines: readonly string[]): string {
  return lines
    .map((line) => (line.endsWith("\n") ? `${mark}${line}` : `${mark}${line}\n\\ No newline at end of file\n`))
    .join("");
}
