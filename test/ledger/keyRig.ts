import { createHash, randomBytes } from "node:crypto";

import type { KeyIdentity } from "../../src/ledger/keyTable.ts";
import { newKeyId } from "../../src/ledger/keySecret.ts";
import type { KeyDraft } from "../../src/ledger/managedKey.ts";

/** The SHA-256 of a text. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A key that nothing bounds, but for what is given. */
export function draft(changes: Partial<KeyDraft> = {}): KeyDraft {
  return {
    label: "agent",
    expiresAt: null,
    ratePerMinute: null,
    burst: 10,
    quotaTokens: null,
    quotaWindow: "life",
    models: null,
    maxConcurrent: null,
    isCredit: false,
    ...changes,
  };
}

/** A random id, and the digest of a secret. */
export function identity(secret: string, id = newKeyId(randomBytes)): KeyIdentity {
  return { id, digest: digestOf(secret) };
}
