import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Opened } from "../node/relayRig.ts";
import { codexProvider, type CodexRun, runCodex } from "./codex.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay } from "./patchbay.ts";
import { type Recorder, startRecorder } from "./recorder.ts";

const ANYTHING_GOES = ["--dangerously-bypass-approvals-and-sandbox"];

describe("Codex at work", function () {
  this.timeout(45_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  function say(patchbay: Patchbay, prompt: string, settings: Settings = {}): Promise<CodexRun> {
    const lines = [`experimental_bearer_token = "${LOCAL_KEY}"`, ...(settings.lines ?? [])];
    const config = codexProvider(patchbay.baseUrl, lines, {
      model: settings.model ?? "gpt-5.5",
      top: settings.top ?? [],
    });
    const { followUp } = settings;
    return runCodex(opened, { config, prompt, words: ANYTHING_GOES, ...(followUp !== undefined && { followUp }) });
  }

  it("runs a command that the answer calls for, and each of its requests has a row", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await say(patchbay, `Work. [[tool:exec_command {"cmd":"echo written by a tool > made.txt"}]]`);
    assert.equal(run.code, 0, run.shown);
    assert.equal(readFileSync(join(run.directory, "made.txt"), "utf8"), "written by a tool\n");
    const rows = await patchbay.assertMetered(2);
    assert.equal(
      run.usage?.output_tokens,
      rows.reduce((sum, row) => sum + row.tokens.output, 0),
    );
    assert.equal(new Set(rows.map((row) => row.session)).size, 1);
  });

  it("applies a patch that comes as the free text of a custom tool", async () => {
    const patchbay = await startPatchbay(opened);
    const patch = "*** Begin Patch\n*** Add File: added.txt\n+added by a patch\n*** End Patch";
    const run = await say(patchbay, `Work. [[tool:apply_patch ${patch}]]`);
    assert.equal(run.code, 0, run.shown);
    assert.equal(readFileSync(join(run.directory, "added.txt"), "utf8"), "added by a patch\n");
    await patchbay.assertMetered(2);
  });

  it("compacts its history in requests that are metered like the others", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await say(patchbay, "[[cached:20000]]", {
      top: ["model_auto_compact_token_limit = 12000"],
      followUp: "And now?",
    });
    assert.equal(run.code, 0, run.shown);
    const rows = await patchbay.assertMetered(3);
    assert(rows.every((row) => row.endpoint === "responses" && row.ending === "complete"));
  });

  it("of the built-in provider gets the compaction that it asks for with a trigger", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await runCodex(opened, {
      config: [
        'model = "gpt-5.5"',
        "model_auto_compact_token_limit = 12000",
        `openai_base_url = "${patchbay.origin}/k/${LOCAL_KEY}/v1"`,
        "",
      ].join("\n"),
      authJson: { auth_mode: "apikey", OPENAI_API_KEY: "sk-users-own" },
      prompt: "[[cached:20000]]",
      followUp: "And now?",
    });
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    await patchbay.assertMetered(3);
  });

  it("of a model with Responses-Lite has its additional tools and its header passed on", async () => {
    let recorder: Recorder | undefined;
    const patchbay = await startPatchbay(opened, {
      between: async (origin) => (recorder = await startRecorder(opened, origin)).origin,
    });
    const run = await say(patchbay, "Say hello.", { model: "gpt-6.1-sol" });
    assert.equal(run.code, 0, run.shown);
    await patchbay.assertMetered(1);
    const [sent] = recorder?.requests ?? [];
    assert.equal(sent?.headers["x-openai-internal-codex-responses-lite"], "true");
    assert.equal((JSON.parse(sent?.body ?? "{}") as { input: { type: string }[] }).input[0]?.type, "additional_tools");
  });

  it("gets through an upstream's comments, CR LF, missing usage and repeated slashes", async () => {
    const patchbay = await startPatchbay(opened);
    const config = codexProvider(`${patchbay.origin}/v1/`, [`experimental_bearer_token = "${LOCAL_KEY}"`]);
    const run = await runCodex(opened, { config, prompt: "[[say:all of it]] [[comments]] [[crlf]] [[no-usage]]" });
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    assert.match(run.messages[0] ?? "", /all of it$/);
    assert.deepEqual(
      [(await patchbay.row()).ending, (await patchbay.rows())[0]?.usageSource],
      ["complete", "estimated"],
    );
  });

  it("shows an incomplete answer once, and the row says incomplete", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await say(patchbay, "Say hello. [[incomplete]]");
    assert.match(run.errors[0] ?? "", /max_output_tokens/);
    const [row] = await patchbay.assertMetered(1);
    assert.equal(row?.ending, "incomplete");
  });

  for (const [what, directive, ending] of [
    ["whose connection is lost", "[[cut-after:3]]", "upstream_cut"],
    ["that ends early, cleanly", "[[eof-after:3]]", "upstream_cut"],
    ["that fails by its own account", "[[fail-after:3]]", "failed"],
  ] as const) {
    it(`asks again for a stream ${what}, and does not take the piece for the answer`, async () => {
      const patchbay = await startPatchbay(opened);
      const run = await say(patchbay, `[[say:the whole of it]] ${directive} [[only-first:1]]`);
      assert.equal(run.code, 0, run.shown);
      assert.equal(run.messages.length, 1);
      assert.match(run.messages[0] ?? "", /the whole of it$/);
      const rows = await patchbay.assertMetered(2);
      assert.deepEqual(
        rows.map((row) => [row.ending, row.usageSource]),
        [
          [ending, "estimated"],
          ["complete", "reported"],
        ],
      );
      assert.equal(rows[0]?.tokens.output, 3);
    });
  }

  it("gives up after its retries where every stream is cut, and prints no answer", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await say(patchbay, "Say hello. [[cut-after:3]]", { lines: ["stream_max_retries = 1"] });
    assert.deepEqual([run.code, run.messages], [1, []], run.shown);
    assert.match(run.errors.at(-1) ?? "", /stream disconnected/);
    assert.equal((await patchbay.rowsWhen(2)).length, 2);
  });

  it("does not run into its idle timeout while the upstream is silent", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--keep-alive", "200ms"] });
    const run = await say(patchbay, "[[tokens:1]] [[delay:1600]]", { lines: ["stream_idle_timeout_ms = 800"] });
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    await patchbay.assertMetered(1);
  });

  it("would run into its idle timeout without the bridge", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--keep-alive", "0"] });
    const lines = ["stream_idle_timeout_ms = 300", "stream_max_retries = 0"];
    const run = await say(patchbay, "[[tokens:2]] [[delay:1500]]", { lines });
    assert.match(run.errors.at(-1) ?? "", /idle timeout/);
    assert.equal((await patchbay.row()).ending, "client_left");
  });
});

interface Settings {
  readonly model?: string;
  readonly followUp?: string;
  /** Further settings of the provider. */
  readonly lines?: readonly string[];
  /** Further settings above the provider. */
  readonly top?: readonly string[];
}
