import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openProcessLog } from "../../src/node/processLog.ts";

describe("the log of the detached process", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "patchbay-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("goes on where the last process ended, for its owner alone", () => {
    openProcessLog(folder)("one\n");
    openProcessLog(folder)("two\n");
    assert.equal(readFileSync(join(folder, "process.log"), "utf8"), "one\ntwo\n");
    assert.equal(statSync(join(folder, "process.log")).mode & 0o777, 0o600);
  });

  it("never takes more room than two files of its size", () => {
    const write = openProcessLog(folder, 100);
    for (let line = 0; line < 100; line += 1) write(`line ${line}\n`);
    assert.deepEqual(readdirSync(folder).sort(), ["process.log", "process.log.1"]);
    for (const name of readdirSync(folder)) assert.ok(statSync(join(folder, name)).size <= 100);
    assert.match(readFileSync(join(folder, "process.log"), "utf8"), /line 99\n$/);
  });

  it("loses lines, and nothing else, where the disk takes none", () => {
    const write = openProcessLog(join(folder, "missing"));
    assert.doesNotThrow(() => write("one\n"));
  });
});
