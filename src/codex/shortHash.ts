const FNV_PRIME = 0x01000193;
const FNV_OFFSET = 0x811c9dc5;
/** Digits that 32 bits take in base 36. */
const HALF_DIGITS = 7;

/** Characters of every short hash. */
export const SHORT_HASH_LENGTH = 2 * HALF_DIGITS;

/**
 * 64 bits that stand for a text, in 14 characters of `0-9a-z`, the same in every process and version: FNV-1a once forwards and once
 * backwards. It tells texts apart; it does not keep anything secret.
 */
export function shortHash(text: string): string {
  let forwards = FNV_OFFSET;
  let backwards = FNV_OFFSET;
  for (let index = 0; index < text.length; index += 1) {
    forwards = Math.imul(forwards ^ text.charCodeAt(index), FNV_PRIME);
    backwards = Math.imul(backwards ^ text.charCodeAt(text.length - 1 - index), FNV_PRIME);
  }
  return digits(forwards) + digits(backwards);
}

function digits(half: number): string {
  return (half >>> 0).toString(36).padStart(HALF_DIGITS, "0");
}
