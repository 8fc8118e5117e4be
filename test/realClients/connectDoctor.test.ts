import assert from "node:assert/strict";
import { CLIENT_TABLE } from "../../src/clients/clientTable.ts";
import type { Finding } from "../../src/clients/finding.ts";
import { Opened } from "../node/relayRig.ts";
import { openConnectRig } from "./connectRig.ts";
import { startPatchbay } from "./patchbay.ts";

describe("patchbay doctor at a running proxy", function () {
  this.timeout(20_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("has a request answered through the settings of every connected client", async () => {
    const patchbay = await startPatchbay(opened, { signedIn: true });
    const rig = await openConnectRig(opened, patchbay);
    const clients = CLIENT_TABLE.map(({ id }) => id);
    for (const client of clients) await rig.connect(client);
    const found = JSON.parse(await rig.doctor("--json")) as readonly Finding[];
    assert.deepEqual(
      found.filter(({ level }) => level !== "ok"),
      [],
    );
    const answered = found.filter(({ what }) => /^A request to .* was answered\.$/.test(what));
    assert.deepEqual(new Set(answered.map(({ subject }) => subject)), new Set(clients));
    const rows = await patchbay.rowsWhen(clients.length);
    assert(rows.every((row) => row.ending === "complete"));
  });

  it("says that Codex brings its own sign-in where it is redirected and the proxy has none", async () => {
    const patchbay = await startPatchbay(opened, {
      words: ["--openai-base-url", "http://127.0.0.1:9/v1"],
      upstreamKey: "",
    });
    const rig = await openConnectRig(opened, patchbay);
    await rig.connect("codex", "--mode", "redirect", "--model", "gpt-5.5");
    const found = JSON.parse(await rig.doctor("--json")) as readonly Finding[];
    assert(
      found.some(({ what }) => what.startsWith("Its requests arrive")),
      JSON.stringify(found, undefined, 1),
    );
  });
});
