import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import { Opened } from "../node/relayRig.ts";
import { codexProvider, loginConfig, runCodex } from "./codex.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay } from "./patchbay.ts";
import { type Recorder, startRecorder } from "./recorder.ts";

describe("Codex, which presents its key", function () {
  this.timeout(45_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  for (const [where, lines] of [
    ["in a header from the environment", ['env_http_headers = { "X-Daemon-Token" = "PATCHBAY_KEY" }']],
    ["in a header", [`http_headers = { "X-Daemon-Token" = "${LOCAL_KEY}" }`]],
    ["as a bearer in its configuration", [`experimental_bearer_token = "${LOCAL_KEY}"`]],
    ["as a bearer from the environment", ['env_key = "PATCHBAY_KEY"']],
    ["as the output of a command", [`auth = { command = "echo", args = ["${LOCAL_KEY}"] }`]],
  ] as const) {
    it(`${where}, prints the usage that sandbox and ledger have`, async () => {
      const patchbay = await startPatchbay(opened);
      const run = await runCodex(opened, {
        config: codexProvider(patchbay.baseUrl, lines),
        environment: { PATCHBAY_KEY: LOCAL_KEY },
        prompt: "Say hello. [[cached:1000]] [[reasoning:7]]",
      });
      assert.deepEqual([run.code, run.errors], [0, []], run.shown);
      const [row] = await patchbay.assertMetered(1);
      assert.deepEqual(run.usage, {
        input_tokens: (row?.tokens.uncachedInput ?? 0) + 1000,
        cached_input_tokens: 1000,
        cache_write_input_tokens: 0,
        output_tokens: row?.tokens.output,
        reasoning_output_tokens: 7,
      });
      assert.deepEqual([row?.keyId, row?.client, row?.endpoint], ["fixed", "codex_exec", "responses"]);
      assert.equal(row?.session, threadOf(run.out));
    });
  }

  for (const [where, base, ownKey] of [
    ["in the path of openai_base_url", `/k/${LOCAL_KEY}/v1`, "sk-users-own"],
    ["as its API key, with openai_base_url", "/v1", LOCAL_KEY],
  ] as const) {
    it(`${where}, is sent from WebSocket to POST at once`, async () => {
      let recorder: Recorder | undefined;
      const patchbay = await startPatchbay(opened, {
        between: async (origin) => (recorder = await startRecorder(opened, origin)).origin,
      });
      const run = await runCodex(opened, {
        config: `model = "gpt-5.5"\nopenai_base_url = "${patchbay.origin}${base}"\n`,
        authJson: { auth_mode: "apikey", OPENAI_API_KEY: ownKey },
        prompt: "Say hello.",
      });
      assert.deepEqual([run.code, run.errors], [0, []], run.shown);
      assert.deepEqual(asked(patchbay), ["GET /v1/responses 426", "POST /v1/responses 200"]);
      const [row] = await patchbay.assertMetered(1);
      assert.equal(run.usage?.output_tokens, row?.tokens.output);
      assert.equal(recorder?.requests.at(-1)?.headers.authorization, "Bearer sk-upstream");
      assert(!JSON.stringify(patchbay.answered).includes(LOCAL_KEY));
    });
  }

  for (const [model, kind] of [
    ["gpt-5.5", "the Codex backend gets its token"],
    ["openai/gpt-5.5", "OpenRouter does not get its token"],
    ["gpt-4.1", "OpenAI does not get its token"],
  ] as const) {
    it(`in the path while it is signed in with ChatGPT and asks for ${model}: ${kind}, and nobody else does`, async () => {
      let recorder: Recorder | undefined;
      const patchbay = await startPatchbay(opened, {
        words: ["--route", "gpt-4.1=openai"],
        between: async (origin) => (recorder = await startRecorder(opened, origin)).origin,
      });
      const authJson = await patchbay.codex.signIn();
      const run = await runCodex(opened, { config: loginConfig(patchbay, model), authJson, prompt: "Say hello." });
      assert.equal(run.code, 0, run.shown);
      const [row] = await patchbay.assertMetered(1);
      assert.deepEqual([row?.modelAsked, row?.tokens.output], [model, run.usage?.output_tokens]);
      const requests = recorder?.requests ?? [];
      const { access_token: token, account_id: account } = authJson.tokens;
      for (const one of requests) {
        const isBackend = one.path.startsWith("/codex/backend-api/");
        const told = [one.path, JSON.stringify(one.headers), one.body].join("\n");
        assert.deepEqual([one.path, told.includes(token), told.includes(account)], [one.path, isBackend, isBackend]);
      }
      const sent = requests.find((one) => one.method === "POST");
      const isCodex = model === "gpt-5.5";
      assert.equal(sent?.headers.authorization, `Bearer ${isCodex ? token : "sk-upstream"}`);
      assert.equal(sent.headers["content-encoding"], "zstd");
      // It asked for the list of models, and what it got must not take its own tools from it.
      const body = JSON.parse(zstdDecompressSync(sent.bytes).toString("utf8")) as { tools: { name?: string }[] };
      if (isCodex) assert(body.tools.some((tool) => tool.name === "apply_patch"));
      assert(![token, authJson.tokens.refresh_token].some((secret) => patchbay.logLines.join().includes(secret)));
    });
  }

  it("with WebSockets switched on for a provider of the user's own, is sent to POST at once", async () => {
    const patchbay = await startPatchbay(opened);
    const lines = [`experimental_bearer_token = "${LOCAL_KEY}"`, "supports_websockets = true"];
    const run = await runCodex(opened, { config: codexProvider(patchbay.baseUrl, lines), prompt: "Say hello." });
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    assert.deepEqual(asked(patchbay), ["GET /v1/responses 426", "POST /v1/responses 200"]);
  });

  it("has its body passed on byte for byte, and its own headers with it", async () => {
    const patchbay = await startPatchbay(opened);
    const front = await startRecorder(opened, patchbay.origin);
    const lines = [`experimental_bearer_token = "${LOCAL_KEY}"`];
    await runCodex(opened, { config: codexProvider(`${front.origin}/v1`, lines), prompt: "Say hello." });
    await patchbay.assertMetered(1);
    const [sent] = front.requests;
    const [served] = await patchbay.served();
    assert(sent !== undefined && served !== undefined);
    assert.equal(served.bodySha256, createHash("sha256").update(sent.bytes).digest("hex"));
    const arrived = new Set(served.headerNames);
    assert.deepEqual(
      Object.keys(sent.headers).filter((name) => !arrived.has(name)),
      [],
    );
  });

  it("which upstream's key is wrong, is told so once and not with a 401 that would make it renew its sign-in", async () => {
    const patchbay = await startPatchbay(opened, { upstreamKey: "sk-bad" });
    const run = await runCodex(opened, {
      config: codexProvider(patchbay.baseUrl, [`experimental_bearer_token = "${LOCAL_KEY}"`]),
      prompt: "Say hello.",
    });
    assert.equal(run.code, 1);
    assert.match(run.errors[0] ?? "", /Incorrect API key provided/);
    assert.deepEqual(asked(patchbay), ["POST /v1/responses 400"]);
  });
});

function asked(patchbay: Patchbay): string[] {
  return patchbay.answered.map((one) => `${one.method} ${one.path} ${one.status}`);
}

function threadOf(out: string): string | undefined {
  return /"thread_id":"([^"]+)"/.exec(out)?.[1];
}
