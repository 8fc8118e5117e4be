/** Whether a version is older than another, by its three numbers; what is no version is never older. */
export function isOlderVersion(one: string, other: string): boolean {
  const [first, second] = [numbersOf(one), numbersOf(other)];
  if (first === undefined || second === undefined) return false;
  const at = first.findIndex((number, index) => number !== second[index]);
  return at !== -1 && (first[at] ?? 0) < (second[at] ?? 0);
}

function numbersOf(version: string): readonly number[] | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  return match?.slice(1).map(Number);
}
