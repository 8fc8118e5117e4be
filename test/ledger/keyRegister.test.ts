import assert from "node:assert/strict";
import { join } from "node:path";

import * as fc from "fast-check";

import { createKeyRegister } from "../../src/ledger/keyRegister.ts";
import { addKey, keysVersion, revokeKey } from "../../src/ledger/keyTable.ts";
import { stateOf } from "../../src/ledger/managedKey.ts";
import type { ManagedKey } from "../../src/ledger/managedKey.ts";
import { openSqlite } from "../../src/node/sqlite.ts";
import { digestOf, draft, identity } from "./keyRig.ts";
import { DAY, HOUR, withFolder, withLedger } from "./temporaryLedger.ts";
import { migrate } from "../../src/ledger/schema.ts";

describe("the register of keys", () => {
  it("finds a key by its secret's digest, in whatever state it is, and nothing by another", () => {
    withLedger((sql) => {
      const register = createKeyRegister(sql);
      const key = register.add(draft({ expiresAt: DAY + HOUR }), identity("one"), DAY);
      assert.deepEqual(register.find(digestOf("one"), DAY), { key, state: "active" });
      assert.deepEqual(register.find(digestOf("one"), DAY + HOUR), { key, state: "expired" });
      assert.equal(register.find(digestOf("two"), DAY), undefined);
      register.revoke(key.id, DAY);
      assert.equal(register.find(digestOf("one"), DAY)?.state, "revoked");
      assert.deepEqual(register.byId(key.id), { ...key, revokedAt: DAY });
    });
  });

  it("accepts the old secret up to the end of its grace", () => {
    withLedger((sql) => {
      const register = createKeyRegister(sql);
      const { id } = register.add(draft(), identity("one"), DAY);
      const key = register.rotate(id, digestOf("two"), DAY, HOUR);
      assert.deepEqual(register.find(digestOf("one"), DAY + HOUR - 1), { key, state: "active" });
      assert.equal(register.find(digestOf("one"), DAY + HOUR), undefined);
      assert.deepEqual(register.find(digestOf("two"), DAY + HOUR), { key, state: "active" });
      register.rotate(id, digestOf("three"), DAY, 0);
      assert.equal(register.find(digestOf("one"), DAY), undefined);
      assert.equal(register.find(digestOf("two"), DAY), undefined);
    });
  });

  it("tells its listeners of a revocation before the call returns, with what the key was before", () => {
    withLedger((sql) => {
      const register = createKeyRegister(sql);
      const key = register.add(draft(), identity("one"), DAY);
      const heard: [ManagedKey, ManagedKey | undefined][] = [];
      const stop = register.onChanged((...change) => void heard.push(change));
      const revoked = register.revoke(key.id, DAY + 1);
      assert.deepEqual(heard, [[revoked, key]]);
      stop();
      register.add(draft(), identity("two"), DAY);
      assert.equal(heard.length, 1);
      assert.equal(register.refreshIfChanged(keysVersion(sql)), false);
    });
  });

  it("notices what another process has changed, and tells of that and of nothing else", () => {
    withFolder((folder) => {
      const sql = openSqlite(join(folder, "ledger.db"), "write");
      const other = openSqlite(join(folder, "ledger.db"), "write");
      migrate(sql);
      const register = createKeyRegister(sql);
      const first = register.add(draft({ label: "first" }), identity("one"), DAY);
      register.add(draft({ label: "second" }), identity("two"), DAY);
      const heard: string[] = [];
      register.onChanged((key, before) => void heard.push(`${before?.label} ${key.label} ${stateOf(key, DAY)}`));
      assert.equal(register.refreshIfChanged(keysVersion(sql)), false);
      revokeKey(other, first.id, DAY);
      addKey(other, draft({ label: "third" }), identity("three"), DAY);
      assert.equal(register.refreshIfChanged(keysVersion(sql)), true);
      assert.deepEqual(heard.toSorted(), ["first first revoked", "undefined third active"]);
      assert.equal(register.find(digestOf("one"), DAY)?.state, "revoked");
      assert.equal(register.find(digestOf("three"), DAY)?.state, "active");
      assert.equal(register.refreshIfChanged(keysVersion(sql)), false);
      other.close();
      sql.close();
    });
  });

  it("takes in another process's change together with its own", () => {
    withFolder((folder) => {
      const sql = openSqlite(join(folder, "ledger.db"), "write");
      const other = openSqlite(join(folder, "ledger.db"), "write");
      migrate(sql);
      const register = createKeyRegister(sql);
      const first = register.add(draft(), identity("one"), DAY);
      const heard: string[] = [];
      register.onChanged((key) => void heard.push(key.id));
      revokeKey(other, first.id, DAY);
      const second = register.add(draft(), identity("two"), DAY);
      assert.deepEqual(heard.toSorted(), [first.id, second.id].toSorted());
      assert.equal(register.find(digestOf("one"), DAY)?.state, "revoked");
      assert.equal(register.refreshIfChanged(keysVersion(sql)), false);
      other.close();
      sql.close();
    });
  });

  it("says the same as one that is loaded anew, after any changes", () => {
    const step = fc.record({
      kind: fc.constantFrom("add", "revoke", "rotate", "update"),
      which: fc.nat(5),
      grace: fc.constantFrom(0, HOUR),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25, size: "max" }), (steps) =>
        withLedger((sql) => {
          const register = createKeyRegister(sql);
          let secrets = 0;
          for (const { kind, which, grace } of steps) {
            const key = register.list()[which];
            const secret = `secret-${secrets}`;
            secrets += 1;
            if (kind === "add" || key === undefined) register.add(draft(), identity(secret), DAY + secrets);
            else if (kind === "revoke") register.revoke(key.id, DAY);
            else if (key.revokedAt !== null) continue;
            else if (kind === "rotate") register.rotate(key.id, digestOf(secret), DAY, grace);
            else register.update(key.id, { label: secret });
          }
          const fresh = createKeyRegister(sql);
          assert.deepEqual(register.list(), fresh.list());
          for (let number = 0; number < secrets; number += 1) {
            const digest = digestOf(`secret-${number}`);
            for (const now of [DAY, DAY + HOUR]) assert.deepEqual(register.find(digest, now), fresh.find(digest, now));
          }
        }),
      ),
      { numRuns: 25 },
    );
  });
});
