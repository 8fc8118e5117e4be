import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Opened } from "../node/relayRig.ts";
import { codexProvider, type CodexRun, runCodex } from "./codex.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay } from "./patchbay.ts";
import { type Recorder, startRecorder } from "./recorder.ts";

const PATCH = "*** Begin Patch\n*** Add File: added.txt\n+added by a patch\n*** End Patch";

describe("Codex, through a provider on our sign-in with ChatGPT,", function () {
  this.timeout(45_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  async function start() {
    let behind: Recorder | undefined;
    const patchbay = await startPatchbay(opened, {
      signedIn: true,
      between: async (origin) => (behind = await startRecorder(opened, origin)).origin,
    });
    return { patchbay, posts: () => (behind?.requests ?? []).filter((one) => one.method === "POST") };
  }

  function say(patchbay: Patchbay, prompt: string, settings: Settings = {}): Promise<CodexRun> {
    const { model = "gpt-5.5", top = [], followUp } = settings;
    return runCodex(opened, {
      config: codexProvider(patchbay.baseUrl, ['env_key = "PATCHBAY_KEY"'], { model, top }),
      environment: { PATCHBAY_KEY: LOCAL_KEY },
      words: ["--dangerously-bypass-approvals-and-sandbox"],
      prompt,
      ...(followUp !== undefined && { followUp }),
    });
  }

  for (const [model, shape] of [
    ["gpt-5.5", "classic"],
    ["gpt-6.1-sol", "lite"],
  ] as const) {
    it(`speaks the ${shape} shape (${model})`, async () => {
      const { patchbay, posts } = await start();
      const run = await say(patchbay, "Say hello. [[say:all of it]] [[reasoning:7]]", { model });
      assert.deepEqual([run.code, run.errors], [0, []], run.shown);
      assert.match(run.messages.at(-1) ?? "", /all of it$/);
      const [row] = await patchbay.assertMetered(1);
      assert.deepEqual([row?.upstream, row?.modelServed, row?.client], ["codex", model, "codex_exec"]);
      assert.deepEqual(
        [run.usage?.output_tokens, run.usage?.reasoning_output_tokens],
        [row?.tokens.output, row?.tokens.reasoning],
      );
      const [sent] = posts();
      assert.equal(sent?.headers["x-openai-internal-codex-responses-lite"], shape === "lite" ? "true" : undefined);
      assert(!JSON.stringify(sent).includes(LOCAL_KEY));
      const [served] = await patchbay.served();
      assert.deepEqual([served?.codex?.cacheKeyMatches, served?.codex?.accountId], [true, "acc_patchbay_sandbox"]);
    });
  }

  it("runs commands in several rounds, each an extension of the last one in the same turn", async () => {
    const { patchbay } = await start();
    const run = await say(
      patchbay,
      'Work. [[tool:exec_command {"cmd":"printf one > one.txt"}]] [[tool:exec_command {"cmd":"printf two > two.txt"}]]',
    );
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    assert.equal(readFileSync(join(run.directory, "one.txt"), "utf8"), "one");
    assert.equal(readFileSync(join(run.directory, "two.txt"), "utf8"), "two");
    await patchbay.assertMetered(3);
    const turns = (await patchbay.served()).map((one) => one.codex);
    assert.deepEqual(
      turns.map((one) => [one?.continuity, one?.turnState]),
      [
        ["first", "none"],
        ["extended", "echoed"],
        ["extended", "echoed"],
      ],
    );
  });

  it("works in code mode, where its tools stand in the input", async () => {
    const { patchbay } = await start();
    const code = 'const done = await tools.exec_command({ cmd: "printf made > made.txt" }); text(done.output);';
    const run = await say(patchbay, `Work. [[tool:exec ${code}]]`, { model: "gpt-6.1-sol" });
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    assert.equal(readFileSync(join(run.directory, "made.txt"), "utf8"), "made");
    await patchbay.assertMetered(2);
  });

  it("applies a patch that comes as the free text of a custom tool", async () => {
    const { patchbay } = await start();
    const run = await say(patchbay, `Work. [[tool:apply_patch ${PATCH}]]`);
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    assert.equal(readFileSync(join(run.directory, "added.txt"), "utf8"), "added by a patch\n");
    await patchbay.assertMetered(2);
  });

  it("compacts its history, and goes on with it", async () => {
    const { patchbay } = await start();
    const run = await say(patchbay, "[[cached:20000]]", {
      top: ["model_auto_compact_token_limit = 12000"],
      followUp: "And now? [[say:after the compaction]]",
    });
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    assert.match(run.messages.at(-1) ?? "", /after the compaction$/);
    const rows = await patchbay.assertMetered(3);
    assert(rows.every((row) => row.upstream === "codex" && row.ending === "complete"));
  });

  it("is told what a used-up plan means, after one request", async () => {
    const { patchbay } = await start();
    const run = await say(patchbay, "[[usage-limit:3600]]");
    assert.equal(run.code, 1);
    assert.match(run.errors.join("\n"), /usage limit/i);
    assert.equal((await patchbay.served()).length, 1);
  });
});

interface Settings {
  readonly model?: string;
  readonly top?: readonly string[];
  readonly followUp?: string;
}
