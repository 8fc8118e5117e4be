import { hasRetryBait } from "../wire/retryBait.ts";

/** How a refusal speaks of a key: by its label, unless that is one that agents misread (`team-500`). */
export function spokenKey(label: string): string {
  return hasRetryBait(label) ? "This key" : `The key '${label}'`;
}
