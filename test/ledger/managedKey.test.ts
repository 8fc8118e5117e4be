import assert from "node:assert/strict";

import { checkDraft, KeyMistake, stateOf } from "../../src/ledger/managedKey.ts";
import type { KeyDraft, ManagedKey } from "../../src/ledger/managedKey.ts";
import { draft } from "./keyRig.ts";

const KEY: ManagedKey = { ...draft(), id: "key_a", createdAt: 0, revokedAt: null, previousUntil: null };

describe("a key's state", () => {
  it("is active until the moment it expires at", () => {
    const key = { ...KEY, expiresAt: 1_000 };
    assert.equal(stateOf(key, 999), "active");
    assert.equal(stateOf(key, 1_000), "expired");
    assert.equal(stateOf(KEY, Number.MAX_SAFE_INTEGER), "active");
  });

  it("is revoked whatever the clock says", () => {
    assert.equal(stateOf({ ...KEY, expiresAt: 10, revokedAt: 5 }, 0), "revoked");
    assert.equal(stateOf({ ...KEY, expiresAt: 10, revokedAt: 5 }, 20), "revoked");
  });
});

describe("a draft of a key", () => {
  it("is accepted with all bounds and with none", () => {
    checkDraft(draft());
    checkDraft(
      draft({ ratePerMinute: 0.5, burst: 1, quotaTokens: 1, quotaWindow: "5h", models: ["gpt-*"], maxConcurrent: 1 }),
    );
  });

  const refused: readonly Partial<KeyDraft>[] = [
    { label: "" },
    { label: "  " },
    { label: "red \u001b[31m" },
    { label: "turned \u202e round" },
    { label: "x".repeat(101) },
    { expiresAt: 1.5 },
    { ratePerMinute: 0 },
    { ratePerMinute: Number.POSITIVE_INFINITY },
    { burst: 0 },
    { burst: 1.5 },
    { quotaTokens: 0 },
    { quotaTokens: -1 },
    { quotaWindow: "year" as "life" },
    { models: [] },
    { models: ["gpt-5.5", " "] },
    { maxConcurrent: 0 },
  ];
  for (const changes of refused) {
    it(`is refused with ${JSON.stringify(changes).slice(0, 60)}`, () => {
      assert.throws(
        () => checkDraft(draft(changes)),
        (error) => error instanceof KeyMistake && error.kind === "malformed" && /^A .*\.$/.test(error.message),
      );
    });
  }
});
