/** The reasoning efforts that are known on the wire, from least to most. Each of them also works as a suffix of a model's name. */
const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

/** An effort that is known on the wire. */
export type Effort = (typeof EFFORTS)[number];

/** A model's name in two parts. */
export interface SplitName {
  readonly base: string;
  readonly effort: Effort | undefined;
}

/** Takes an effort suffix (`-high`) off a name, unless the name `isWhole` as it stands (`gpt-5.1-codex-max`). */
export function splitEffort(name: string, isWhole: (name: string) => boolean): SplitName {
  const dash = name.lastIndexOf("-");
  const effort = name.slice(dash + 1);
  return dash > 0 && isEffort(effort) && !isWhole(name)
    ? { base: name.slice(0, dash), effort }
    : { base: name, effort: undefined };
}

/**
 * The efforts of a catalogue as they may go upstream. `ultra` is a mode of Codex CLI, which never sends it: it stands for the
 * highest effort there is.
 */
export function wireEfforts(listed: readonly string[]): readonly string[] {
  return [...new Set(listed.map(withoutUltra))];
}

/**
 * The allowed effort that is nearest to the one asked for, the lower one of two. An effort that is not known here goes up as
 * it was written, for the upstream to judge. Undefined where the model allows none at all.
 */
export function nearestEffort(asked: string, allowed: readonly string[]): string | undefined {
  const effort = withoutUltra(asked);
  if (allowed.length === 0) return undefined;
  if (!isEffort(effort) || allowed.includes(effort)) return effort;
  const rank = EFFORTS.indexOf(effort);
  const known = EFFORTS.filter((one) => allowed.includes(one));
  // `EFFORTS` ascends and the sort is stable, so that of two at the same distance the lower one comes first.
  const [nearest] = known.toSorted((one, other) => distance(one, rank) - distance(other, rank));
  return nearest ?? effort;
}

function distance(effort: Effort, rank: number): number {
  return Math.abs(EFFORTS.indexOf(effort) - rank);
}

function isEffort(word: string): word is Effort {
  return (EFFORTS as readonly string[]).includes(word);
}

function withoutUltra(effort: string): string {
  return effort === "ultra" ? "max" : effort;
}
