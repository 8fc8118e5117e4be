import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import {
  addKey,
  findKey,
  keysVersion,
  listKeys,
  loadKeys,
  revokeKey,
  rotateKey,
  updateKey,
} from "../../src/ledger/keyTable.ts";
import { KeyMistake } from "../../src/ledger/managedKey.ts";
import type { KeyMistakeKind } from "../../src/ledger/managedKey.ts";
import { migrate } from "../../src/ledger/schema.ts";
import { openSqlite } from "../../src/node/sqlite.ts";
import { digestOf, draft, identity } from "./keyRig.ts";
import { DAY, HOUR, withFolder, withLedger } from "./temporaryLedger.ts";

function mistake(kind: KeyMistakeKind, ...words: readonly string[]): (error: unknown) => boolean {
  return (error) =>
    error instanceof KeyMistake && error.kind === kind && words.every((word) => error.message.includes(word));
}

describe("the table of keys", () => {
  it("gives back a key as it was added, with all bounds and with none", () => {
    withLedger((sql) => {
      const bounds = draft({
        label: `Ünïcode ☂ 👩 "key" \\`,
        expiresAt: DAY + HOUR,
        ratePerMinute: 1_000 / 60,
        burst: 3,
        quotaTokens: 1_000,
        quotaWindow: "5h",
        models: ["gpt-*", "openai/*"],
        maxConcurrent: 2,
        isCredit: true,
      });
      const unbounded = addKey(sql, draft(), identity("one", "key_aaaaaaaaaaaa"), DAY);
      const bounded = addKey(sql, bounds, identity("two", "key_bbbbbbbbbbbb"), DAY + 1);
      const stamps = { revokedAt: null, previousUntil: null };
      assert.deepEqual(unbounded, { ...draft(), ...stamps, id: "key_aaaaaaaaaaaa", createdAt: DAY });
      assert.deepEqual(bounded, { ...bounds, ...stamps, id: "key_bbbbbbbbbbbb", createdAt: DAY + 1 });
      assert.deepEqual(listKeys(sql), [unbounded, bounded]);
    });
  });

  it("lists thousands of keys, the oldest first", () => {
    withLedger((sql) => {
      sql.run(
        `INSERT INTO managed_key (id, label, digest, created_at, burst, quota_window, is_credit)
         SELECT 'key_' || value, 'many', randomblob(32), 5000 - value, 1, 'life', 0 FROM json_each(?)`,
        [JSON.stringify(Array.from({ length: 2500 }, (_, index) => index + 1))],
      );
      const times = listKeys(sql).map(({ createdAt }) => createdAt);
      assert.deepEqual(
        times,
        Array.from({ length: 2500 }, (_, index) => 2500 + index),
      );
    });
  });

  it("refuses a secret that another key has", () => {
    withLedger((sql) => {
      addKey(sql, draft(), identity("one"), DAY);
      assert.throws(() => addKey(sql, draft(), identity("one"), DAY));
      assert.equal(listKeys(sql).length, 1);
    });
  });

  it("never has a secret in the file, only its digest, and no digest in what it lists", () => {
    withFolder((folder) => {
      const path = join(folder, "ledger.db");
      const sql = openSqlite(path, "write");
      migrate(sql);
      addKey(sql, draft(), identity("pb_the-secret"), DAY);
      const listed = JSON.stringify(listKeys(sql));
      sql.close();
      const file = readFileSync(path);
      assert.ok(!file.includes("pb_the-secret"));
      assert.ok(file.includes(Buffer.from(digestOf("pb_the-secret"), "hex")));
      assert.ok(!listed.includes("digest"));
    });
  });

  it("is the same after the process was killed", () => {
    withFolder((folder) => {
      const killed = openSqlite(join(folder, "ledger.db"), "write");
      migrate(killed);
      const key = addKey(killed, draft(), identity("one"), DAY);
      revokeKey(killed, key.id, DAY + 1);
      const reopened = openSqlite(join(folder, "ledger.db"), "write");
      assert.deepEqual(listKeys(reopened), [{ ...key, revokedAt: DAY + 1 }]);
      reopened.close();
      killed.close();
    });
  });
});

describe("finding a key", () => {
  it("takes the exact id before a label, and a label before the beginning of an id", () => {
    withLedger((sql) => {
      const first = addKey(sql, draft({ label: "one" }), identity("1", "key_abcaaaaaaaaa"), DAY);
      const second = addKey(sql, draft({ label: "key_abcaaaaaaaaa" }), identity("2", "key_abdaaaaaaaaa"), DAY);
      const third = addKey(sql, draft({ label: "key_abd" }), identity("3", "key_zzzaaaaaaaaa"), DAY);
      assert.equal(findKey(sql, "key_abcaaaaaaaaa").id, first.id);
      assert.equal(findKey(sql, "one").id, first.id);
      assert.equal(findKey(sql, "key_abd").id, third.id);
      assert.equal(findKey(sql, "key_abda").id, second.id);
    });
  });

  it("names the candidates where several are meant, and says so where none is", () => {
    withLedger((sql) => {
      addKey(sql, draft({ label: "twin" }), identity("1", "key_abcaaaaaaaaa"), DAY);
      addKey(sql, draft({ label: "twin" }), identity("2", "key_abdaaaaaaaaa"), DAY);
      for (const text of ["twin", "key_ab"]) {
        assert.throws(() => findKey(sql, text), mistake("ambiguous", text, "key_abcaaaaaaaaa", "key_abdaaaaaaaaa"));
      }
      for (const text of ["key_", "key_q", "Twin", ""])
        assert.throws(() => findKey(sql, text), mistake("unknown", text));
    });
  });

  it("prefers the key that is not revoked among those with one label", () => {
    withLedger((sql) => {
      const old = addKey(sql, draft({ label: "agent" }), identity("1"), DAY);
      revokeKey(sql, old.id, DAY + 1);
      assert.equal(findKey(sql, "agent").id, old.id);
      const young = addKey(sql, draft({ label: "agent" }), identity("2"), DAY + 2);
      assert.equal(findKey(sql, "agent").id, young.id);
    });
  });
});

describe("changing a key", () => {
  it("revokes it once and for all: no rotation, no change brings it back", () => {
    withLedger((sql) => {
      const { id } = addKey(sql, draft(), identity("one"), DAY);
      rotateKey(sql, id, digestOf("two"), DAY, HOUR);
      assert.equal(revokeKey(sql, id, DAY + 5).revokedAt, DAY + 5);
      assert.equal(revokeKey(sql, id, DAY + 9).revokedAt, DAY + 5);
      assert.throws(() => rotateKey(sql, id, digestOf("three"), DAY, 0), mistake("revoked", id));
      assert.throws(() => updateKey(sql, id, { label: "again" }), mistake("revoked", id));
      assert.equal(loadKeys(sql).keys[0]?.previousDigest, "");
    });
  });

  it("rotates the secret under the same identity, the old one living on for its grace and no older one", () => {
    withLedger((sql) => {
      const key = addKey(sql, draft(), identity("one"), DAY);
      const rotated = rotateKey(sql, key.id, digestOf("two"), DAY + 1, HOUR);
      assert.deepEqual(rotated, { ...key, previousUntil: DAY + 1 + HOUR });
      assert.deepEqual(loadKeys(sql).keys[0], {
        key: rotated,
        digest: digestOf("two"),
        previousDigest: digestOf("one"),
      });
      rotateKey(sql, key.id, digestOf("three"), DAY + 2, HOUR);
      assert.equal(loadKeys(sql).keys[0]?.previousDigest, digestOf("two"));
      assert.deepEqual(rotateKey(sql, key.id, digestOf("four"), DAY + 3, 0), key);
      assert.equal(loadKeys(sql).keys[0]?.previousDigest, "");
    });
  });

  it("changes what is named and nothing else, and nothing at all where it makes no sense", () => {
    withLedger((sql) => {
      const key = addKey(sql, draft({ ratePerMinute: 60 }), identity("one"), DAY);
      const changed = updateKey(sql, key.id, { label: "new", ratePerMinute: null, models: ["a"] });
      assert.deepEqual(changed, { ...key, label: "new", ratePerMinute: null, models: ["a"] });
      assert.throws(() => updateKey(sql, key.id, { label: "newer", burst: 0 }), mistake("malformed"));
      assert.deepEqual(listKeys(sql), [changed]);
    });
  });

  it("counts the keys' version up, and not where it failed", () => {
    withLedger((sql) => {
      const versions = [keysVersion(sql)];
      const { id } = addKey(sql, draft(), identity("one"), DAY);
      versions.push(keysVersion(sql));
      updateKey(sql, id, { label: "b" });
      versions.push(keysVersion(sql));
      rotateKey(sql, id, digestOf("two"), DAY, 0);
      versions.push(keysVersion(sql));
      assert.throws(() => revokeKey(sql, "key_none", DAY), mistake("unknown", "key_none"));
      revokeKey(sql, id, DAY);
      versions.push(keysVersion(sql));
      assert.deepEqual(versions, [0, 1, 2, 3, 4]);
    });
  });
});
