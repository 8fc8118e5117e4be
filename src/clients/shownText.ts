/** A text of a client's file as it is shown: keys are none of a screen's business. */
export function withoutKeys(text: string): string {
  return text.replaceAll(/pb_[A-Za-z0-9_-]+/g, "pb_***");
}
