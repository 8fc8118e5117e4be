import assert from "node:assert/strict";
import { Opened, until } from "../node/relayRig.ts";
import { spendOne } from "./openaiSdk.ts";
import { opencodeProvider, type OpencodeRun, runOpencode } from "./opencode.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay, WRONG_KEY } from "./patchbay.ts";

const CHAT = "@ai-sdk/openai-compatible";
const RESPONSES = "@ai-sdk/openai";

describe("opencode", function () {
  this.timeout(70_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  function say(patchbay: Patchbay, npm: typeof CHAT | typeof RESPONSES, settings: Settings = {}): Promise<OpencodeRun> {
    const { prompt = "Say hello.", key = LOCAL_KEY, stop } = settings;
    const provider = opencodeProvider(npm, patchbay.baseUrl, { apiKey: key });
    return runOpencode(opened, { provider, prompt, ...(stop && { stop }) });
  }

  for (const npm of [CHAT, RESPONSES] as const) {
    describe(`with ${npm}`, () => {
      it("shows the refusal of an unknown key after one request", async () => {
        const patchbay = await startPatchbay(opened);
        const run = await say(patchbay, npm, { key: WRONG_KEY });
        assert.equal(run.errors.length, 1, run.shown);
        assert.match(run.errors[0] ?? "", /^This Patchbay key is not known here/);
        assert.deepEqual(endings(patchbay), ["invalid_api_key"]);
      });

      it("shows that the quota is used up after one request", async () => {
        const patchbay = await startPatchbay(opened, { words: ["--quota-tokens", "1"] });
        await spendOne(patchbay);
        const run = await say(patchbay, npm);
        assert.equal(run.errors.length, 1, run.shown);
        assert.match(run.errors[0] ?? "", /^The key 'fixed' has used its token quota/);
        assert.deepEqual(endings(patchbay), ["complete", "quota_exceeded"]);
      });

      for (const [what, directive] of [
        ["whose connection is lost", "[[cut-after:3]]"],
        ["that fails by its own account", "[[fail-after:3]]"],
      ] as const) {
        it(`asks again for a stream ${what}, and does not take the piece for the answer`, async () => {
          const patchbay = await startPatchbay(opened);
          const run = await say(patchbay, npm, { prompt: `[[say:the whole of it]] ${directive} [[only-first:1]]` });
          assert.deepEqual([run.code, run.errors], [0, []], run.shown);
          assert.match(run.texts.at(-1) ?? "", /the whole of it$/);
          await patchbay.assertMetered(2);
        });
      }
    });
  }

  it("does not ask without end where an upstream's streams end early, cleanly", async () => {
    const patchbay = await startPatchbay(opened);
    const watched = new AbortController();
    const settings = { prompt: "Say hello. [[eof-after:3]]", stop: watched.signal };
    const runs = Promise.all([say(patchbay, CHAT, settings), say(patchbay, RESPONSES, settings)]);
    const asked = (path: string): number => patchbay.answered.filter((one) => one.path === path).length;
    const paths = ["/v1/chat/completions", "/v1/responses"];
    await until(() => paths.every((path) => asked(path) > 0), "the first requests", 40_000);
    // Left to a clean end it asks five times a second (measured); its own retries wait for 2, 4 and 8 seconds.
    await new Promise((resolve) => {
      setTimeout(resolve, 4_000);
    });
    watched.abort();
    await runs;
    for (const path of paths) assert(asked(path) <= 4, `${asked(path)} requests of ${path}`);
    assert((await patchbay.rows()).every((row) => row.ending === "upstream_cut"));
  });

  it("waits out a rate as Retry-After says and goes on", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await say(patchbay, CHAT, { prompt: "[[status:429]] [[retry-after:1]] [[only-first:1]]" });
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    await patchbay.assertMetered(2);
  });

  it("shows a body above the limit as what it is", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--max-body", "1KiB"] });
    const run = await say(patchbay, CHAT);
    assert.match(run.errors[0] ?? "", /^The request's body is larger than this proxy's limit of 1 KiB/);
    // The second one asks for a shorter history, which is how it reads a 413.
    assert.deepEqual(endings(patchbay), ["request_too_large", "request_too_large"]);
  });
});

interface Settings {
  readonly prompt?: string;
  readonly key?: string;
  readonly stop?: AbortSignal;
}

function endings(patchbay: Patchbay): string[] {
  return patchbay.answered.map((one) => one.ending);
}
