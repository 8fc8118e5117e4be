import assert from "node:assert/strict";
import type { ErrorBody } from "../../src/wire/errors.ts";
import type { TokenKeeper } from "../../src/codex/tokenKeeper.ts";
import { until, within } from "../node/relayRig.ts";
import { describeTransports, KEY, post } from "./matrix.ts";

const ANSWER = { id: "c", model: "gpt-5.5", choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } };

async function errorOf(answer: Response): Promise<ErrorBody["error"]> {
  return ((await answer.json()) as ErrorBody).error;
}

describeTransports("a key's limits", (start) => {
  it("are looked at before anybody asks who serves the model, and whoever is told of it learns all", async () => {
    const proxy = await start({ upstream: () => Response.json(ANSWER), key: { models: ["gpt-5*"] } });
    const nobody = { upstreams: {} };
    const bare = await start({ upstream: () => Response.json(ANSWER), key: { models: ["gpt-5*"] }, settings: nobody });
    for (const one of [proxy, bare]) {
      const refused = await one.request("/v1/chat/completions", post({ model: "x-ai/grok-code", messages: [] }));
      assert.deepEqual([refused.status, (await errorOf(refused)).code], [403, "model_not_allowed"]);
      const [{ keyId, keyLabel, model, upstream, ending, until } = assert.fail("nobody was told")] = one.answered;
      assert.deepEqual(
        [keyId, keyLabel, model, upstream, ending, until],
        ["fixed", "fixed", "x-ai/grok-code", "openrouter", "model_not_allowed", null],
      );
    }
  });

  it("hold for every model that may answer, wherever in the body it is named", async () => {
    let reached = 0;
    const upstream = (): Response => {
      reached += 1;
      return Response.json(ANSWER);
    };
    const settings = { maximumBodyBytes: 8 * 1024 * 1024 };
    const proxy = await start({ upstream, key: { models: ["x-ai/*", "gpt-5*"] }, settings });
    const long = "x".repeat(300_000);
    // Beyond the first megabyte, which is all that is read for a key without limits.
    const messages = `[${Array.from({ length: 5 }, () => `{"role":"user","content":"${long}"}`).join(",")}]`;
    const bodies = [
      { model: "x-ai/grok-code", models: ["x-ai/grok-4", "anthropic/claude-opus-4.5"], messages: [] },
      { model: "x-ai/grok-code", models: "anthropic/claude-opus-4.5", messages: [] },
      `{"model":"gpt-5.5","messages":${messages},"model":"o3"}`,
      `{"model":"x-ai/grok-code","messages":${messages},"models":["o3"]}`,
    ];
    for (const body of bodies) {
      const refused = await proxy.request("/v1/chat/completions", post(body));
      assert.deepEqual([refused.status, (await errorOf(refused)).code], [403, "model_not_allowed"]);
    }
    assert.equal(reached, 0);
    const allowed = { model: "x-ai/grok-code", models: ["x-ai/grok-4", "gpt-5.5"], messages: [] };
    const answer = await proxy.request("/v1/chat/completions", post(allowed));
    assert.equal(answer.status, 200);
    await answer.text();
  });

  it("refuse a request of any size in the terms of the contract", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = 0;
    const upstream = async (): Promise<Response> => {
      asked += 1;
      if (asked === 1) await held;
      return Response.json(ANSWER);
    };
    const proxy = await start({ upstream, key: { quotaTokens: 100_000 } });
    const huge = post(`{"model":"gpt-5.5","messages":[],"max_tokens":9007199254740991,"n":9007199254740991}`);
    const first = proxy.request("/v1/chat/completions", post({ model: "gpt-5.5", messages: [], max_tokens: 10 }));
    await until(() => asked > 0, "the first request upstream");
    const refused = await proxy.request("/v1/chat/completions", huge);
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "1"]);
    assert.equal((await errorOf(refused)).code, "rate_limit_exceeded");
    release();
    await (await first).text();
    // Alone it may go on, and nothing of it is left set aside.
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await proxy.request("/v1/chat/completions", huge);
      assert.equal(answer.status, 200);
      await answer.text();
    }
    const small = await proxy.request("/v1/chat/completions", post({ model: "gpt-5.5", messages: [] }));
    assert.equal(small.headers.get("x-ratelimit-remaining-tokens"), String(100_000 - 3 * 3));
    await small.text();
  });

  it("give a place back whose client left while the sign-in was refreshed, and send nothing for it", async () => {
    let allow: () => void = () => undefined;
    let waiting = 0;
    const allowed = new Promise<void>((resolve) => {
      allow = resolve;
    });
    const access = {
      accessToken: "eyJ.token.x",
      accountId: "acc_1",
      planType: "plus",
      email: undefined,
      isFedramp: false,
      residency: undefined,
      expiresAt: undefined,
    };
    const keeper: TokenKeeper = {
      async access() {
        waiting += 1;
        await allowed;
        return access;
      },
      renew: async () => access,
      status: () => Promise.resolve({ state: "signed_in", ...access, notice: undefined }),
    };
    const reached: string[] = [];
    const proxy = await start({
      keeper,
      key: { maxConcurrent: 1, quotaTokens: 100_000 },
      upstream(request) {
        const { pathname } = new URL(request.url);
        if (request.method === "POST") reached.push(pathname);
        const models = [{ slug: "gpt-6.1-sol", visibility: "list", supported_reasoning_levels: [] }];
        return pathname.endsWith("/codex/models") ? Response.json({ models }) : Response.json({}, { status: 404 });
      },
    });
    const running = async (): Promise<number> => {
      const answer = await proxy.request("/v1/key", { headers: { "x-api-key": KEY } });
      return ((await answer.json()) as { used: { running: number } }).used.running;
    };
    const leaving = new AbortController();
    const body = { model: "gpt-6.1-sol", stream: true, messages: [{ role: "user", content: "Hi" }] };
    const asked = proxy.request("/v1/chat/completions", { ...post(body), signal: leaving.signal });
    const ended = asked.then(
      (answer) => answer.body?.cancel(),
      () => undefined,
    );
    const before = waiting;
    await until(() => waiting > before, "the wait for the sign-in");
    assert.equal(await running(), 1);
    leaving.abort();
    allow();
    await ended;
    const freed = (async () => {
      while ((await running()) > 0);
    })();
    await within(freed, "the place");
    assert.deepEqual(reached, []);
    assert.deepEqual(
      proxy.rows.map(({ ending, costMicros }) => [ending, costMicros]),
      [["client_left", null]],
    );
  });
});
