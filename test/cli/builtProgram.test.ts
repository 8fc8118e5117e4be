import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Opened } from "../node/relayRig.ts";
import { askChat, type Environment, newFolder, runCli, startServe } from "./serveProcess.ts";

/** As `patchbay --help` lists them: two spaces, a name, and what it does. */
const LISTED_COMMAND = /^ {2}([a-z]+) {2,}\S/gm;

describe("the built program", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("has every command that its help lists", async () => {
    const { out } = await runCli(opened, ["--help"]);
    const commands = Array.from(out.matchAll(LISTED_COMMAND), ([, name = ""]) => name);
    assert.ok(commands.length >= 12, out);
    for (const command of commands) {
      const { code, out: help, error } = await runCli(opened, [command, "--help"]);
      assert.equal(code, 0, error);
      assert.match(help, new RegExp(`^Usage:\\s+patchbay ${command}\\b`));
    }
  }).timeout(60_000);

  it("connects a client with a key of its own, and takes both away again", async () => {
    const home = newFolder(opened);
    const dataDirectory = newFolder(opened);
    const environment: Environment = {
      HOME: home,
      USERPROFILE: home,
      CODEX_HOME: join(home, ".codex"),
      XDG_CONFIG_HOME: join(home, ".config"),
      XDG_RUNTIME_DIR: newFolder(opened),
      PATCHBAY_DATA_DIR: dataDirectory,
    };
    const { url } = await startServe(opened, ["--sandbox"], environment);
    const run = async (...words: readonly string[]): Promise<string> => {
      const { code, out, error } = await runCli(opened, words, environment);
      assert.equal(code, 0, `${words.join(" ")}: ${out}${error}`);
      return out;
    };

    await run("connect", "codex", "--mode", "provider", "--yes");
    const config = join(home, ".codex", "config.toml");
    assert.ok(readFileSync(config, "utf8").includes(`base_url = "${url}/v1"`));
    const key = (await run("client-key", "codex")).trim();
    const answer = await askChat(url, { prompt: "Say ok.", headers: { authorization: `Bearer ${key}` } });
    assert.equal(answer.status, 200);
    await answer.text();
    const [used] = JSON.parse(await run("usage", "list", "--json")) as { readonly label?: string }[];
    assert.match(used?.label ?? "", /codex/i);

    await run("disconnect", "codex", "--yes");
    assert.equal(existsSync(config), false);
    const refused = await askChat(url, { prompt: "Say ok.", headers: { authorization: `Bearer ${key}` } });
    assert.equal(refused.status, 401);
  }).timeout(60_000);
});
