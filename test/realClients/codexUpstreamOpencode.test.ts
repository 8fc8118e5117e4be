import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Opened } from "../node/relayRig.ts";
import { opencodeProvider, runOpencode } from "./opencode.ts";
import { LOCAL_KEY, startPatchbay } from "./patchbay.ts";

const PATCH = "*** Begin Patch\n*** Update File: note.txt\n@@\n-old text\n+new text\n*** End Patch";

describe("opencode, on our sign-in with ChatGPT,", function () {
  this.timeout(70_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  for (const [npm, endpoint] of [
    ["@ai-sdk/openai-compatible", "chat"],
    ["@ai-sdk/openai", "responses"],
  ] as const) {
    it(`edits a file through ${endpoint} (${npm}), its rounds being one conversation`, async () => {
      const patchbay = await startPatchbay(opened, { signedIn: true });
      const run = await runOpencode(opened, {
        provider: opencodeProvider(npm, patchbay.baseUrl, { apiKey: LOCAL_KEY }),
        prompt: `Work. [[tool:read {"filePath":"note.txt"}]] [[tool:apply_patch ${JSON.stringify({ patchText: PATCH })}]] [[say:all done]] [[reasoning:5]]`,
        files: { "note.txt": "old text\n" },
      });
      assert.deepEqual([run.code, run.errors], [0, []], run.shown);
      assert.equal(readFileSync(join(run.directory, "note.txt"), "utf8"), "new text\n");
      assert.match(run.texts.at(-1) ?? "", /all done/);
      const rows = await patchbay.assertMetered(3);
      assert.deepEqual(
        rows.map((row) => [row.upstream, row.endpoint, row.modelServed]),
        Array.from({ length: 3 }, () => ["codex", endpoint, "gpt-5.5"]),
      );
      assert.deepEqual(
        run.steps.map((step) => [step.output + step.reasoning, step.reasoning, step.cache.read]),
        rows.map(({ tokens }) => [tokens.output, tokens.reasoning, tokens.cachedInput]),
      );
      const turns = (await patchbay.served()).map((one) => one.codex);
      assert.deepEqual(
        turns.map((one) => [one?.continuity, one?.cacheKeyMatches]),
        [
          ["first", true],
          ["extended", true],
          ["extended", true],
        ],
      );
    });
  }
});
