import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { chat, CLOCK, get, json, post, pretendUpstreams } from "./pretend.ts";

const PATH = "/openai/v1/chat/completions";

describe("sandbox edge", () => {
  it("wants a key, refuses a bad one, and fails loudly on a local key", async () => {
    const sandbox = pretendUpstreams();
    const without = await sandbox.fetch("http://sandbox/openai/v1/models");
    assert.deepEqual([without.status, (await json(without)).error.code], [401, "invalid_api_key"]);
    assert.equal((await get(sandbox, "/openai/v1/models", "sk-bad-1")).status, 401);
    const leaked = await get(sandbox, "/openai/v1/models", "pb_secret");
    assert.deepEqual([leaked.status, (await json(leaked)).error.code], [400, "local_key_leaked"]);
    assert.equal(sandbox.served.at(-1)?.errorCode, "local_key_leaked");
    assert.ok(!JSON.stringify(sandbox.served).includes("pb_secret"));
  });

  it("answers hostile bodies with an OpenAI-shaped 400", async () => {
    const sandbox = pretendUpstreams();
    const bodies = [
      "",
      "nonsense",
      "[]",
      "null",
      "{}",
      '{"model":"m"}',
      '{"model":3,"messages":[]}',
      '{"model":"m","messages":"x","prompt":{},"input":7}',
      '{"model":"m","messages":[null],"prompt":[null],"input":[null]}',
      `{"model":"m","messages":${"[".repeat(100_000)}`,
      `{"model":"m","messages":${"[".repeat(500)}${"]".repeat(500)}}`,
    ];
    const paths = [
      "chat/completions",
      "completions",
      "responses",
      "responses/compact",
      "embeddings",
      "images/generations",
      "moderations",
    ];
    for (const path of paths) {
      for (const body of bodies) {
        const response = await post(sandbox, `/openai/v1/${path}`, body);
        assert.equal(response.status, 400, `${path} ${body.slice(0, 60)}`);
        assert.equal((await json(response)).error.type, "invalid_request_error");
      }
    }
  });

  it("never stumbles over odd values in fields that it only reads", async () => {
    const sandbox = pretendUpstreams();
    const odd = [null, 3, "x", [], {}, [null], [[1]], { type: 3 }];
    for (const value of odd) {
      for (const field of [
        "tools",
        "tool_choice",
        "functions",
        "response_format",
        "text",
        "reasoning",
        "include",
        "metadata",
      ]) {
        const more = { [field]: value };
        for (const stream of [true, false]) {
          const completion = await post(sandbox, PATH, chat("Hi", { ...more, stream }));
          assert.ok(completion.status < 500);
          await completion.text();
          const response = await post(sandbox, "/openai/v1/responses", { model: "m", input: "Hi", stream, ...more });
          assert.ok(response.status < 500);
          await response.text();
        }
      }
      const content = await post(sandbox, PATH, { model: "m", messages: [{ role: "user", content: value }] });
      assert.equal(content.status, 200);
    }
  });

  it("knows no other paths", async () => {
    const sandbox = pretendUpstreams();
    const response = await get(sandbox, "/openai/v1/nothing");
    assert.deepEqual([response.status, (await json(response)).error.code], [404, "unknown_url"]);
    assert.equal((await get(sandbox, "/elsewhere")).status, 404);
    assert.equal((await get(sandbox, "/openai/v1/responses")).status, 404);
  });

  it("takes a token only when the reader does", async () => {
    const sandbox = pretendUpstreams();
    const response = await post(sandbox, PATH, chat("[[tokens:1000000]]", { stream: true }));
    const reader = response.body?.getReader();
    for (let chunks = 0; chunks < 5; chunks += 1) await reader?.read();
    await sleep(5);
    assert.ok((sandbox.served[0]?.sentTokens ?? 0) <= 5);
    await reader?.cancel();
  });

  it("notices a reader that leaves, at once and also in the middle of a wait", async () => {
    const waits: AbortSignal[] = [];
    const wait = (_milliseconds: number, signal: AbortSignal): Promise<void> => {
      waits.push(signal);
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          resolve();
        });
      });
    };
    const sandbox = createSandbox({ clock: CLOCK, wait, tokenDelayMs: 1000 });
    const response = await post(sandbox, PATH, chat("Hi", { stream: true }));
    const reader = response.body?.getReader();
    await reader?.read();
    const pending = reader?.read();
    await sleep(1);
    await reader?.cancel();
    await pending;
    assert.equal(waits[0]?.aborted, true);
    assert.deepEqual([sandbox.served[0]?.outcome, sandbox.served[0]?.endedAt], ["left", CLOCK.now()]);
  });

  it("notices a client that aborts its request while the stream is silent", async () => {
    const sandbox = pretendUpstreams();
    const leaving = new AbortController();
    const response = await sandbox.fetch(`http://sandbox${PATH}`, {
      method: "POST",
      headers: { authorization: "Bearer sk-test" },
      body: JSON.stringify(chat("[[hang-after:1]]", { stream: true })),
      signal: leaving.signal,
    });
    const reading = response.text();
    await sleep(5);
    assert.equal(sandbox.served[0]?.outcome, "open");
    leaving.abort();
    await assert.rejects(reading);
    assert.equal(sandbox.served[0]?.outcome, "left");
  });

  it("shows what it served, with header names but neither credentials nor bodies", async () => {
    const sandbox = pretendUpstreams();
    await post(sandbox, PATH, chat("a secret prompt"), "sk-secret");
    const text = await (await sandbox.fetch("http://sandbox/sandbox/served")).text();
    const [served] = JSON.parse(text).served;
    assert.deepEqual(
      [served.endpoint, served.model, served.outcome],
      ["POST /chat/completions", "gpt-5.5", "finished"],
    );
    assert.ok(served.headerNames.includes("authorization"));
    assert.match(served.bodySha256, /^[0-9a-f]{64}$/);
    assert.ok(!text.includes("secret"));
    assert.equal((await sandbox.fetch("http://sandbox/sandbox/")).status, 200);
  });

  it("remembers a bounded number of requests", async () => {
    const sandbox = pretendUpstreams();
    for (let index = 0; index < 2010; index += 1) await get(sandbox, "/openai/v1/models");
    assert.equal(sandbox.served.length, 2000);
    assert.equal(sandbox.served.at(-1)?.number, 2010);
  });
});
