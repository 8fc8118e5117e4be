import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { takeControlLock } from "../../src/node/controlLock.ts";
import { DatabaseError } from "../../src/node/sqlite.ts";
import { withFolder } from "../ledger/temporaryLedger.ts";

describe("the lock of a data directory", () => {
  it("has one holder, and the next once it is released", () => {
    withFolder((folder) => {
      const lock = takeControlLock(folder);
      assert.ok(lock !== undefined);
      assert.equal(takeControlLock(folder), undefined);
      assert.equal(takeControlLock(folder), undefined);
      lock.release();
      lock.release();
      const next = takeControlLock(folder);
      assert.ok(next !== undefined);
      lock.release();
      assert.equal(takeControlLock(folder), undefined);
      next.release();
    });
  });

  it("holds although nothing refers to it any more", () => {
    withFolder((folder) => {
      setFlagsFromString("--expose-gc");
      const collect = runInNewContext("gc") as () => void;
      assert.ok(takeControlLock(folder) !== undefined);
      collect();
      assert.equal(takeControlLock(folder), undefined);
    });
  });

  it("is an empty file of its owner alone, without companions", function () {
    if (process.platform === "win32") this.skip();
    withFolder((folder) => {
      const lock = takeControlLock(folder);
      assert.deepEqual(readdirSync(folder), ["patchbay.lock"]);
      const { size, mode } = statSync(join(folder, "patchbay.lock"));
      assert.deepEqual([size, mode & 0o777], [0, 0o600]);
      lock?.release();
      assert.ok(existsSync(join(folder, "patchbay.lock")));
    });
  });

  it("cannot be had in a folder that does not exist, and says so", () => {
    withFolder((folder) => {
      assert.throws(() => takeControlLock(join(folder, "nowhere")), DatabaseError);
    });
  });
});
