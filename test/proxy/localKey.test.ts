import assert from "node:assert/strict";
import { createKeyRegister } from "../../src/ledger/keyRegister.ts";
import type { Exchange } from "../../src/proxy/exchange.ts";
import { createKeyRing, type KeyRing, presentedKey, unlimitedKey, usableKey } from "../../src/proxy/localKey.ts";
import { ApiError } from "../../src/wire/errors.ts";
import { digestOf, draft, identity } from "../ledger/keyRig.ts";
import { DAY, HOUR, withLedger } from "../ledger/temporaryLedger.ts";

describe("a managed key", () => {
  const HEADERS = ["authorization", "x-api-key", "x-daemon-token"] as const;

  function exchange(headers: Record<string, string>): Exchange {
    return { header: (name: string) => headers[name] } as unknown as Exchange;
  }

  function codeOf(ring: KeyRing, headers: Record<string, string>, pathKey?: string): string {
    try {
      return usableKey(presentedKey(exchange(headers), pathKey, ring, false)).label;
    } catch (error) {
      assert.ok(error instanceof ApiError);
      return error.code;
    }
  }

  it("is taken from each of its places, until it expires to the millisecond", () => {
    withLedger((sql) => {
      let now = DAY;
      const register = createKeyRegister(sql);
      const ring = createKeyRing({ digest: digestOf, now: () => now, managed: register });
      register.add(draft({ label: "laptop", expiresAt: DAY + 1_000 }), identity("pb_one"), DAY);
      for (const header of HEADERS) {
        assert.equal(codeOf(ring, { [header]: header === "authorization" ? "bearer pb_one" : "pb_one" }), "laptop");
      }
      assert.equal(codeOf(ring, {}, "pb_one"), "laptop");
      assert.equal(codeOf(ring, { "x-api-key": "pb_two" }), "invalid_api_key");
      assert.equal(codeOf(ring, {}), "invalid_api_key");
      now = DAY + 999;
      assert.equal(codeOf(ring, { "x-api-key": "pb_one" }), "laptop");
      now = DAY + 1_000;
      assert.equal(codeOf(ring, { "x-api-key": "pb_one" }), "key_expired");
    });
  });

  it("is refused from the moment in which it is revoked, expired or not", () => {
    withLedger((sql) => {
      const register = createKeyRegister(sql);
      const ring = createKeyRing({ digest: digestOf, now: () => DAY + 5, managed: register });
      const { id } = register.add(draft({ expiresAt: DAY + 1 }), identity("pb_one"), DAY);
      assert.equal(codeOf(ring, { "x-api-key": "pb_one" }), "key_expired");
      register.revoke(id, DAY + 2);
      assert.equal(codeOf(ring, { "x-api-key": "pb_one" }), "invalid_api_key");
    });
  });

  it("keeps its identity when it is rotated, and its old secret for the grace alone", () => {
    withLedger((sql) => {
      let now = DAY;
      const register = createKeyRegister(sql);
      const ring = createKeyRing({ digest: digestOf, now: () => now, managed: register });
      const { id } = register.add(draft({ label: "laptop" }), identity("pb_one"), DAY);
      register.rotate(id, digestOf("pb_two"), now, HOUR);
      assert.deepEqual([ring.find("pb_one")?.key.id, ring.find("pb_two")?.key.id], [id, id]);
      now = DAY + HOUR - 1;
      assert.equal(codeOf(ring, { "x-api-key": "pb_one" }), "laptop");
      now = DAY + HOUR;
      assert.equal(codeOf(ring, { "x-api-key": "pb_one" }), "invalid_api_key");
      assert.equal(codeOf(ring, { "x-api-key": "pb_two" }), "laptop");
      register.rotate(id, digestOf("pb_three"), now, 0);
      assert.equal(codeOf(ring, { "x-api-key": "pb_two" }), "invalid_api_key");
    });
  });

  it("has new limits at once where they were changed", () => {
    withLedger((sql) => {
      const register = createKeyRegister(sql);
      const ring = createKeyRing({ digest: digestOf, now: () => DAY, managed: register });
      const { id } = register.add(draft({ ratePerMinute: 60 }), identity("pb_one"), DAY);
      assert.deepEqual(ring.find("pb_one")?.key.rate, { perMinute: 60, burst: 10 });
      assert.equal(ring.find("pb_one")?.key, ring.find("pb_one")?.key, "made once");
      register.update(id, { ratePerMinute: 5, quotaTokens: 9, isCredit: true });
      const { rate, quotaTokens, isCredit } = ring.find("pb_one")?.key ?? unlimitedKey("", "");
      assert.deepEqual([rate?.perMinute, quotaTokens, isCredit], [5, 9, true]);
    });
  });

  it("stands beside the fixed key, and what does not begin like a key of ours is never looked up", () => {
    const looked: string[] = [];
    let digests = 0;
    const register = { find: (digest: string) => void looked.push(digest), byId: () => undefined };
    const digest = (text: string): string => {
      digests += 1;
      return digestOf(text);
    };
    const fixed = { key: unlimitedKey("fixed", "fixed"), secret: "sk-anything" };
    const ring = createKeyRing({ digest, now: () => DAY, managed: register, fixed });
    digests = 0;
    assert.equal(ring.find("sk-anything")?.key.id, "fixed");
    assert.equal(ring.find("sk-other"), undefined);
    assert.deepEqual(looked, []);
    digests = 0;
    assert.equal(ring.find("pb_other"), undefined);
    assert.deepEqual(looked, [digestOf("pb_other")]);
    assert.equal(digests, 1, "one digest serves both");
    digests = 0;
    assert.equal(createKeyRing({ digest, now: () => DAY, managed: register }).find("sk-other"), undefined);
    assert.equal(digests, 0);
  });
});
