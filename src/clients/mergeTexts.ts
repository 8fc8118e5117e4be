import { diffLines, type Hunk, linesOf } from "./lineDiff.ts";

/**
 * What `base` becomes when it is changed the way it became `one` and the way it became `other`, at once; undefined where both changed
 * the same lines differently.
 */
export function mergeTexts(base: string, one: string, other: string): string | undefined {
  const lines = linesOf(base);
  const ours = diffLines(lines, linesOf(one));
  const theirs = diffLines(lines, linesOf(other));
  const merged: string[] = [];
  let at = 0;
  let [mine, yours] = [0, 0];
  for (;;) {
    const left = ours[mine];
    const right = theirs[yours];
    if (left === undefined && right === undefined) break;
    if (left !== undefined && right !== undefined && collide(left, right)) return undefined;
    const takesLeft = right === undefined || (left !== undefined && comesFirst(left, right));
    const next = takesLeft ? left : right;
    if (next === undefined) break;
    if (takesLeft) mine += 1;
    else yours += 1;
    merged.push(...lines.slice(at, next.start), ...next.lines);
    at = next.end;
  }
  return [...merged, ...lines.slice(at)].join("");
}

function comesFirst(left: Hunk, right: Hunk): boolean {
  return left.start !== right.start ? left.start < right.start : left.end <= right.end;
}

/** Touching is no collision: lines may be added right before and right after a place that changes. */
function collide(left: Hunk, right: Hunk): boolean {
  const isInside = (inner: Hunk, outer: Hunk): boolean => inner.start > outer.start && inner.start < outer.end;
  if (left.start === left.end || right.start === right.end) return isInside(left, right) || isInside(right, left);
  return left.start < right.end && right.start < left.end;
}
