import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Opened } from "../node/relayRig.ts";
import { type ClientRig, clientRigIn } from "./clientRig.ts";

const CONFIG = ".codex/config.toml";
const PROFILE = ".codex/patchbay.config.toml";
const BEFORE = '# mine\nmodel = "gpt-5.5"\n\n[mcp_servers.docs]\ncommand = "docs"\n';
const PROGRAM = fileURLToPath(new URL("connectProgram.ts", import.meta.url));
const DRAFT = /^\.patchbay-/;
const STEP_DEADLINE_MS = 60_000;
const run = promisify(execFile);

/** What is done until it is killed, and how it stands before. */
const DEEDS: readonly { readonly name: string; readonly words: readonly string[]; readonly from?: string }[] = [
  { name: "Connecting", words: ["connect", "codex", "DIES", "redirect"] },
  {
    name: "Connecting in another mode, which is about two files,",
    words: ["connect", "codex", "DIES", "profile"],
    from: "redirect",
  },
  { name: "Disconnecting", words: ["disconnect", "codex", "DIES"], from: "provider" },
];

describe("Killed at any step", function () {
  // Dozens of processes a deed, each of which has a deadline of its own.
  this.timeout(600_000);
  const opened = new Opened();
  const compiled = mkdtempSync(join(tmpdir(), "patchbay-compiled-"));
  after(() => rmSync(compiled, { recursive: true, force: true }));
  afterEach(() => opened.closeAll());

  async function openRig(from: string | undefined): Promise<{ rig: ClientRig; root: string }> {
    const root = mkdtempSync(join(tmpdir(), "patchbay-crash-"));
    opened.add(() => rmSync(root, { recursive: true, force: true }));
    const rig = clientRigIn(root);
    rig.write(CONFIG, BEFORE);
    if (from !== undefined) await rig.connect("codex", { mode: from });
    return { rig, root };
  }

  function program(root: string, words: readonly string[], dies: string): Promise<{ stdout: string }> {
    return run(process.execPath, [PROGRAM, root, ...words.map((word) => (word === "DIES" ? dies : word))], {
      // The first one, which is not killed, compiles for all.
      env: { ...process.env, NODE_COMPILE_CACHE: compiled },
      timeout: STEP_DEADLINE_MS,
      killSignal: "SIGABRT",
    });
  }

  /** What the two files of Codex may say. */
  function texts(rig: ClientRig): readonly (string | undefined)[] {
    return [rig.read(CONFIG), rig.read(PROFILE)];
  }

  for (const { name, words, from } of DEEDS) {
    it(`${name} leaves every file as it was or as it is to be, and can be gone on with`, async () => {
      const whole = await openRig(from);
      const start = texts(whole.rig);
      const steps = Number((await program(whole.root, words, "never")).stdout);
      const end = texts(whole.rig);
      assert(steps > 10, String(steps));
      for (let dies = 1; dies <= steps; dies += 1) {
        const { rig, root } = await openRig(from);
        await assert.rejects(program(root, words, String(dies)), { signal: "SIGKILL" });
        for (const [place, text] of texts(rig).entries()) {
          assert([start[place], end[place]].includes(text), `step ${dies}: ${text}`);
        }
        // What a killed process was about to write, and a lock that it had no time to put its name on, are cleared away some time later.
        const folder = join(rig.home, ".codex");
        const lock = join(rig.dataDirectory, "clients/lock");
        if (existsSync(lock)) utimesSync(lock, 1, 1);
        for (const draft of readdirSync(folder).filter((one) => DRAFT.test(one))) utimesSync(join(folder, draft), 1, 1);
        await rig.connect("codex", { mode: "redirect" });
        assert.match(rig.read(CONFIG) ?? "", /^openai_base_url = /m, `step ${dies}`);
        await rig.disconnect("codex");
        assert.deepEqual(texts(rig), [BEFORE, undefined], `step ${dies}`);
        assert.deepEqual(readdirSync(folder), ["config.toml"], `step ${dies}`);
        assert.deepEqual(await rig.parts.journal.all(), []);
      }
    });
  }
});
