import assert from "node:assert/strict";
import { join } from "node:path";
import { proposeConnect } from "../../src/clients/connectClient.ts";
import { Opened } from "../node/relayRig.ts";
import { type ClientRig, openClientRig } from "./clientRig.ts";

/** Clients whose files tell whose key they hold, with the file. */
const CLIENTS = [
  ["codex", "redirect", ".codex/config.toml", 'openai_base_url = "http://mine/v1"\n'],
  ["codex", "provider", ".codex/config.toml", ""],
  ["opencode", "provider", ".config/opencode/opencode.jsonc", "{}"],
  ["openclaw", undefined, ".openclaw/openclaw.json", "{}"],
  ["continue", "provider", ".continue/config.yaml", "models:\n  - name: Mine\n"],
] as const;

describe("A file that another data directory's Patchbay is in", () => {
  const opened = new Opened();
  let first: ClientRig;
  let second: ClientRig;
  beforeEach(() => {
    first = openClientRig(opened);
    second = openClientRig(opened);
  });
  afterEach(() => opened.closeAll());

  for (const [client, mode, path, before] of CLIENTS) {
    const name = [client, mode].filter(Boolean).join(" ");
    it(`is edited with the advice to disconnect that one first, and given back to it: ${name}`, async () => {
      const changes = { ...(mode === undefined ? {} : { mode }), home: first.home };
      first.write(path, before);
      const told = async (rig: ClientRig): Promise<readonly string[]> =>
        (await proposeConnect(rig.parts, rig.request(client, changes))).notices.filter((one) => /another/.test(one));
      assert.deepEqual(await told(first), []);
      await first.connect(client, changes);
      const theirs = first.read(path);
      assert.deepEqual(await told(first), []);
      const advice = `${join(first.home, path)} leads to another Patchbay, which comes back when this one is disconnected: disconnect that one first, or take its lines out.`;
      assert.deepEqual(await told(second), [advice]);
      await second.connect(client, { ...changes, facts: { origin: "http://127.0.0.1:9000" } });
      assert.notEqual(first.read(path), theirs);
      await second.disconnect(client);
      assert.equal(first.read(path), theirs);
      await first.disconnect(client);
      assert.equal(first.read(path), before);
    });
  }
});
