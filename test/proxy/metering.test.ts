import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { UsageRow } from "../../src/ledger/usageRow.ts";
import { until } from "../node/relayRig.ts";
import { describeTransports, KEY, OPENAI_KEY, post, sse, type TestProxy } from "./matrix.ts";

const chatUsage = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 30 },
  completion_tokens_details: { reasoning_tokens: 5 },
};
const responsesUsage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 30, cache_write_tokens: 10 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 5 },
  total_tokens: 120,
};
const chatTokens = { uncachedInput: 70, cachedInput: 30, cacheWrite: 0, cacheWriteLong: 0, output: 20, reasoning: 5 };
const responsesTokens = {
  uncachedInput: 60,
  cachedInput: 30,
  cacheWrite: 10,
  cacheWriteLong: 0,
  output: 20,
  reasoning: 5,
};

const chunk = (delta: object, finish: string | null = null): object => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-5.5-2026-04-23",
  service_tier: "default",
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const usageChunk = {
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-5.5-2026-04-23",
  choices: [],
  usage: chatUsage,
};
const DONE = "data: [DONE]\n\n";

async function onlyRow(proxy: TestProxy): Promise<UsageRow> {
  assert.equal(proxy.rows.length, 1);
  const [row] = proxy.rows;
  assert.ok(row);
  return row;
}

describeTransports("the meter", (start) => {
  it("takes a body that turns out too large for a failure that cost nothing, not for the upstream's", async () => {
    const upstream = async (request: Request): Promise<Response> =>
      Response.json({ size: (await request.text()).length });
    const proxy = await start({ upstream, settings: { maximumBodyBytes: 1000 } });
    // Of unknown length, and of an endpoint whose bodies are passed on as they come.
    const response = await proxy.request("/v1/images/edits", {
      method: "POST",
      headers: { authorization: `Bearer ${KEY}`, "content-type": "multipart/form-data; boundary=x" },
      body: new Blob(["x".repeat(5_000)]).stream(),
      duplex: "half",
    });
    assert.equal(response.status, 413);
    await response.text();
    const { status, ending, costMicros } = await onlyRow(proxy);
    assert.deepEqual({ status, ending, costMicros }, { status: 413, ending: "failed", costMicros: 0 });
  });

  it("reads a chat completion", async () => {
    const proxy = await start({
      upstream: () =>
        Response.json({
          id: "chatcmpl-1",
          model: "gpt-5.5-2026-04-23",
          service_tier: "default",
          choices: [],
          usage: chatUsage,
        }),
    });
    const request = post({ model: "gpt-5.5" }, { "user-agent": "opencode/1.18.33 ai-sdk/x", "x-session-id": "ses_1" });
    await (await proxy.request("/v1/chat/completions", request)).text();
    const row = await onlyRow(proxy);
    assert.deepEqual(row.tokens, chatTokens);
    assert.deepEqual(
      [
        row.upstream,
        row.endpoint,
        row.modelAsked,
        row.modelServed,
        row.usageSource,
        row.ending,
        row.status,
        row.client,
        row.session,
        row.keyId,
      ],
      ["openai", "chat", "gpt-5.5", "gpt-5.5-2026-04-23", "reported", "complete", 200, "opencode", "ses_1", "fixed"],
    );
    assert.equal(row.costSource, "price_table");
    assert.equal(row.costMicros, 70 * 5 + 30 * 0.5 + 20 * 30);
  });

  it("reads the usage chunk of a chat stream", async () => {
    const proxy = await start({
      upstream: () =>
        sse([
          chunk({ role: "assistant", content: "" }),
          chunk({ content: "Hi" }),
          chunk({ content: '"usage":{' }),
          chunk({}, "stop"),
          usageChunk,
          DONE,
        ]),
    });
    await (
      await proxy.request(
        "/v1/chat/completions",
        post({ model: "gpt-5.5", stream: true, stream_options: { include_usage: true } }),
      )
    ).text();
    const row = await onlyRow(proxy);
    assert.deepEqual(row.tokens, chatTokens);
    assert.equal(row.ending, "complete");
    assert.equal(row.usageSource, "reported");
    assert.ok(row.firstTokenMs !== null && row.firstTokenMs <= row.totalMs);
  });

  it("estimates a chat stream that reports no usage, and says so", async () => {
    const proxy = await start({
      upstream: () =>
        sse([chunk({ role: "assistant" }), chunk({ content: "a" }), chunk({ content: "b" }), chunk({}, "stop"), DONE]),
    });
    const body = JSON.stringify({ model: "gpt-5.5", stream: true });
    await (await proxy.request("/v1/chat/completions", post(body))).text();
    const row = await onlyRow(proxy);
    assert.equal(row.usageSource, "estimated");
    assert.equal(row.tokens.output, 2);
    assert.equal(row.tokens.uncachedInput, Math.ceil(body.length / 4));
  });

  for (const [type, ending] of [
    ["response.completed", "complete"],
    ["response.incomplete", "incomplete"],
    ["response.failed", "failed"],
  ] as const) {
    it(`reads usage off ${type}`, async () => {
      const response = {
        id: "resp_1",
        model: "gpt-5.5",
        service_tier: "priority",
        status: type.slice(9),
        output: [{ text: '"usage":{"input_tokens":1}' }],
        usage: responsesUsage,
      };
      const proxy = await start({
        upstream: () =>
          sse([
            { type: "response.created", sequence_number: 0, response: { id: "resp_1", usage: null } },
            { type: "response.output_text.delta", sequence_number: 1, delta: "Hi" },
            `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: 2, response })}\n\n`,
          ]),
      });
      await (await proxy.request("/v1/responses", post({ model: "gpt-5.5", stream: true }))).text();
      const row = await onlyRow(proxy);
      assert.deepEqual(row.tokens, responsesTokens);
      assert.deepEqual(
        [row.ending, row.serviceTier, row.responseId, row.usageSource],
        [ending, "priority", "resp_1", "reported"],
      );
    });
  }

  it("reads events whose type does not come first", async () => {
    const proxy = await start({
      upstream: () =>
        sse([{ sequence_number: 0, response: { id: "r", usage: responsesUsage }, type: "response.completed" }]),
    });
    await (await proxy.request("/v1/responses", post({ model: "m", stream: true }))).text();
    assert.deepEqual((await onlyRow(proxy)).tokens, responsesTokens);
  });

  it("reads Responses JSON, compaction, completions, embeddings and images", async () => {
    const answers: Record<string, object> = {
      "/openai/v1/responses": { id: "resp_1", status: "completed", model: "m", usage: responsesUsage },
      "/openai/v1/responses/compact": { id: "cmp_1", object: "response.compaction", usage: responsesUsage },
      "/openai/v1/completions": { id: "c", choices: [{ text: "x" }], usage: chatUsage },
      "/openai/v1/embeddings": { data: [], model: "e", usage: { prompt_tokens: 7, total_tokens: 7 } },
      "/openai/v1/images/generations": {
        data: [{ b64_json: "A".repeat(100_000) }],
        usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
      },
    };
    const proxy = await start({ upstream: (request) => Response.json(answers[new URL(request.url).pathname]) });
    for (const path of Object.keys(answers))
      await (await proxy.request(path.slice("/openai".length), post({ model: "m" }))).text();
    assert.deepEqual(
      proxy.rows.map((row) => [row.endpoint, row.tokens.uncachedInput, row.tokens.output, row.usageSource]),
      [
        ["responses", 60, 20, "reported"],
        ["compact", 60, 20, "reported"],
        ["completions", 70, 20, "reported"],
        ["embeddings", 7, 0, "reported"],
        ["images", 3, 4, "reported"],
      ],
    );
  });

  it("takes OpenRouter's cost for what it is", async () => {
    const proxy = await start({
      upstream: () =>
        sse([
          ": OPENROUTER PROCESSING\n\n",
          chunk({ content: "x" }, "stop"),
          { ...usageChunk, usage: { ...chatUsage, cost: 0.0123456, is_byok: false } },
          DONE,
        ]),
    });
    await (await proxy.request("/v1/chat/completions", post({ model: "x-ai/grok", stream: true }))).text();
    const row = await onlyRow(proxy);
    assert.deepEqual([row.costMicros, row.costSource, row.upstream], [12_346, "upstream", "openrouter"]);
  });

  it("reads a compressed answer beside the bytes that pass", async () => {
    const text = JSON.stringify({ model: "gpt-5.5", usage: chatUsage });
    const packed = gzipSync(text);
    const proxy = await start({
      upstream: () =>
        new Response(packed, { headers: { "content-type": "application/json", "content-encoding": "gzip" } }),
    });
    // In process there is no packing to speak of: fetch has undone it, or the fake upstream's bytes pass as they are.
    if (proxy.baseUrl === "http://127.0.0.1:8390") return;
    const response = await proxy.request(
      "/v1/chat/completions",
      post({ model: "gpt-5.5" }, { "accept-encoding": "gzip" }),
    );
    assert.equal(response.headers.get("content-encoding"), "gzip");
    assert.equal(await response.text(), text);
    assert.deepEqual((await onlyRow(proxy)).tokens, chatTokens);
  });

  it("leaves unmetered what carries no usage", async () => {
    const proxy = await start({ upstream: () => Response.json({ data: [] }) });
    await (await proxy.request("/v1/moderations", post({ input: "x" }))).text();
    assert.equal(proxy.rows.length, 0);
    assert.equal(proxy.answered.length, 1);
  });

  it("counts a background response once, when it is done", async () => {
    let polls = 0;
    const proxy = await start({
      upstream(request) {
        if (request.method === "POST")
          return Response.json({ id: "resp_bg", model: "gpt-5.5", status: "queued", usage: null });
        polls += 1;
        return Response.json({
          id: "resp_bg",
          model: "gpt-5.5",
          status: polls < 2 ? "in_progress" : "completed",
          usage: polls < 2 ? null : responsesUsage,
        });
      },
    });
    const headers = { "x-api-key": "pb_test_key_canary" };
    await (await proxy.request("/v1/responses", post({ model: "gpt-5.5", background: true }))).text();
    assert.equal((await onlyRow(proxy)).usageSource, "none");
    for (let poll = 0; poll < 3; poll += 1) await (await proxy.request("/v1/responses/resp_bg", { headers })).text();
    const row = await onlyRow(proxy);
    assert.deepEqual(row.tokens, responsesTokens);
    assert.equal(row.usageSource, "reported");
  });

  it("asks for a background response itself, so that its key is charged though nobody fetches the answer", async () => {
    let polls = 0;
    const authorizations = new Set<string | null>();
    const proxy = await start({
      key: { quotaTokens: 1_000_000 },
      upstream(request) {
        authorizations.add(request.headers.get("authorization"));
        if (request.method === "POST")
          return Response.json({ id: "resp_bg", model: "gpt-5.5", status: "queued", usage: null });
        polls += 1;
        if (polls === 1) return new Response("later", { status: 503 });
        return Response.json({
          id: "resp_bg",
          status: polls < 4 ? "in_progress" : "completed",
          usage: polls < 4 ? null : responsesUsage,
        });
      },
    });
    await (await proxy.request("/v1/responses", post({ model: "gpt-5.5", background: true }))).text();
    for (let turn = 1; turn <= 4; turn += 1) {
      assert.equal((await onlyRow(proxy)).usageSource, "none");
      await proxy.runLater();
      await until(() => polls === turn, "the question for the response");
    }
    await until(() => proxy.rows[0]?.usageSource === "reported", "the settling of the row");
    assert.deepEqual((await onlyRow(proxy)).tokens, responsesTokens);
    await proxy.runLater();
    assert.equal(polls, 4, "asked no more once it is known");
    assert.deepEqual([...authorizations], [`Bearer ${OPENAI_KEY}`]);
  });

  it("does not ask for a background response whose usage the caller has fetched", async () => {
    let polls = 0;
    const proxy = await start({
      upstream(request) {
        if (request.method === "POST")
          return Response.json({ id: "resp_bg", model: "gpt-5.5", status: "queued", usage: null });
        polls += 1;
        return Response.json({ id: "resp_bg", status: "completed", usage: responsesUsage });
      },
    });
    await (await proxy.request("/v1/responses", post({ model: "gpt-5.5", background: true }))).text();
    const headers = { "x-api-key": "pb_test_key_canary" };
    await (await proxy.request("/v1/responses/resp_bg", { headers })).text();
    assert.equal((await onlyRow(proxy)).usageSource, "reported");
    await proxy.runLater();
    assert.equal(polls, 1);
  });
});

describeTransports("a key with a quota", (start) => {
  const withUsageNull = (event: object): object => ({ ...event, usage: null });

  it("has usage asked for on its behalf, and sees exactly what it asked for itself", async () => {
    const plain = [chunk({ role: "assistant", content: "" }), chunk({ content: ',"usage":null' }), chunk({}, "stop")];
    let sent = "";
    const proxy = await start({
      key: { quotaTokens: 1000 },
      async upstream(request) {
        sent = await request.text();
        return sse([...plain.map(withUsageNull), usageChunk, DONE]);
      },
    });
    const body = '{"model":"gpt-5.5","stream":true,"stream_options":{"include_obfuscation":false},"messages":[]}';
    const response = await proxy.request("/v1/chat/completions", post(body, { "accept-encoding": "gzip" }));
    assert.equal(await response.text(), await sse([...plain, DONE]).text());
    assert.equal(
      sent,
      body.replace('{"include_obfuscation":false}', '{"include_usage":true,"include_obfuscation":false}'),
    );
    assert.deepEqual((await onlyRow(proxy)).tokens, chatTokens);
    assert.equal((await onlyRow(proxy)).usageSource, "reported");
  });

  it("that asks for usage itself gets it, and its body goes up untouched", async () => {
    const events = [withUsageNull(chunk({ content: "x" }, "stop")), usageChunk, DONE];
    let sent = "";
    const proxy = await start({
      key: { quotaTokens: 1000 },
      async upstream(request) {
        sent = await request.text();
        return sse(events);
      },
    });
    const body = '{"stream":true, "stream_options":{"include_usage":true},"model":"gpt-5.5"}';
    assert.equal(await (await proxy.request("/v1/chat/completions", post(body))).text(), await sse(events).text());
    assert.equal(sent, body);
  });

  it("is refused once the quota is used", async () => {
    const proxy = await start({
      key: { quotaTokens: 100, label: "agent" },
      upstream: () => Response.json({ model: "gpt-5.5", usage: chatUsage }),
    });
    await (await proxy.request("/v1/chat/completions", post({ model: "gpt-5.5" }))).text();
    const refused = await proxy.request("/v1/chat/completions", post({ model: "gpt-5.5" }));
    assert.equal(refused.status, 429);
    const { error } = (await refused.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, "quota_exceeded");
    assert.doesNotMatch(error.message, /\d{3}|try again later/i);
  });
});

describeTransports("an unfinished stream", (start) => {
  async function readBroken(response: Response): Promise<{ readonly text: string; readonly broken: boolean }> {
    const decoder = new TextDecoder();
    let text = "";
    try {
      for await (const part of response.body ?? []) text += decoder.decode(part as Uint8Array, { stream: true });
    } catch {
      return { text, broken: true };
    }
    return { text, broken: false };
  }

  it("that ends cleanly upstream never ends cleanly here: opencode would ask again without end", async () => {
    const proxy = await start({ upstream: () => sse([chunk({ content: "half" })]) });
    const { text, broken } = await readBroken(
      await proxy.request("/v1/chat/completions", post({ model: "gpt-5.5", stream: true })),
    );
    assert.equal(broken, true);
    assert.match(text, /data: \{"error":\{"message":"The upstream broke off/);
    const row = await onlyRow(proxy);
    assert.deepEqual([row.ending, row.usageSource], ["upstream_cut", "estimated"]);
  });

  it("of Responses events ends with a complete response.failed", async () => {
    const proxy = await start({
      upstream: () =>
        sse([
          { type: "response.created", sequence_number: 0, response: { id: "resp_7", model: "gpt-5.5" } },
          { type: "response.output_text.delta", sequence_number: 1, delta: "x" },
        ]),
    });
    const { text, broken } = await readBroken(
      await proxy.request("/v1/responses", post({ model: "gpt-5.5", stream: true })),
    );
    assert.equal(broken, true);
    const last = JSON.parse(text.trim().split("data: ").at(-1) ?? "") as {
      type: string;
      sequence_number: number;
      response: { id: string; status: string; error: { code: string } };
    };
    assert.deepEqual(
      [last.type, last.sequence_number, last.response.id, last.response.status],
      ["response.failed", 2, "resp_7", "failed"],
    );
  });

  it("is told to its end by its usage, and not by a finish alone, when its upstream breaks off", async () => {
    const cutAfter = (events: readonly object[]): Response => {
      const text = new TextEncoder().encode(events.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(""));
      let sent = false;
      return new Response(
        new ReadableStream({
          async pull(controller) {
            if (sent) {
              // The bytes have to leave before the connection breaks.
              await new Promise((resolve) => setTimeout(resolve, 30));
              controller.error(new Error("cut"));
              return;
            }
            sent = true;
            controller.enqueue(text);
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      );
    };
    const endings: unknown[] = [];
    for (const events of [
      [chunk({ content: "x" }), chunk({}, "stop")],
      [chunk({ content: "x" }), chunk({}, "stop"), usageChunk],
    ]) {
      const proxy = await start({ upstream: () => cutAfter(events) });
      const { broken } = await readBroken(
        await proxy.request("/v1/chat/completions", post({ model: "gpt-5.5", stream: true })),
      );
      const row = await onlyRow(proxy);
      endings.push([broken, row.ending, row.usageSource]);
    }
    assert.deepEqual(endings, [
      [true, "upstream_cut", "estimated"],
      [false, "complete", "reported"],
    ]);
  });

  it("gets no event of ours into the middle of one of the upstream's", async () => {
    const proxy = await start({ upstream: () => sse([chunk({ content: "whole" }), 'data: {"choices":[{"del']) });
    const { text, broken } = await readBroken(
      await proxy.request("/v1/chat/completions", post({ model: "gpt-5.5", stream: true })),
    );
    assert.equal(broken, true);
    assert.ok(!text.includes("error"));
  });

  it("that told its error itself ends as the upstream ended it", async () => {
    const events = [
      chunk({ content: "x" }),
      {
        id: "g",
        error: { code: 502, message: "Provider disconnected" },
        choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
      },
    ];
    const proxy = await start({ upstream: () => sse(events) });
    const { text, broken } = await readBroken(
      await proxy.request("/v1/chat/completions", post({ model: "a/b", stream: true })),
    );
    assert.equal(broken, false);
    assert.equal(text, await sse(events).text());
    assert.equal((await onlyRow(proxy)).ending, "failed");
  });

  for (const [where, headers, ids] of [
    ["a header names", { "x-generation-id": "gen-9" }, {}],
    ["its chunks alone name", {}, { id: "gen-9" }],
  ] as const) {
    it(`of OpenRouter's is settled by the generation record that ${where}`, async () => {
      let asked = 0;
      const proxy = await start({
        upstream(request) {
          if (!request.url.includes("/generation?id=gen-9"))
            return sse([{ ...chunk({ content: "x" }), ...ids }], headers);
          asked += 1;
          if (asked === 1) return new Response("not yet", { status: 404 });
          return Response.json({
            data: {
              id: "gen-9",
              total_cost: 0.5,
              native_tokens_prompt: 10,
              native_tokens_completion: 3,
              native_tokens_cached: 4,
              native_tokens_reasoning: 1,
            },
          });
        },
      });
      await readBroken(await proxy.request("/v1/chat/completions", post({ model: "a/b", stream: true })));
      assert.equal((await onlyRow(proxy)).usageSource, "estimated");
      await proxy.runLater();
      await proxy.runLater();
      const row = await onlyRow(proxy);
      assert.deepEqual(row.tokens, {
        uncachedInput: 6,
        cachedInput: 4,
        cacheWrite: 0,
        cacheWriteLong: 0,
        output: 3,
        reasoning: 1,
      });
      assert.deepEqual(
        [row.usageSource, row.costMicros, row.costSource, row.ending],
        ["reported", 500_000, "upstream", "upstream_cut"],
      );
    });
  }
});

describeTransports("an upstream that cannot be reached", (start) => {
  it("is a 502 with a sentence, and a row", async () => {
    const proxy = await start({
      upstream: () => {
        throw new TypeError("fetch failed");
      },
      settings: {
        upstreams: { openai: { name: "openai", baseUrl: "http://127.0.0.1:1/v1", apiKey: "sk-openai-canary" } },
      },
    });
    const response = await proxy.request("/v1/chat/completions", post({ model: "gpt-5.5" }));
    assert.equal(response.status, 502);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, "upstream_unreachable");
    assert.match(error.message, /127\.0\.0\.1:1/);
    assert.deepEqual([(await onlyRow(proxy)).status, (await onlyRow(proxy)).ending], [502, "upstream_cut"]);
    assert.ok(!proxy.logLines.join().includes("sk-openai-canary"));
  });
});

describeTransports("a large body of a key with a quota", (start) => {
  it("is read to its end, so that what stands behind its first megabyte evades nothing", async () => {
    let sent = "";
    const proxy = await start({
      key: { quotaTokens: 1_000_000_000 },
      settings: { maximumBodyBytes: 8 * 1024 * 1024 },
      async upstream(request) {
        sent = await request.text();
        return sse([chunk({ content: "x" }, "stop"), usageChunk, DONE]);
      },
    });
    const body = `{"model":"gpt-5.5","messages":[${"1,".repeat(1024 * 1024)}1],"stream":true}`;
    await (await proxy.request("/v1/chat/completions", post(body))).text();
    assert.match(sent.slice(0, 100), /include_usage/);
    assert.equal((await onlyRow(proxy)).usageSource, "reported");
  });
});
