import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../src/clients/configFile.ts";
import { newFolder } from "../cli/serveProcess.ts";
import { Opened, within } from "../node/relayRig.ts";

describe("A folder that a client's file needs", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("is made with those around it, the outermost of which is told", async () => {
    const root = newFolder(opened);
    assert.equal(await makeFolder(join(root, "a", "b")), join(root, "a"));
    assert.equal(await makeFolder(join(root, "a", "b")), undefined);
    assert.equal(await makeFolder(join(root, "a", "c", "d")), join(root, "a", "c"));
  });

  it("is made once where several want it at the same moment", async () => {
    const wanted = join(newFolder(opened), "a", "b", "c");
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(wanted)));
    assert.ok(existsSync(wanted));
  });

  it("is refused where nothing can be made, at once", async function () {
    if (process.platform !== "linux") this.skip();
    await assert.rejects(within(makeFolder("/proc/nothing/here"), "the refusal"), /cannot be made \(ENOENT\)/);
  });
});
