import assert from "node:assert/strict";
import { join } from "node:path";
import { runClientKey } from "../../src/cli/clientKeyCommand.ts";
import { runConnect } from "../../src/cli/connectCommand.ts";
import type { ConnectEffects } from "../../src/cli/connectEffects.ts";
import { runDisconnect } from "../../src/cli/disconnectCommand.ts";
import { Misuse } from "../../src/cli/flags.ts";
import { CLIENT_TABLE } from "../../src/clients/clientTable.ts";
import { BUILT_IN_PRICES } from "../../src/ledger/priceTable.ts";
import { type ClientRig, openClientRig } from "../clients/clientRig.ts";
import { Opened } from "../node/relayRig.ts";

const CONFIG = ".codex/config.toml";
const BEFORE = 'model = "gpt-5.5"\n';

describe("patchbay connect and disconnect", () => {
  const opened = new Opened();
  let rig: ClientRig;
  let answer: boolean | undefined;
  let printed: string;
  beforeEach(() => {
    rig = openClientRig(opened);
    rig.write(CONFIG, BEFORE);
    answer = undefined;
    printed = "";
  });
  afterEach(() => opened.closeAll());

  const io = {
    stdout: (text: string) => void (printed += text),
    stderr: (text: string) => void (printed += text),
    environment: {},
    onInterrupt: () => () => undefined,
  };

  function effects(): ConnectEffects {
    const said = answer;
    return {
      place: { environment: {}, platform: process.platform, homeDirectory: rig.home },
      keys: rig.parts.keys,
      report: async () => undefined,
      fetch: () => assert.fail("nothing is asked"),
      portOwner: async () => undefined,
      version: async () => undefined,
      prices: () => BUILT_IN_PRICES,
      program: ["/usr/bin/node", "/opt/patchbay/cli.js"],
      now: () => Date.now(),
      confirm: said === undefined ? undefined : async () => said,
    };
  }

  function run(command: typeof runConnect, ...words: readonly string[]): Promise<number> {
    printed = "";
    return command([...words, "--data-dir", rig.dataDirectory], io, effects);
  }

  it("print with --dry-run what would change, and change nothing", async () => {
    assert.equal(await run(runConnect, "codex", "--mode", "redirect", "--dry-run"), 0);
    assert.match(printed, /\n\+openai_base_url = "http:\/\/127\.0\.0\.1:8390\/k\/pb_\*\*\*\/v1"\n/);
    assert.match(printed, /Note: While Patchbay does not run, Codex waits for it without end/);
    assert.match(printed, /--mode profile: /);
    assert.deepEqual([rig.read(CONFIG), rig.keys.size], [BEFORE, 0]);
    await run(runConnect, "codex", "--yes");
    const connected = rig.read(CONFIG);
    assert.equal(await run(runDisconnect, "codex", "--dry-run"), 0);
    assert.match(printed, /\n-model_provider = "patchbay"\n/);
    assert.equal(rig.read(CONFIG), connected);
  });

  it("need --yes where nobody can be asked", async () => {
    await assert.rejects(run(runConnect, "codex"), Misuse);
    assert.equal(rig.read(CONFIG), BEFORE);
    await run(runConnect, "codex", "--yes");
    await assert.rejects(run(runDisconnect, "codex"), Misuse);
    assert.notEqual(rig.read(CONFIG), BEFORE);
  });

  it("do what they are told, and nothing where the answer is no", async () => {
    answer = false;
    assert.equal(await run(runConnect, "codex"), 1);
    assert.deepEqual([rig.read(CONFIG), rig.keys.size], [BEFORE, 0]);
    answer = true;
    assert.equal(await run(runConnect, "codex"), 0);
    assert.equal(await run(runConnect, "codex"), 0);
    assert.match(printed, /is connected \(provider\), and all is as it should be/);
    answer = false;
    assert.equal(await run(runDisconnect, "codex"), 1);
    answer = true;
    assert.equal(await run(runDisconnect, "codex"), 0);
    assert.deepEqual([rig.read(CONFIG), rig.keys.size], [BEFORE, 0]);
    assert.equal(await run(runDisconnect, "codex"), 0);
    assert.match(printed, /is not connected/);
  });

  it("never print the key of a client that keeps it in its file", async () => {
    for (const mode of ["redirect", "provider", "profile"]) {
      await run(runConnect, "codex", "--yes", "--mode", mode, "--new-key");
      assert(!printed.includes("pb_key"), printed);
    }
    await run(runDisconnect, "codex", "--yes");
    assert(!printed.includes("pb_key"), printed);
  });

  it("give values to copy for a client whose files are its own, each time they are asked", async () => {
    for (let time = 0; time < 2; time += 1) {
      await run(runConnect, "cline", "--yes", "--mode", "copy");
      assert.match(printed, /Base URL: http:\/\/127\.0\.0\.1:8390\/v1\n {2}API key: {2}pb_key_1\n/);
    }
    await run(runDisconnect, "cline", "--yes");
    assert.equal(rig.keys.size, 0);
  });

  it("take models, an address and a project", async () => {
    const project = join(rig.home, "work");
    rig.write("work/opencode.json", "{}\n");
    const words = ["--project", project, "--model", "my/model", "--models", "a/b", "--url", "http://127.0.0.1:9000/v1"];
    await run(runConnect, "opencode", "--yes", ...words);
    const text = rig.read("work/opencode.json") ?? "";
    const config = JSON.parse(text) as {
      model: string;
      provider: { patchbay: { models: object; options: { baseURL: string; apiKey: string } } };
    };
    assert.equal(config.model, "patchbay/my/model");
    assert.equal(config.provider.patchbay.options.baseURL, "http://127.0.0.1:9000/v1");
    assert("a/b" in config.provider.patchbay.models);
    const id = /clients\/keys\/(opencode-[0-9a-f]{12})\}/.exec(config.provider.patchbay.options.apiKey)?.[1] ?? "";
    printed = "";
    assert.equal(await runClientKey([id, "--data-dir", rig.dataDirectory], io), 0);
    assert.equal(printed, "pb_key_1\n");
    await run(runDisconnect, "opencode", "--yes", "--project", project);
    assert.equal(rig.read("work/opencode.json"), "{}\n");
  });

  it("keep what was said when it was connected, until something else is said", async () => {
    await run(runConnect, "codex", "--yes", "--mode", "profile", "--model", "gpt-5.5", "--bounded");
    assert.equal(await run(runConnect, "codex"), 0);
    assert.match(printed, /is connected \(profile\), and all is as it should be/);
    await run(runConnect, "codex", "--yes", "--no-bounded");
    assert.doesNotMatch(rig.read(".codex/patchbay.config.toml") ?? "", /unbounded/);
  });

  it("list the clients where none is named", async () => {
    assert.equal(await run(runConnect), 0);
    for (const row of CLIENT_TABLE) assert(printed.includes(row.id));
    await run(runConnect, "codex", "--yes");
    await run(runConnect, "--json");
    const listed = JSON.parse(printed) as readonly { id: string; connections: readonly { mode: string }[] }[];
    assert.deepEqual(
      listed.flatMap(({ id, connections }) => connections.map(({ mode }) => [id, mode])),
      [["codex", "provider"]],
    );
  });

  it("refuse what is not there", async () => {
    await assert.rejects(run(runConnect, "emacs", "--yes"), /There is no client "emacs": choose codex, opencode/);
    await assert.rejects(
      run(runConnect, "codex", "--yes", "--mode", "magic"),
      /has no mode "magic": choose redirect or/,
    );
    await assert.rejects(run(runConnect, "codex", "--yes", "--project", "."), /no file for a project/);
    await assert.rejects(run(runConnect, "codex", "--yes", "--url", "nonsense"), /--url takes an address/);
    await assert.rejects(run(runDisconnect, "--yes"), Misuse);
    await assert.rejects(runClientKey(["../../etc/passwd"], io), Misuse);
    assert.equal(await runClientKey(["codex", "--data-dir", rig.dataDirectory], io), 1);
  });
});
