import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { rowJson } from "../../src/ledger/usageJson.ts";
import { openStatsMirror } from "../../src/node/statsMirror.ts";
import { listeningLog, row, withFolder } from "../ledger/temporaryLedger.ts";

function ids(path: string): string[] {
  return readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id: string }).id);
}

describe("the stats mirror", () => {
  it("holds one JSON line for each row, in order, for its owner alone", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "stats.jsonl");
      const mirror = openStatsMirror(path, listeningLog());
      const names = Array.from({ length: 500 }, (_, index) => `request-${index}`);
      for (const id of names) mirror.write(row({ id }));
      await mirror.close();
      assert.deepEqual(ids(path), names);
      assert.deepEqual(JSON.parse(readFileSync(path, "utf8").split("\n")[0]!), rowJson(row({ id: "request-0" })));
      if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600);
    });
  });

  it("appends to what is there", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "stats.jsonl");
      for (const id of ["1", "2"]) {
        const mirror = openStatsMirror(path, listeningLog());
        mirror.write(row({ id }));
        await mirror.close();
      }
      assert.deepEqual(ids(path), ["1", "2"]);
    });
  });

  it("goes on in a new file when its file was removed", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "stats.jsonl");
      const mirror = openStatsMirror(path, listeningLog());
      mirror.write(row({ id: "1" }));
      await mirror.close();
      rmSync(path);
      mirror.write(row({ id: "2" }));
      await mirror.close();
      assert.deepEqual(ids(path), ["2"]);
    });
  });

  it("says once that it cannot write, and catches up when it can", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "missing", "stats.jsonl");
      const log = listeningLog();
      const mirror = openStatsMirror(path, log);
      mirror.write(row({ id: "1" }));
      await mirror.close();
      mirror.write(row({ id: "2" }));
      await mirror.close();
      assert.equal(log.lines.length, 1);
      assert.match(log.lines[0]!, /^error .*--stats-path/);
      mkdirSync(join(folder, "missing"));
      mirror.write(row({ id: "3" }));
      await mirror.close();
      assert.deepEqual(ids(path), ["1", "2", "3"]);
    });
  });
});
