const BYTES_PER_TOKEN = 4;
const LONGEST_PIECE = 12;
const encoder = new TextEncoder();

/**
 * Input tokens of the sandbox's rule: one per 4 UTF-8 bytes of all the strings in the given values, added up and rounded up.
 * Data URLs are not text and count nothing.
 */
export function countInputTokens(values: readonly unknown[]): number {
  return Math.ceil(textBytes(values) / BYTES_PER_TOKEN);
}

/**
 * Output tokens of the sandbox's rule: each word with the white space before it is one, a word longer than 12 characters one per
 * 12. What is streamed is one of these at a time.
 */
export function* tokensOf(text: string): Generator<string> {
  for (const match of text.matchAll(/\s*\S+|\s+/gu)) {
    if (match[0].length <= LONGEST_PIECE) yield match[0];
    // By code points, so that no surrogate pair is torn apart.
    else for (const piece of match[0].matchAll(/[^]{1,12}/gu)) yield piece[0];
  }
}

/** How many there are, counted no further than the limit. */
export function countUpTo(tokens: Iterable<string>, limit: number): number {
  let count = 0;
  for (const _token of tokens) {
    if (count >= limit) break;
    count += 1;
  }
  return count;
}

function textBytes(value: unknown): number {
  if (typeof value === "string") return value.startsWith("data:") ? 0 : encoder.encode(value).length;
  if (typeof value !== "object" || value === null) return 0;
  let bytes = 0;
  for (const part of Object.values(value)) bytes += textBytes(part);
  return bytes;
}
