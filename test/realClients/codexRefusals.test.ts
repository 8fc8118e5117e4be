import assert from "node:assert/strict";
import { Opened } from "../node/relayRig.ts";
import { codexProvider, type CodexRun, runCodex } from "./codex.ts";
import { spendOne } from "./openaiSdk.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay, WRONG_KEY } from "./patchbay.ts";

describe("Codex, refused", function () {
  this.timeout(45_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  function say(patchbay: Patchbay, prompt = "Say hello.", key = LOCAL_KEY): Promise<CodexRun> {
    const config = codexProvider(patchbay.baseUrl, [`experimental_bearer_token = "${key}"`]);
    return runCodex(opened, { config, prompt });
  }

  it("for an unknown key, asks once and shows our sentence alone", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await say(patchbay, undefined, WRONG_KEY);
    assert.equal(run.code, 1);
    assert.match(run.errors[0] ?? "", /^This Patchbay key is not known here: .*gave out\.$/);
    assert.deepEqual(answers(patchbay), ["200 invalid_api_key"]);
  });

  it("for an unknown key behind openai_base_url, is never answered with a 401", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await runCodex(opened, {
      config: `model = "gpt-5.5"\nopenai_base_url = "${patchbay.baseUrl}"\n`,
      authJson: { auth_mode: "apikey", OPENAI_API_KEY: WRONG_KEY },
      prompt: "Say hello.",
    });
    assert.match(run.errors[0] ?? "", /^This Patchbay key is not known here/);
    assert.deepEqual(answers(patchbay), ["426 upgrade_required", "200 invalid_api_key"]);
  });

  it("for its quota, asks once and shows our sentence alone", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--quota-tokens", "1"] });
    await spendOne(patchbay);
    const run = await say(patchbay);
    assert.equal(run.code, 1);
    assert.match(run.errors[0] ?? "", /^The key 'fixed' has used its token quota: .*another key\.$/);
    assert.deepEqual(answers(patchbay), ["200 complete", "200 quota_exceeded"]);
  });

  it("for a body above the limit, asks once and shows our sentence alone", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--max-body", "4KiB"] });
    const run = await say(patchbay);
    assert.match(run.errors[0] ?? "", /^The request's body is larger than this proxy's limit of 4 KiB/);
    assert.deepEqual(answers(patchbay), ["200 request_too_large"]);
  });

  it("for an upstream without a key, asks once and shows our sentence alone", async () => {
    const patchbay = await startPatchbay(opened, { upstreamKey: "" });
    const run = await say(patchbay);
    assert.match(run.errors[0] ?? "", /^This model is OpenAI's, and no OpenAI key is set/);
    assert.deepEqual(answers(patchbay), ["200 upstream_not_configured"]);
  });

  it("for its rate, waits as long as Retry-After says and goes on", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--rate", "20/m", "--burst", "1"] });
    await spendOne(patchbay);
    const run = await say(patchbay);
    assert.equal(run.code, 0, run.shown);
    assert.deepEqual(answers(patchbay), ["200 complete", "429 rate_limit_exceeded", "200 complete"]);
    await patchbay.assertMetered(2);
  });

  it("by an upstream's 429 with a Retry-After, waits as long and goes on", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await say(patchbay, "Say hello. [[status:429]] [[retry-after:1]] [[only-first:1]]");
    assert.equal(run.code, 0, run.shown);
    assert.deepEqual(answers(patchbay), ["429 failed", "200 complete"]);
    const [refused, answered] = await patchbay.assertMetered(2);
    assert((answered?.startedAt ?? 0) - (refused?.startedAt ?? 0) >= 1000);
  });

  it("by an upstream's 400, asks once and shows the upstream's words", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await say(patchbay, "Say hello. [[error:400 bad_request There is no such thing]]");
    assert.match(run.errors[0] ?? "", /There is no such thing/);
    assert.deepEqual(answers(patchbay), ["400 failed"]);
  });
});

function answers(patchbay: Patchbay): string[] {
  return patchbay.answered.map((one) => `${one.status} ${one.ending}`);
}
