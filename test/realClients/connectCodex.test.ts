import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listenOn } from "../../src/node/listenOn.ts";
import { Opened } from "../node/relayRig.ts";
import { type ConnectRig, openConnectRig } from "./connectRig.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay } from "./patchbay.ts";
import { type ProgramRun, runProgram } from "./program.ts";

const LAUNCHER = fileURLToPath(import.meta.resolve("@openai/codex/bin/codex.js"));
const CONFIG = ".codex/config.toml";
const DEADLINE_MS = 40_000;
const WORK = `Work. [[tool:exec_command {"cmd":"printf made > made.txt"}]]`;

describe("Codex, connected by our command,", function () {
  this.timeout(120_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  async function start(): Promise<{ patchbay: Patchbay; rig: ConnectRig }> {
    const patchbay = await startPatchbay(opened, { signedIn: true });
    return { patchbay, rig: await openConnectRig(opened, patchbay) };
  }

  function codex(rig: ConnectRig, prompt: string, further: Further = {}): Promise<ProgramRun> {
    const { words = [], environment = {} } = further;
    const options = ["--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"];
    const { resumes = [] } = further;
    return runProgram(opened, process.execPath, [LAUNCHER, ...words, "exec", ...resumes, ...options, prompt], {
      directory: rig.work,
      environment: { HOME: rig.home, ...environment },
      deadlineMs: further.deadlineMs ?? DEADLINE_MS,
    });
  }

  /** Has a tool make a file, and says whether that came through the proxy. */
  async function worksThrough(patchbay: Patchbay, rig: ConnectRig, further?: Further): Promise<boolean> {
    const rowsBefore = (await patchbay.rows()).length;
    rmSync(join(rig.work, "made.txt"), { force: true });
    const run = await codex(rig, WORK, further);
    assert.equal(run.code, 0, run.shown);
    assert(!run.shown.includes("Model metadata"), run.shown);
    assert.equal(readFileSync(join(rig.work, "made.txt"), "utf8"), "made");
    const rows = (await patchbay.rows()).length - rowsBefore;
    assert(rows === 0 || rows === 2, `${rows} rows`);
    return rows === 2;
  }

  /** What a user has who works at the sandbox without us. */
  function ownProvider(patchbay: Patchbay): string {
    return [
      "# my own setup",
      'model = "gpt-5.5"   # the good one',
      'model_provider = "mine"',
      `chatgpt_base_url = "${patchbay.origin}/nothing"`,
      "",
      "[model_providers.mine]",
      'name = "Mine"',
      `base_url = "${patchbay.sandboxOrigin}/openai/v1"`,
      'wire_api = "responses"',
      'experimental_bearer_token = "sk-mine"',
      "",
    ].join("\r\n");
  }

  it("by redirect keeps its ChatGPT sign-in and its history, and has its own address back afterwards", async () => {
    const { patchbay, rig } = await start();
    const before = [
      'model = "gpt-5.5"',
      `openai_base_url = "${patchbay.sandboxOrigin}/openai/v1"`,
      `chatgpt_base_url = "${patchbay.origin}/nothing"`,
      "",
    ].join("\n");
    rig.write(CONFIG, before);
    rig.write(".codex/auth.json", JSON.stringify(await patchbay.codex.signIn({ account_id: "acc_of_codex" })));
    const printed = await rig.connect("codex");
    assert.match(printed, /mode redirect\. Codex is signed in with ChatGPT/);
    assert(!printed.includes(LOCAL_KEY));
    assert.equal(await worksThrough(patchbay, rig), true);
    assert.equal((await patchbay.served()).at(-1)?.codex?.accountId, "acc_of_codex");
    await rig.disconnect("codex");
    assert.equal(rig.read(CONFIG), before);
    assert.equal(await worksThrough(patchbay, rig), false);
    assert.deepEqual([rig.made, rig.revoked], [["Codex CLI"], ["key-1"]]);
  });

  it("by redirect goes on with the conversations from before, and afterwards with those from in between", async () => {
    const { patchbay, rig } = await start();
    const own = `${patchbay.sandboxOrigin}/openai/v1`;
    rig.write(CONFIG, `openai_base_url = "${own}"\nchatgpt_base_url = "${patchbay.origin}/nothing"\n`);
    rig.write(".codex/auth.json", JSON.stringify(await patchbay.codex.signIn()));
    const last = { resumes: ["resume", "--last"] };
    const before = threadOf(await codex(rig, "Say one."));
    await rig.connect("codex");
    assert.notEqual(before, undefined);
    assert.equal(threadOf(await codex(rig, "Say two.", last)), before);
    const between = threadOf(await codex(rig, "Say three."));
    assert.notEqual(between, before);
    assert.equal((await patchbay.rows()).length, 2);
    await rig.disconnect("codex");
    assert.equal(threadOf(await codex(rig, "Say four.", last)), between);
    assert.equal((await patchbay.rows()).length, 2);
  });

  for (const mode of ["provider", "env", "profile"] as const) {
    it(`by ${mode} works through the proxy, and as before afterwards`, async () => {
      const { patchbay, rig } = await start();
      const before = ownProvider(patchbay);
      rig.write(CONFIG, before);
      assert.equal(await worksThrough(patchbay, rig), false);
      await rig.connect("codex", "--mode", mode);
      const further: Further = {
        ...(mode === "profile" ? { words: ["-p", "patchbay"] } : {}),
        ...(mode === "env" ? { environment: { PATCHBAY_KEY: LOCAL_KEY } } : {}),
      };
      assert.equal(await worksThrough(patchbay, rig, further), true);
      if (mode === "profile") {
        assert.equal(rig.read(CONFIG), before);
        assert.equal(await worksThrough(patchbay, rig), false);
      }
      assert(!rig.read(CONFIG)?.includes(LOCAL_KEY));
      await rig.disconnect("codex");
      assert.equal(rig.read(CONFIG), before);
      assert(!existsSync(join(rig.home, ".codex/patchbay.config.toml")));
      assert.equal(await worksThrough(patchbay, rig), false);
    });
  }

  it("in a home that it never had works with what is chosen for it, and leaves nothing behind", async () => {
    const { patchbay, rig } = await start();
    const printed = await rig.connect("codex", "--model", "gpt-5.5", "--bounded");
    assert.match(printed, /mode provider\. Codex is not signed in/);
    assert.equal(await worksThrough(patchbay, rig), true);
    await rig.disconnect("codex");
    assert.equal(rig.read(CONFIG), undefined);
  });

  it("in a home with a ChatGPT sign-in and nothing else is signed in by its environment's mode, too", async () => {
    const { patchbay, rig } = await start();
    rig.write(CONFIG, `chatgpt_base_url = "${patchbay.origin}/nothing"\n`);
    rig.write(".codex/auth.json", JSON.stringify(await patchbay.codex.signIn({ account_id: "acc_of_codex" })));
    await rig.connect("codex", "--mode", "env", "--model", "gpt-5.5");
    assert.equal(await worksThrough(patchbay, rig, { environment: { PATCHBAY_KEY: LOCAL_KEY } }), true);
    assert.equal((await patchbay.served()).at(-1)?.codex?.accountId, "acc_of_codex");
  });

  for (const mode of ["redirect", "provider", "profile", "env"] as const) {
    for (const isSignedIn of mode === "redirect" ? [true] : [true, false]) {
      it(`by ${mode}, ${isSignedIn ? "" : "not "}signed in itself, warns of no model that can be asked for`, async () => {
        const { patchbay, rig } = await start();
        rig.write(CONFIG, `chatgpt_base_url = "${patchbay.origin}/nothing"\n`);
        if (isSignedIn) rig.write(".codex/auth.json", JSON.stringify(await patchbay.codex.signIn()));
        await rig.connect("codex", "--mode", mode);
        const words = mode === "profile" ? ["-p", "patchbay"] : [];
        const environment: Record<string, string> = mode === "env" ? { PATCHBAY_KEY: LOCAL_KEY } : {};
        for (const model of ["gpt-6.1-sol", "gpt-5.5", "qwen/qwen3-coder:exacto"]) {
          const run = await codex(rig, "Say hello.", { words: [...words, "-m", model], environment });
          assert.equal(run.code, 0, run.shown);
          assert.doesNotMatch(run.shown, /Model metadata/);
          assert.equal((await patchbay.rows()).at(-1)?.modelAsked, model);
        }
      });
    }
  }

  it("with --bounded gives up where nobody listens, which it would not by itself", async () => {
    const { patchbay, rig } = await start();
    rig.write(CONFIG, `chatgpt_base_url = "${patchbay.origin}/nothing"\n`);
    rig.write(".codex/auth.json", JSON.stringify(await patchbay.codex.signIn()));
    await rig.connect("codex", "--bounded", "--url", await closedOrigin());
    const run = await codex(rig, "Say hello.", { deadlineMs: 100_000 });
    assert.deepEqual([run.killed, run.code], [false, 1], run.shown);
    assert.match(run.shown, /Connection failed/);
  });

  it("by env says so where the variable is not set", async () => {
    const { rig } = await start();
    await rig.connect("codex", "--mode", "env", "--bounded");
    const run = await codex(rig, "Say hello.");
    assert.notEqual(run.code, 0);
    assert.match(run.shown, /printenv/);
  });

  it("reads every file that connecting it makes", async () => {
    const fixtures = fileURLToPath(new URL("../fixtures/clients/codex", import.meta.url));
    const rig = await start().then((started) => started.rig);
    for (const name of readdirSync(fixtures)) {
      const after = join(fixtures, name, "after.toml");
      if (!existsSync(after)) continue;
      rig.write(CONFIG, readFileSync(after, "utf8"));
      const run = await runProgram(opened, process.execPath, [LAUNCHER, "login", "status"], {
        directory: rig.work,
        environment: { HOME: rig.home },
        deadlineMs: DEADLINE_MS,
      });
      assert(!run.shown.includes("Error loading configuration"), `${name}: ${run.shown}`);
    }
  });
});

/** Where nobody listens: a port that was free just now. */
async function closedOrigin(): Promise<string> {
  const server = createServer();
  const { port } = await listenOn(server, "127.0.0.1", 0);
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** The conversation that a run was in. */
function threadOf(run: ProgramRun): string | undefined {
  assert.equal(run.code, 0, run.shown);
  return /"thread_id":"([^"]+)"/.exec(run.out)?.[1];
}

interface Further {
  readonly deadlineMs?: number;
  /** Which conversation goes on. */
  readonly resumes?: readonly string[];
  readonly words?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}
