import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { UsageRow } from "../../src/ledger/usageRow.ts";
import { Opened } from "../node/relayRig.ts";
import { opencodeProvider, type OpencodeTokens, runOpencode } from "./opencode.ts";
import { LOCAL_KEY, startPatchbay } from "./patchbay.ts";

const HEADER = { headers: { "X-Daemon-Token": LOCAL_KEY } };
const BEARER = { apiKey: LOCAL_KEY };

describe("opencode at work", function () {
  this.timeout(70_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  for (const [where, npm, options, endpoint] of [
    ["chat completions with an X-Daemon-Token and no API key", "@ai-sdk/openai-compatible", HEADER, "chat"],
    ["responses with a bearer", "@ai-sdk/openai", BEARER, "responses"],
  ] as const) {
    it(`speaks ${where}, and prints the tokens that sandbox and ledger have`, async () => {
      const patchbay = await startPatchbay(opened);
      const run = await runOpencode(opened, {
        provider: opencodeProvider(npm, patchbay.baseUrl, options),
        prompt: "[[say:all of it]] [[cached:1000]] [[reasoning:5]]",
      });
      assert.deepEqual([run.code, run.errors], [0, []], run.shown);
      assert.match(run.texts[0] ?? "", /all of it$/);
      const rows = await patchbay.assertMetered(1);
      assert.deepEqual(run.steps.map(printed), rows.map(booked));
      assert.deepEqual([rows[0]?.endpoint, rows[0]?.client], [endpoint, "opencode"]);
      assert.match(rows[0]?.session ?? "", /^ses_/);
    });

    it(`edits a file through ${where.split(" ", 1)[0]}, and each of its requests has a row`, async () => {
      const patchbay = await startPatchbay(opened);
      const patch = "*** Begin Patch\n*** Update File: note.txt\n@@\n-old text\n+new text\n*** End Patch";
      const run = await runOpencode(opened, {
        provider: opencodeProvider(npm, patchbay.baseUrl, options),
        prompt: `Work. [[tool:apply_patch ${JSON.stringify({ patchText: patch })}]]`,
        files: { "note.txt": "old text\n" },
      });
      assert.equal(run.code, 0, run.shown);
      assert.equal(readFileSync(join(run.directory, "note.txt"), "utf8"), "new text\n");
      const rows = await patchbay.assertMetered(2);
      assert.deepEqual(run.steps.map(printed), rows.map(booked));
    });
  }

  it("asks its small model for a title on the same key", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await runOpencode(opened, {
      provider: opencodeProvider("@ai-sdk/openai-compatible", patchbay.baseUrl, HEADER),
      prompt: "Say hello.",
      titled: false,
    });
    assert.equal(run.code, 0, run.shown);
    const rows = await patchbay.assertMetered(2);
    assert.deepEqual(new Set(rows.map((row) => row.modelAsked)), new Set(["gpt-5.4-mini", "gpt-5.5"]));
    assert.equal(new Set(rows.map((row) => row.session)).size, 1);
  });
});

function printed(step: OpencodeTokens): object {
  return { input: step.input, cached: step.cache.read, output: step.output, reasoning: step.reasoning };
}

/** opencode counts reasoning apart from the output. */
function booked({ tokens }: UsageRow): object {
  return {
    input: tokens.uncachedInput,
    cached: tokens.cachedInput,
    output: tokens.output - tokens.reasoning,
    reasoning: tokens.reasoning,
  };
}
