/** A stretch of lines that another text has instead; `start` to `end` are indexes of lines, `end` excluded. */
export interface Hunk {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/** Beyond so many changed lines the texts have nothing in common that is worth the search. */
const MOST_CHANGES = 800;

/** The lines of a text with their endings; together they are the text. */
export function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** What must be replaced in `from` to get `to`, in order: the shortest way, after Myers ("An O(ND) difference algorithm", 1986). */
export function diffLines(from: readonly string[], to: readonly string[]): readonly Hunk[] {
  let head = 0;
  while (head < from.length && head < to.length && from[head] === to[head]) head += 1;
  let tail = 0;
  const most = Math.min(from.length, to.length) - head;
  while (tail < most && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail += 1;
  const left = from.slice(head, from.length - tail);
  const right = to.slice(head, to.length - tail);
  return hunksOf(left, right, matches(left, right)).map(({ start, end, lines }) => ({
    start: start + head,
    end: end + head,
    lines,
  }));
}

/** Pairs of indexes of equal lines, ascending. */
function matches(left: readonly string[], right: readonly string[]): readonly (readonly [number, number])[] {
  const limit = Math.min(left.length + right.length, MOST_CHANGES);
  const trace: Map<number, number>[] = [];
  let reach = new Map<number, number>([[1, 0]]);
  for (let changes = 0; changes <= limit; changes += 1) {
    trace.push(reach);
    const next = new Map<number, number>();
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      let at = startOn(reach, diagonal, changes);
      while (at < left.length && at - diagonal < right.length && left[at] === right[at - diagonal]) at += 1;
      next.set(diagonal, at);
      if (at >= left.length && at - diagonal >= right.length) return walkBack(trace, left, right);
    }
    reach = next;
  }
  return [];
}

function startOn(reach: ReadonlyMap<number, number>, diagonal: number, changes: number): number {
  const below = reach.get(diagonal - 1) ?? -1;
  const above = reach.get(diagonal + 1) ?? -1;
  return diagonal === -changes || (diagonal !== changes && below < above) ? above : below + 1;
}

function walkBack(
  trace: readonly ReadonlyMap<number, number>[],
  left: readonly string[],
  right: readonly string[],
): readonly (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  let at = left.length;
  let other = right.length;
  for (let changes = trace.length - 1; changes >= 0; changes -= 1) {
    const reach = trace[changes] ?? new Map<number, number>();
    const diagonal = at - other;
    const below = reach.get(diagonal - 1) ?? -1;
    const above = reach.get(diagonal + 1) ?? -1;
    const before = diagonal === -changes || (diagonal !== changes && below < above) ? diagonal + 1 : diagonal - 1;
    const from = changes === 0 ? 0 : (reach.get(before) ?? 0);
    const fromOther = changes === 0 ? 0 : from - before;
    while (at > from && other > fromOther && left[at - 1] === right[other - 1]) {
      at -= 1;
      other -= 1;
      pairs.push([at, other]);
    }
    at = from;
    other = fromOther;
  }
  return pairs.toReversed();
}

function hunksOf(
  left: readonly string[],
  right: readonly string[],
  pairs: readonly (readonly [number, number])[],
): readonly Hunk[] {
  const hunks: Hunk[] = [];
  let start = 0;
  let otherStart = 0;
  for (const [end, otherEnd] of [...pairs, [left.length, right.length] as const]) {
    if (end > start || otherEnd > otherStart) hunks.push({ start, end, lines: right.slice(otherStart, otherEnd) });
    start = end + 1;
    otherStart = otherEnd + 1;
  }
  return hunks;
}
