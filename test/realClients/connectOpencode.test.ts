import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Opened } from "../node/relayRig.ts";
import { type ConnectRig, openConnectRig } from "./connectRig.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay } from "./patchbay.ts";
import { type ProgramRun, runProgram } from "./program.ts";

/** Named like this on every platform. */
const PROGRAM = fileURLToPath(import.meta.resolve("opencode-ai/bin/opencode.exe"));
const CONFIG = ".config/opencode/opencode.jsonc";
const DEADLINE_MS = 60_000;
const PATCH = "*** Begin Patch\n*** Update File: note.txt\n@@\n-old text\n+new text\n*** End Patch";
const NAMED = [
  "patchbay/x-ai/grok-code-fast-1",
  "patchbay/qwen/qwen3-coder:exacto",
  "patchbay/moonshotai/kimi-k2-0905:exacto",
  "patchbay/z-ai/glm-4.6:exacto",
];

describe("opencode, connected by our command,", function () {
  this.timeout(200_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  async function start(signedIn = true): Promise<{ patchbay: Patchbay; rig: ConnectRig }> {
    const patchbay = await startPatchbay(opened, { signedIn });
    return { patchbay, rig: await openConnectRig(opened, patchbay) };
  }

  function opencode(rig: ConnectRig, words: readonly string[], environment: Environment = {}): Promise<ProgramRun> {
    return runProgram(opened, PROGRAM, words, {
      directory: rig.work,
      environment: {
        HOME: rig.home,
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        OPENCODE_DISABLE_MODELS_FETCH: "1",
        OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
        OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
        OPENCODE_DISABLE_SHARE: "1",
        ...environment,
      },
      deadlineMs: DEADLINE_MS,
    });
  }

  /** Has a tool change a file; the title is asked of the small model. */
  async function works(patchbay: Patchbay, rig: ConnectRig, words: readonly string[] = [], environment?: Environment) {
    writeFileSync(join(rig.work, "note.txt"), "old text\n");
    const rows = (await patchbay.rows()).length;
    const prompt = `Work. [[tool:read {"filePath":"note.txt"}]] [[tool:apply_patch ${JSON.stringify({ patchText: PATCH })}]]`;
    const run = await opencode(rig, ["run", "--format", "json", ...words, prompt], environment);
    assert.equal(run.code, 0, run.shown);
    assert.equal(readFileSync(join(rig.work, "note.txt"), "utf8"), "new text\n", run.shown);
    return (await patchbay.rows()).slice(rows);
  }

  it("in a fresh home works with our models, its small work included, and is as it was afterwards", async () => {
    const { patchbay, rig } = await start();
    const printed = await rig.connect("opencode");
    assert(!printed.includes(LOCAL_KEY));
    const rows = await works(patchbay, rig);
    assert(rows.length >= 4, String(rows.length));
    assert(new Set(rows.map((row) => row.modelAsked)).size === 2);
    assert(rows.every((row) => row.client === "opencode"));
    assert(!rig.read(CONFIG)?.includes(LOCAL_KEY));
    const listed = await opencode(rig, ["models", "patchbay"]);
    for (const model of NAMED) assert(listed.out.split(/\s+/).includes(model), listed.shown);
    await rig.disconnect("opencode");
    const left = await opencode(rig, ["models"]);
    assert(!left.out.includes("patchbay"), left.shown);
    assert.deepEqual([rig.made, rig.revoked], [["opencode"], ["key-1"]]);
  });

  it("keeps what its user wrote, also where opencode itself rewrites the file in between", async () => {
    const { patchbay, rig } = await start();
    const before = `{\r
  // what I like\r
  "theme": "system", "share": "disabled",\r
  "permission": { "edit": "allow", "bash": "allow", },\r
}\r\n`;
    rig.write(CONFIG, before);
    await rig.connect("opencode");
    assert((await works(patchbay, rig)).length >= 3);
    await rig.disconnect("opencode");
    const after = rig.read(CONFIG) ?? "";
    // It puts its schema in by itself, before or after.
    assert.equal(after.replace(/\s*"\$schema": "[^"]*",?/, ""), before);
  });

  it("takes its key from the environment", async () => {
    const { patchbay, rig } = await start();
    await rig.connect("opencode", "--mode", "env");
    assert.match(rig.read(CONFIG) ?? "", /\{env:PATCHBAY_KEY\}/);
    assert((await works(patchbay, rig, ["--title", "t"], { PATCHBAY_KEY: LOCAL_KEY })).length >= 3);
    await rig.disconnect("opencode");
    const left = await opencode(rig, ["models"]);
    assert(!left.out.includes("patchbay"), left.shown);
  });

  for (const words of [[], ["--mode", "env"], ["--project"]]) {
    it(`leaves its user's own provider as it was${words.length === 0 ? "" : `, ${words.join(" ")}`}: it works before and afterwards`, async () => {
      const { patchbay, rig } = await start();
      const options = { baseURL: `${patchbay.sandboxOrigin}/openai/v1`, apiKey: "sk-mine" };
      const own = { npm: "@ai-sdk/openai-compatible", options, models: { "gpt-5.5": { tool_call: true } } };
      const config = { $schema: "https://opencode.ai/config.json", model: "own/gpt-5.5", provider: { own } };
      rig.write(CONFIG, `// mine\n${JSON.stringify(config, undefined, "\t")}\n`);
      const before = rig.read(CONFIG);
      const where = words[0] === "--project" ? ["--project", rig.work] : words;
      const mine = ["--title", "t"];
      const ours = ["--title", "t", "--model", "patchbay/gpt-5.5"];
      assert.equal((await works(patchbay, rig, mine)).length, 0);
      await rig.connect("opencode", ...where);
      assert((await works(patchbay, rig, ours, { PATCHBAY_KEY: LOCAL_KEY })).length >= 3);
      if (words[0] !== "--project") assert.equal((await works(patchbay, rig, mine)).length, 0);
      await rig.disconnect("opencode", ...(words[0] === "--project" ? where : []));
      assert.equal(rig.read(CONFIG), before);
      assert.equal((await works(patchbay, rig, mine)).length, 0);
    });
  }

  it("works in one project only, by the project's file", async () => {
    const { patchbay, rig } = await start();
    await rig.connect("opencode", "--project", rig.work);
    assert((await works(patchbay, rig, ["--title", "t"])).length >= 3);
    await rig.disconnect("opencode", "--project", rig.work);
    assert.deepEqual(readdirSync(rig.work), ["note.txt"]);
  });

  it("asks a model at the Responses endpoint where its tools work there only", async () => {
    const { patchbay, rig } = await start(false);
    await rig.connect("opencode", "--model", "gpt-6.1-sol");
    const rows = await works(patchbay, rig, ["--title", "t"]);
    assert(rows.length >= 3);
    assert(rows.every((row) => row.endpoint === "responses" && row.upstream === "openai"));
  });
});

type Environment = Readonly<Record<string, string>>;
