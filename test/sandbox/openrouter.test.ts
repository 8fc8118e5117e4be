import assert from "node:assert/strict";
import { chat, events, get, json, post, pretendUpstreams } from "./pretend.ts";

const BASE = "/openrouter/api/v1";

describe("sandbox OpenRouter", () => {
  it("always sends usage with its cost in the last chunk, after comment lines", async () => {
    const sandbox = pretendUpstreams();
    const body = chat("[[tokens:10]][[cached:1000]]", { model: "openai/gpt-5.5", stream: true });
    const response = await post(sandbox, `${BASE}/chat/completions`, body);
    const text = await response.text();
    assert.match(text, /^: OPENROUTER PROCESSING\n/);
    const { id, usage } = events(text).at(-2);
    assert.equal(response.headers.get("x-generation-id"), id);
    // 1000 cached tokens at 0.5 and 10 output tokens at 30 dollars per million.
    assert.deepEqual([usage.cost, usage.is_byok, usage.prompt_tokens_details.cached_tokens], [0.0008, false, 1000]);
    assert.equal(sandbox.served[0]?.costMicros, 800);
  });

  it("breaks off with an error chunk that carries the finish reason error, and ends cleanly", async () => {
    const response = await post(
      pretendUpstreams(),
      `${BASE}/chat/completions`,
      chat("[[fail-after:2]]", { stream: true }),
    );
    const last = events(await response.text()).at(-1);
    assert.equal(last.choices[0].finish_reason, "error");
    assert.equal(last.error.code, 502);
  });

  it("keeps a settled record of a generation whose reader left", async () => {
    const sandbox = pretendUpstreams();
    const body = chat("[[tokens:1000]]", { model: "openai/gpt-5.5", stream: true });
    const response = await post(sandbox, `${BASE}/chat/completions`, body);
    const id = response.headers.get("x-generation-id") ?? "";
    const reader = response.body?.getReader();
    for (let chunks = 0; chunks < 8; chunks += 1) await reader?.read();
    assert.equal((await get(sandbox, `${BASE}/generation?id=${id}`)).status, 404);
    await reader?.cancel();
    const { data } = await json(await get(sandbox, `${BASE}/generation?id=${id}`));
    assert.equal(data.cancelled, true);
    assert.equal(data.native_tokens_completion, sandbox.served[0]?.sentTokens);
    assert.ok(data.total_cost > 0);
  });

  it("refuses a stateful Responses request and answers a stateless one with its cost", async () => {
    const sandbox = pretendUpstreams();
    assert.equal((await post(sandbox, `${BASE}/responses`, { model: "m/n", input: "Hi", store: true })).status, 400);
    const previous = { model: "m/n", input: "Hi", previous_response_id: "x" };
    assert.equal((await post(sandbox, `${BASE}/responses`, previous)).status, 400);
    const answer = await json(await post(sandbox, `${BASE}/responses`, { model: "m/n", input: "Hi", store: false }));
    assert.ok(answer.usage.cost > 0);
    assert.ok(answer.usage.cost_details.upstream_inference_output_cost > 0);
  });

  it("lists models with prices as decimal strings, without a key", async () => {
    const sandbox = pretendUpstreams();
    const { data } = await json(await sandbox.fetch(`http://sandbox${BASE}/models`));
    for (const model of data) {
      assert.match(model.id, /^[\w-]+\/[\w.-]+$/);
      assert.match(model.pricing.prompt, /^0\.\d*[1-9]$|^0$/);
    }
  });

  it("tells a key its use, and credits only to a management key", async () => {
    const sandbox = pretendUpstreams();
    await post(sandbox, `${BASE}/chat/completions`, chat("[[tokens:100]]", { model: "openai/gpt-5.5" }));
    const { data } = await json(await get(sandbox, `${BASE}/key`));
    assert.ok(data.usage >= 0.003);
    assert.equal((await get(sandbox, `${BASE}/credits`)).status, 403);
    const credits = await json(await get(sandbox, `${BASE}/credits`, "sk-or-mgmt-1"));
    assert.deepEqual([credits.data.total_credits, credits.data.total_usage], [100, data.usage]);
  });

  it("gives errors a number for a code", async () => {
    const response = await post(pretendUpstreams(), `${BASE}/chat/completions`, chat("[[status:402]]"));
    const { error } = await json(response);
    assert.deepEqual([response.status, error.code, error.metadata.error_type], [402, 402, "payment_required"]);
  });
});
