import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectControl } from "../../src/node/controlClient.ts";
import { controlPathOf, lookUpControlPath } from "../../src/node/controlPlace.ts";
import { type WindowClient, windowClient } from "../../src/node/windowClient.ts";
import { startWindowProcess } from "../../src/node/windowProcess.ts";
import { Opened } from "./relayRig.ts";

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

describe("the rows over the control socket", () => {
  const opened = new Opened();
  let extended: WindowClient;
  let directory = "";

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "patchbay-"));
    opened.add(() => rmSync(directory, { recursive: true, force: true }));
    const start = { dataDirectory: directory, port: 0, sandbox: true, exitWhenIdleMs: 60_000 };
    const running = await startWindowProcess({ ...start, retentionDays: 0, logRequests: false }, {}, QUIET);
    opened.add(() => running.stop(0));
    const client = await connectControl(controlPathOf(directory, process.env));
    assert.ok(client !== undefined);
    extended = windowClient(client);
    const { key } = await client.addKey({ label: "test" });
    for (const prompt of ["one", "[[status:500]]", "two", "[[status:429]]", "three"]) {
      const answer = await fetch(`http://${running.host}:${running.port}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "gpt-5.5", messages: [{ role: "user", content: prompt }] }),
      });
      await answer.text();
    }
  });
  after(() => opened.closeAll());

  it("come newest first, in pages that leave nothing out", async () => {
    const first = await extended.rows({ limit: 3 });
    assert.equal(first?.rows.length, 3);
    const second = await extended.rows({ limit: 3, before: first?.next ?? 0 });
    assert.deepEqual([second?.rows.length, second?.next], [2, null]);
    const ids = [...(first?.rows ?? []), ...(second?.rows ?? [])].map(({ id }) => id);
    assert.equal(new Set(ids).size, 5);
  });

  it("are only those that failed, where that is asked for", async () => {
    const page = await extended.rows({ errors: 1 });
    assert.deepEqual(
      page?.rows.map(({ status }) => status),
      [429, 500],
    );
  });

  it("refuse a question that makes no sense", async () => {
    await assert.rejects(extended.rows({ limit: -1 }), /`limit` is a whole number/);
  });

  it("are found at the place that is looked up without holding up the host", async () => {
    assert.equal(await lookUpControlPath(directory, process.env), controlPathOf(directory, process.env));
    const nowhere = join(directory, "nowhere");
    assert.equal(await lookUpControlPath(nowhere, {}), controlPathOf(nowhere, {}));
  });
});
