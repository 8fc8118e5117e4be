import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "smol-toml";
import { ClientError } from "../../src/clients/clientError.ts";
import { writeConfigFile } from "../../src/clients/configFile.ts";
import { proposeConnect } from "../../src/clients/connectClient.ts";
import { proposeDisconnect } from "../../src/clients/disconnectClient.ts";
import { Opened } from "../node/relayRig.ts";
import { type ClientRig, openClientRig } from "./clientRig.ts";

const CONFIG = ".codex/config.toml";
const BEFORE = '# mine\nmodel = "gpt-5.5"\n\n[mcp_servers.docs]\ncommand = "docs"\n';
const PROGRAM = fileURLToPath(new URL("connectProgram.ts", import.meta.url));
const run = promisify(execFile);

describe("Connecting a client", function () {
  this.timeout(30_000);
  const opened = new Opened();
  let rig: ClientRig;
  beforeEach(() => {
    rig = openClientRig(opened);
  });
  afterEach(() => opened.closeAll());

  function program(what: string, dies = "never"): Promise<{ stderr: string }> {
    return run(process.execPath, [PROGRAM, dirname(rig.home), what, "codex", dies]);
  }

  it("twice is connecting once, with one key", async () => {
    rig.write(CONFIG, BEFORE);
    await rig.connect("codex");
    const once = rig.read(CONFIG);
    const again = await proposeConnect(rig.parts, rig.request("codex"));
    assert.deepEqual([again.isNeeded, again.changes], [false, []]);
    await again.apply();
    assert.equal(rig.read(CONFIG), once);
    assert.equal(rig.keys.size, 1);
    await rig.disconnect("codex");
    await rig.disconnect("codex");
    assert.equal(rig.read(CONFIG), BEFORE);
    assert.equal(rig.keys.size, 0);
  });

  it("changes nothing and makes no key until it is agreed to", async () => {
    rig.write(CONFIG, BEFORE);
    const proposal = await proposeConnect(rig.parts, rig.request("codex"));
    assert.equal(proposal.changes.length, 1);
    assert.equal(rig.read(CONFIG), BEFORE);
    assert.equal(rig.keys.size, 0);
  });

  it("is refused where the file changes after it was looked at", async () => {
    rig.write(CONFIG, BEFORE);
    const proposal = await proposeConnect(rig.parts, rig.request("codex"));
    rig.write(CONFIG, `${BEFORE}# another program was here\n`);
    await assert.rejects(proposal.apply(), /was changed by another program just now/);
    assert.equal(rig.read(CONFIG), `${BEFORE}# another program was here\n`);
    assert.deepEqual([rig.keys.size, await rig.parts.journal.all()], [0, []]);
  });

  it("is refused where the file does not parse, and says the line", async () => {
    rig.write(CONFIG, "a = 1\nb = = 2\n");
    await assert.rejects(rig.connect("codex"), /config\.toml stays as it is\. It is no valid TOML \(line 2\)/);
    assert.equal(rig.keys.size, 0);
  });

  for (const [what, bytes] of [
    ["UTF-16", Buffer.from("\ufeffa = 1\n", "utf16le")],
    ["Latin-1", Buffer.from([0x61, 0x3d, 0x22, 0xe9, 0x22])],
  ] as const) {
    it(`is refused where the file is ${what}`, async () => {
      rig.write(CONFIG, bytes);
      await assert.rejects(rig.connect("codex"), /not written in UTF-8/);
      assert.deepEqual(readFileSync(join(rig.home, CONFIG)), bytes);
    });
  }

  it("is refused where the file is read-only", async () => {
    rig.write(CONFIG, BEFORE);
    chmodSync(join(rig.home, CONFIG), 0o444);
    await assert.rejects(rig.connect("codex"), /read-only/);
    assert.equal(rig.read(CONFIG), BEFORE);
    assert.equal(rig.keys.size, 0);
  });

  it("keeps the mode, the byte order mark and the link, and edits what the link leads to", async () => {
    rig.write("dotfiles/codex.toml", `\ufeff${BEFORE}`);
    chmodSync(join(rig.home, "dotfiles/codex.toml"), 0o640);
    mkdirSync(join(rig.home, ".codex"));
    symlinkSync("../dotfiles/codex.toml", join(rig.home, CONFIG));
    await rig.connect("codex");
    assert(lstatSync(join(rig.home, CONFIG)).isSymbolicLink());
    assert.equal(statSync(join(rig.home, "dotfiles/codex.toml")).mode & 0o777, 0o640);
    assert.match(
      rig.read("dotfiles/codex.toml") ?? "",
      /^\ufeff# mine\nmodel = "gpt-5.5"\nmodel_provider = "patchbay"\n/,
    );
    await rig.disconnect("codex");
    assert.equal(rig.read("dotfiles/codex.toml"), `\ufeff${BEFORE}`);
    assert.deepEqual(readdirSync(join(rig.home, "dotfiles")), ["codex.toml"]);
  });

  it("makes the file behind a link that leads nowhere yet", async () => {
    mkdirSync(join(rig.home, ".codex"));
    symlinkSync("real.toml", join(rig.home, CONFIG));
    await rig.connect("codex");
    assert(lstatSync(join(rig.home, CONFIG)).isSymbolicLink());
    assert.match(rig.read(".codex/real.toml") ?? "", /model_provider = "patchbay"/);
  });

  it("leaves nothing behind in a home that had nothing", async () => {
    await rig.connect("codex");
    assert.notEqual(rig.read(CONFIG), undefined);
    await rig.disconnect("codex");
    assert.deepEqual(readdirSync(rig.home), []);
  });

  it("keeps key, journal and copies for the owner alone", async () => {
    rig.write(CONFIG, BEFORE);
    await rig.connect("codex");
    const folder = join(rig.dataDirectory, "clients");
    const kept = readdirSync(folder, { recursive: true, withFileTypes: true });
    assert(kept.some((entry) => entry.parentPath.endsWith("backups")));
    for (const entry of kept) {
      assert.equal(statSync(join(entry.parentPath, entry.name)).mode & 0o077, 0, entry.name);
    }
    assert.equal(await rig.parts.journal.readKey("codex"), "pb_key_1");
  });

  it("in another mode takes out what the one before put in", async () => {
    rig.write(CONFIG, BEFORE);
    await rig.connect("codex", { mode: "redirect" });
    await rig.connect("codex", { mode: "profile" });
    assert.equal(rig.read(CONFIG), BEFORE);
    assert.notEqual(rig.read(".codex/patchbay.config.toml"), undefined);
    await rig.disconnect("codex");
    assert.deepEqual(readdirSync(join(rig.home, ".codex")), ["config.toml"]);
  });

  it("follows the proxy to another port, and takes a new key on request, the old one being revoked", async () => {
    rig.write(CONFIG, BEFORE);
    await rig.connect("codex", { mode: "redirect" });
    await rig.connect("codex", { mode: "redirect", facts: { origin: "http://127.0.0.1:9000" }, freshKey: true });
    assert.match(rig.read(CONFIG) ?? "", /openai_base_url = "http:\/\/127\.0\.0\.1:9000\/k\/pb_key_2\/v1"/);
    assert.equal(rig.keys.size, 1);
    await rig.disconnect("codex");
    assert.equal(rig.read(CONFIG), BEFORE);
  });

  it("is mended where another program put its own value over ours, which comes back afterwards", async () => {
    rig.write(CONFIG, BEFORE);
    await rig.connect("codex", { mode: "redirect" });
    const theirs = (rig.read(CONFIG) ?? "").replace(/openai_base_url = .*/, 'openai_base_url = "http://theirs/v1"');
    rig.write(CONFIG, theirs);
    const kept = await proposeDisconnect(rig.parts, "codex");
    assert.match(kept?.notices.join() ?? "", /"openai_base_url" in .* was changed after it was put in, and stays/);
    assert.deepEqual(kept?.changes, []);
    await rig.connect("codex", { mode: "redirect" });
    assert.match(rig.read(CONFIG) ?? "", /8390/);
    await rig.disconnect("codex");
    assert.equal(rig.read(CONFIG), theirs);
  });

  it("keeps what the user adds around it, to the byte", async () => {
    rig.write(CONFIG, BEFORE);
    await rig.connect("codex", { mode: "provider" });
    const edited = (rig.read(CONFIG) ?? "")
      .replace("# mine\n", "# mine\n# and   more\n")
      .replace('command = "docs"\n', 'command = "docs"  # better\n');
    rig.write(CONFIG, `${edited}\n[tui]\ntheme = 'dark'\n`);
    await rig.disconnect("codex");
    assert.equal(
      rig.read(CONFIG),
      `${BEFORE.replace("# mine\n", "# mine\n# and   more\n").replace('"docs"\n', '"docs"  # better\n')}\n[tui]\ntheme = 'dark'\n`,
    );
  });

  it("whose key cannot be revoked is out of the files, and a second attempt revokes it", async () => {
    rig.write(CONFIG, BEFORE);
    await rig.connect("codex");
    const failing = {
      ...rig.parts,
      keys: { ...rig.parts.keys, revoke: () => Promise.reject(new Error("nobody answers")) },
    };
    await assert.rejects(async () => (await proposeDisconnect(failing, "codex"))?.apply(), /nobody answers/);
    assert.equal(rig.read(CONFIG), BEFORE);
    await rig.disconnect("codex");
    assert.equal(rig.keys.size, 0);
  });

  it("that fails after a file is written puts that back, or goes on knowing what it put in", async () => {
    rig.write(CONFIG, BEFORE);
    await rig.connect("codex", { mode: "redirect" });
    const connected = rig.read(CONFIG);
    let writes = 0;
    const failing: typeof rig.parts = {
      ...rig.parts,
      async write(file, text) {
        writes += 1;
        // The second file cannot be written.
        if (writes === 2) throw new ClientError("the disk is full");
        await writeConfigFile(file, text);
      },
    };
    const proposal = await proposeConnect(failing, rig.request("codex", { mode: "profile" }));
    await assert.rejects(proposal.apply(), /the disk is full/);
    assert.equal(writes, 3);
    assert.deepEqual([rig.read(CONFIG), rig.read(".codex/patchbay.config.toml")], [connected, undefined]);
    await rig.disconnect("codex");
    assert.deepEqual([rig.read(CONFIG), rig.keys.size], [BEFORE, 0]);
  });

  for (const dies of ["before", "after"] as const) {
    it(`that is killed right ${dies} writing leaves a whole file, and is finished or taken out later`, async () => {
      rig.write(CONFIG, BEFORE);
      await assert.rejects(program("connect", dies));
      const left = rig.read(CONFIG) ?? "";
      assert.equal(left === BEFORE, dies === "before");
      parse(left);
      await program("connect");
      parse(rig.read(CONFIG) ?? "");
      await assert.rejects(program("disconnect", dies));
      parse(rig.read(CONFIG) ?? "");
      await program("disconnect");
      assert.equal(rig.read(CONFIG), BEFORE);
      assert.deepEqual(await rig.parts.journal.all(), []);
    });

    it(`again elsewhere, killed right ${dies} writing, is still taken out whole`, async () => {
      rig.write(CONFIG, BEFORE);
      await rig.connect("codex", { facts: { origin: "http://127.0.0.1:9000", isBounded: true } });
      await assert.rejects(program("connect", dies));
      await rig.disconnect("codex");
      assert.equal(rig.read(CONFIG), BEFORE);
    });
  }

  it("by several processes at once ends with a whole file", async () => {
    rig.write(CONFIG, BEFORE);
    for (let round = 0; round < 2; round += 1) {
      const all = ["connect", "connect", "disconnect", "connect"].map((what) => program(what));
      await Promise.allSettled(all);
      parse(rig.read(CONFIG) ?? "");
    }
    await program("disconnect");
    assert.equal(rig.read(CONFIG), BEFORE);
  });

  it("where nothing more can be written leaves the file as it was", async function () {
    if (process.platform === "win32") this.skip();
    const long = BEFORE + "# a line that makes the file longer than the limit\n".repeat(1000);
    rig.write(CONFIG, long);
    // So many blocks of 1024 bytes may be written; the journal alone needs more.
    let refusals = 0;
    for (const blocks of [8, 60, 160]) {
      const script = `ulimit -f ${blocks}; exec "$@"`;
      const words = ["-c", script, "sh", process.execPath, PROGRAM, dirname(rig.home), "connect", "codex", "never"];
      await run("bash", words).catch((error: { stderr?: string }) => {
        refusals += 1;
        assert.match(error.stderr ?? "", /cannot be written \(EFBIG\)/);
      });
      const now = rig.read(CONFIG) ?? "";
      if (now !== long) assert.match(now, /model_provider = "patchbay"/);
      await rig.disconnect("codex");
      assert.equal(rig.read(CONFIG), long);
      assert(readdirSync(join(rig.home, ".codex")).every((name) => name === "config.toml"));
    }
    assert.equal(refusals, 2);
  });

  it("edits a file of ten thousand lines by as many lines as it adds", async () => {
    const lines = Array.from(
      { length: 10_000 },
      (_, index) => `[projects."/work/${index}"]\ntrust_level = "trusted"\n`,
    );
    const long = `model = "gpt-5.5"\n${lines.join("")}`;
    rig.write(CONFIG, long);
    await rig.connect("codex", { mode: "redirect" });
    const after = rig.read(CONFIG) ?? "";
    assert.equal(after.split("\n").length, long.split("\n").length + 1);
    writeFileSync(join(rig.home, CONFIG), after.replace('"/work/5000"', '"/work/five thousand"'));
    await rig.disconnect("codex");
    assert.equal(rig.read(CONFIG), long.replace('"/work/5000"', '"/work/five thousand"'));
  });
});
