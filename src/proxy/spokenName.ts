/**
 * What opencode takes for a reason to ask again, wherever it stands in the text of a refusal (measured with 1.18): it would repeat a
 * refused request five times over a minute and show nothing.
 */
const RETRY_BAIT =
  /429|50[0-4]|524|try again|rate.?limit|too many requests|overloaded|unavailable|exhausted|time.?out/i;

/** How a refusal speaks of a key: by its label, unless that is one that agents misread (`team-500`). */
export function spokenKey(label: string): string {
  return RETRY_BAIT.test(label) ? "This key" : `The key '${label}'`;
}

/** A text of the user's for a refusal, or the words in its place where agents would misread it. */
export function spoken(text: string, otherwise: string): string {
  return RETRY_BAIT.test(text) ? otherwise : text;
}
