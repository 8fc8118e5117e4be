/**
 * What opencode takes for a reason to ask again, wherever it stands in an error's body, whatever its status (from its program, 1.18): it
 * would repeat a refused request five times over a minute and show nothing. Wider than its own patterns where that costs nothing.
 */
const RETRY_BAIT = new RegExp(
  [
    "429|50[0-4]|524",
    "rate.?limit|rate increased too quickly|too.many.requests",
    "overloaded|unavailable|exhausted|at capacity",
    "(?:internal|server|network|connection).error|internal server|provider.returned.error",
    "terminated|fetch failed|failed to fetch|upstream connect|connection (?:refused|lost|was closed)",
    "socket hang up|reset before headers|getaddrinfo|enotfound|eai_again|econnre(?:fused|set)|etimedout",
    "time.?out|timed out",
    "try again|re-?try (?:your|the) request|try your request",
  ].join("|"),
  "i",
);

/** Whether an agent would repeat a request that is refused with this text in its answer. */
export function hasRetryBait(text: string): boolean {
  return RETRY_BAIT.test(text);
}

/** A text of somebody else's for a sentence of ours, or the words in its place where agents would misread it. */
export function spoken(text: string, otherwise: string): string {
  return hasRetryBait(text) ? otherwise : text;
}
