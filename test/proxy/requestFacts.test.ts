import assert from "node:assert/strict";
import { createFetchExchange } from "../../src/proxy/fetchExchange.ts";
import { readRequestFacts, type RequestFacts } from "../../src/proxy/requestFacts.ts";

/** What is read of a body for a key with limits. */
function factsOf(body: object | string): Promise<RequestFacts> | RequestFacts {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const request = new Request("http://127.0.0.1/v1/chat/completions", { method: "POST", body: text });
  const exchange = createFetchExchange(request, {
    fetch: () => Promise.reject(new Error("nothing is sent")),
    maximumBodyBytes: () => 1_000_000,
    headersTimeoutMs: 1_000,
    keepAliveAfterMs: 1_000,
    later: () => () => undefined,
  });
  return readRequestFacts(exchange, 1_000_000, () => Promise.resolve(undefined), true);
}

describe("what is read of a request for a key with limits", () => {
  it("is the largest bound on output that it names, under whatever name", async () => {
    const bounds = { max_completion_tokens: 5, max_output_tokens: 7, max_tokens: 90_000 };
    assert.equal((await factsOf({ model: "m", ...bounds })).maxOutputTokens, 90_000);
    assert.equal((await factsOf({ model: "m", max_completion_tokens: 5 })).maxOutputTokens, 5);
    assert.equal((await factsOf({ model: "m", max_tokens: null })).maxOutputTokens, undefined);
    assert.equal((await factsOf({ model: "m", max_tokens: "many" })).maxOutputTokens, undefined);
  });

  it("is how many answers it wants, of which each may be as long", async () => {
    assert.equal((await factsOf({ model: "m" })).answers, 1);
    assert.equal((await factsOf({ model: "m", n: 4 })).answers, 4);
    assert.equal((await factsOf({ model: "m", n: 2, best_of: 8 })).answers, 8);
    assert.equal((await factsOf({ model: "m", n: 0 })).answers, 1);
  });

  it("is every model that may answer it, an empty name for what cannot be read", async () => {
    const fallbacks = async (models: unknown) => (await factsOf({ model: "m", models })).fallbackModels;
    assert.deepEqual((await factsOf({ model: "m" })).fallbackModels, []);
    assert.deepEqual(await fallbacks(null), []);
    assert.deepEqual(await fallbacks(["a/b", "c/d"]), ["a/b", "c/d"]);
    assert.deepEqual(await fallbacks(["a/b", 7]), ["a/b", ""]);
    assert.deepEqual(await fallbacks("a/b"), [""]);
    assert.deepEqual(await fallbacks([...Array.from({ length: 50_000 }, () => "a/model"), "c/d"]), [""]);
  });

  it("stays a number that can be counted with, whatever is written there", async () => {
    for (const written of ["9007199254740991", "1e300", "1e400", "123456789.5"]) {
      const { maxOutputTokens, answers } = await factsOf(`{"model":"m","max_tokens":${written},"n":${written}}`);
      assert.ok(Number.isSafeInteger((maxOutputTokens ?? 0) * answers), written);
      assert.ok((maxOutputTokens ?? 0) >= 1_000_000 && answers === 128, written);
    }
  });
});
