import assert from "node:assert/strict";
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { Opened } from "../node/relayRig.ts";
import { type ClientRig, openClientRig } from "./clientRig.ts";

/** One client for every format, and what a user has in its file. */
const KINDS: readonly {
  readonly format: string;
  readonly client: string;
  readonly path: string;
  readonly before: string;
  /** A file of ten thousand lines and more, of which the user changes a line in the middle. */
  readonly long: string;
}[] = [
  {
    format: "TOML",
    client: "codex",
    path: ".codex/config.toml",
    before: '# mine\r\nmodel = "gpt-5.5"\r\n\r\n[mcp_servers."my docs"]\r\ncommand = "docs"\r\n',
    long: many((index) => `[projects."/work/${index}"]\ntrust_level = "trusted"\n`),
  },
  {
    format: "JSONC",
    client: "opencode",
    path: ".config/opencode/opencode.jsonc",
    before: '{\r\n  // mine\r\n  "theme": "system",\r\n  "mcp": { "docs": { "type": "local", }, },\r\n}\r\n',
    long: `{\n  "mcp": {\n${many((index) => `    "/work/${index}": {\n      "enabled": true },\n`)}  }\n}\n`,
  },
  {
    format: "JSON5",
    client: "openclaw",
    path: ".openclaw/openclaw.json",
    before: "{\r\n  // mine\r\n  gateway: { port: 0x4a39, bind: 'loopback', },\r\n}\r\n",
    long: `{\n  channels: {\n${many((index) => `    '/work/${index}': {\n      enabled: true },\n`)}  },\n}\n`,
  },
  {
    format: "JSON",
    client: "cline",
    path: ".cline/data/settings/providers.json",
    before: '{\r\n\t"version": 1,\r\n\t"providers": {}\r\n}\r\n',
    long: `{\n  "version": 1,\n  "modes": {\n${many((index) => `    "/work/${index}": {\n      "a": true },\n`)}    "end": 1\n  }\n}\n`,
  },
  {
    format: "YAML",
    client: "continue",
    path: ".continue/config.yaml",
    before: "# mine\r\nname: Mine\r\nmodels:\r\n- name: Llama # local\r\n  provider: ollama\r\n",
    long: `name: Mine\nmodels:\n${many((index) => `  - name: /work/${index}\n    provider: ollama\n`)}rules: []\n`,
  },
];

function many(lines: (index: number) => string): string {
  return Array.from({ length: 5_000 }, (_, index) => lines(index)).join("");
}

describe("A file that is edited", function () {
  this.timeout(60_000);
  const opened = new Opened();
  let rig: ClientRig;
  beforeEach(() => {
    rig = openClientRig(opened);
  });
  afterEach(() => opened.closeAll());

  for (const { format, client, path, before, long } of KINDS) {
    it(`of ${format} keeps its mode, owner, byte order mark and line ends, behind links over links`, async function () {
      const target = join(rig.home, "dotfiles/real");
      rig.write("dotfiles/real", `\ufeff${before}`);
      chmodSync(target, 0o640);
      // Only root can have a file of somebody else's replaced by one that is still theirs.
      const isRoot = process.getuid?.() === 0;
      if (isRoot) chownSync(target, 1234, 5678);
      symlinkSync("real", join(rig.home, "dotfiles/link"));
      mkdirSync(dirname(join(rig.home, path)), { recursive: true });
      symlinkSync(join(rig.home, "dotfiles/link"), join(rig.home, path));

      function look(): readonly unknown[] {
        const { mode, uid, gid } = statSync(target);
        assert(lstatSync(join(rig.home, path)).isSymbolicLink());
        assert(lstatSync(join(rig.home, "dotfiles/link")).isSymbolicLink());
        return [mode & 0o7777, isRoot ? [uid, gid] : undefined];
      }
      const facts = look();
      await rig.connect(client);
      const after = readFileSync(target, "utf8");
      assert(after.startsWith("\ufeff") && after.includes("8390"));
      assert.doesNotMatch(after, /[^\r]\n/);
      assert.deepEqual(look(), facts);
      await rig.disconnect(client);
      assert.equal(readFileSync(target, "utf8"), `\ufeff${before}`);
      assert.deepEqual(look(), facts);
      assert.deepEqual(readdirSync(join(rig.home, "dotfiles")), ["link", "real"]);
    });

    it(`of ${format} that is read-only stays as it is, and no key is left`, async () => {
      rig.write(path, before);
      chmodSync(join(rig.home, path), 0o444);
      await assert.rejects(rig.connect(client), /read-only/);
      assert.equal(rig.read(path), before);
      assert.deepEqual([rig.keys.size, await rig.parts.journal.all()], [0, []]);
      chmodSync(join(rig.home, path), 0o644);
      await rig.connect(client);
      const connected = rig.read(path);
      chmodSync(join(rig.home, path), 0o444);
      await assert.rejects(rig.disconnect(client), /read-only/);
      assert.deepEqual([rig.read(path), rig.keys.size], [connected, 1]);
    });

    // What of YAML is not understood is given to be copied, without a refusal.
    if (format !== "YAML")
      it(`of ${format} that does not parse stays as it is, and the line is told`, async () => {
        rig.write(path, `${before}\n= {{{\n`);
        await assert.rejects(
          rig.connect(client),
          new RegExp(`stays as it is\\. It is no valid ${format} \\(line \\d+\\)`),
        );
        assert.equal(rig.read(path), `${before}\n= {{{\n`);
        assert.equal(rig.keys.size, 0);
      });

    it(`of ${format} with ten thousand lines is edited in its place, in time, and given back with the user's changes`, async () => {
      assert(long.split("\n").length > 10_000);
      rig.write(path, long);
      const begun = performance.now();
      await rig.connect(client);
      const after = rig.read(path) ?? "";
      assert(after.split("\n").length < long.split("\n").length + 400);
      rig.write(path, after.replace("/work/2500", "/work/mine"));
      await rig.disconnect(client);
      assert.equal(rig.read(path), long.replace("/work/2500", "/work/mine"));
      assert(performance.now() - begun < 30_000);
    });
  }
});
