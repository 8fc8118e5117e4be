import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Opened } from "../node/relayRig.ts";
import { codexProvider, loginConfig, runCodex } from "./codex.ts";
import { LOCAL_KEY, type PatchbayOptions, startPatchbay } from "./patchbay.ts";
import { type Recorder, startRecorder } from "./recorder.ts";

describe("Codex, signed in with ChatGPT, through openai_base_url", function () {
  this.timeout(45_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  async function start(options: PatchbayOptions = {}) {
    let behind: Recorder | undefined;
    const patchbay = await startPatchbay(opened, {
      between: async (origin) => (behind = await startRecorder(opened, origin)).origin,
      ...options,
    });
    const authJson = await patchbay.codex.signIn();
    return { patchbay, authJson, behind: () => behind?.requests ?? [] };
  }

  for (const model of ["gpt-5.5", "gpt-6.1-sol"]) {
    it(`is answered by its backend with its own token and its own bytes (${model})`, async () => {
      const { patchbay, authJson, behind } = await start();
      const front = await startRecorder(opened, patchbay.origin);
      const config = loginConfig(front, model);
      const run = await runCodex(opened, { config, authJson, prompt: "Say hello. [[say:all of it]] [[reasoning:7]]" });
      assert.deepEqual([run.code, run.errors], [0, []], run.shown);
      assert.match(run.messages.at(-1) ?? "", /all of it$/);
      assert(!run.shown.includes("Model metadata"), run.shown);
      const [row] = await patchbay.assertMetered(1);
      assert.deepEqual(
        [row?.upstream, row?.endpoint, row?.modelServed, row?.client],
        ["codex", "responses", model, "codex_exec"],
      );
      assert.deepEqual(
        [run.usage?.output_tokens, run.usage?.reasoning_output_tokens],
        [row?.tokens.output, row?.tokens.reasoning],
      );
      const asked = front.requests.find((one) => one.method === "POST" && one.path.endsWith("/responses"));
      const sent = behind().find((one) => one.method === "POST");
      assert(asked !== undefined && sent !== undefined);
      assert.equal(sent.path, "/codex/backend-api/codex/responses");
      assert.equal(sent.headers["content-encoding"], "zstd");
      assert(sent.bytes.equals(asked.bytes));
      assert.equal(sent.headers.authorization, `Bearer ${authJson.tokens.access_token}`);
      const lost = Object.keys(asked.headers).filter((name) => !(name in sent.headers));
      assert.deepEqual(lost, []);
      // The list of models is its backend's own, and the WebSocket is declined at once.
      assert(behind().some((one) => one.path.startsWith("/codex/backend-api/codex/models?client_version=")));
      const own = patchbay.answered.filter((one) => one.path.startsWith("/v1/"));
      assert(own.some((one) => one.path === "/v1/models" && one.status === 200));
      assert(own.some((one) => one.method === "GET" && one.path === "/v1/responses" && one.status === 426));
      assert(own.every((one) => one.status !== 401));
    });
  }

  it("runs a command, and its conversation goes on with resume", async () => {
    const { patchbay, authJson } = await start();
    const run = await runCodex(opened, {
      config: loginConfig(patchbay, "gpt-5.5"),
      authJson,
      words: ["--dangerously-bypass-approvals-and-sandbox"],
      prompt: `Work. [[tool:exec_command {"cmd":"printf made > made.txt"}]]`,
      followUp: "And now? [[say:the second turn]]",
    });
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    assert.equal(readFileSync(join(run.directory, "made.txt"), "utf8"), "made");
    assert.match(run.messages.at(-1) ?? "", /the second turn$/);
    await patchbay.assertMetered(3);
    const turns = (await patchbay.served()).map((one) => one.codex);
    assert.deepEqual(
      turns.map((one) => one?.continuity),
      ["first", "extended", "extended"],
    );
    assert.deepEqual(new Set(turns.map((one) => one?.sessionId)).size, 1);
  });

  it("needs no sign-in of ours, and one of ours is not used for it", async () => {
    const { patchbay, behind } = await start({ signedIn: true });
    const authJson = await patchbay.codex.signIn({ account_id: "acc_another" });
    const run = await runCodex(opened, { config: loginConfig(patchbay, "gpt-5.5"), authJson, prompt: "Say hello." });
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    await patchbay.assertMetered(1);
    const ours = (JSON.parse(readFileSync(patchbay.authFile, "utf8")) as typeof authJson).tokens.access_token;
    assert(behind().every((one) => one.headers.authorization !== `Bearer ${ours}`));
    const [served] = await patchbay.served();
    assert.equal(served?.codex?.accountId, "acc_another");
  });

  it("reads that its plan is used up, as the backend said it", async () => {
    const { patchbay, authJson } = await start();
    const run = await runCodex(opened, {
      config: loginConfig(patchbay, "gpt-5.5"),
      authJson,
      prompt: "[[usage-limit:3600]]",
    });
    assert.equal(run.code, 1);
    assert.match(run.errors.join("\n"), /hit your usage limit/i);
    assert.equal((await patchbay.row()).status, 429);
  });

  it("gets the backend's 401 for a token that has ended, renews it by itself and goes on", async () => {
    const { patchbay, authJson } = await start();
    await patchbay.codex.expire();
    const run = await runCodex(opened, {
      config: loginConfig(patchbay, "gpt-5.5"),
      authJson,
      environment: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${patchbay.sandboxOrigin}/auth/oauth/token` },
      prompt: "Say hello. [[say:with a new token]]",
    });
    assert.equal(run.code, 0, run.shown);
    assert.match(run.messages.at(-1) ?? "", /with a new token$/);
    const { refreshes, reuses } = await patchbay.codex.counts();
    assert.deepEqual({ refreshes, reuses }, { refreshes: 1, reuses: 0 });
  });

  it("reaches its backend from a provider of the user's own, with the key in a header", async () => {
    const { patchbay, authJson, behind } = await start();
    const run = await runCodex(opened, {
      config: codexProvider(
        patchbay.baseUrl,
        ["requires_openai_auth = true", `http_headers = { "X-Daemon-Token" = "${LOCAL_KEY}" }`],
        { top: [`chatgpt_base_url = "${patchbay.origin}/nothing"`] },
      ),
      authJson,
      prompt: "Say hello.",
    });
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    const [row] = await patchbay.assertMetered(1);
    assert.deepEqual([row?.upstream, row?.keyId], ["codex", "fixed"]);
    const sent = behind().find((one) => one.method === "POST");
    assert.equal(sent?.headers.authorization, `Bearer ${authJson.tokens.access_token}`);
    assert.equal(sent.headers["x-daemon-token"], undefined);
  });

  it("has the routing header added that its workspace needs", async () => {
    const account = {
      id: "acc_patchbay_sandbox",
      workspace_backend_origin: "https://chatgpt.com",
      account_routing_override: "us_cr",
    };
    const checked = { accounts: [account], account_ordering: [account.id], default_account_id: account.id };
    let behind: Recorder | undefined;
    const patchbay = await startPatchbay(opened, {
      between: async (origin) => {
        behind = await startRecorder(opened, origin, ({ path }) =>
          path.endsWith("/wham/accounts/check") ? checked : undefined,
        );
        return behind.origin;
      },
    });
    const authJson = await patchbay.codex.signIn();
    const run = await runCodex(opened, { config: loginConfig(patchbay, "gpt-5.5"), authJson, prompt: "Say hello." });
    assert.deepEqual([run.code, run.errors], [0, []], run.shown);
    await patchbay.assertMetered(1);
    const sent = behind?.requests.find((one) => one.method === "POST");
    assert.equal(sent?.headers["x-openai-account-routing-override"], "us_cr");
  });
});
