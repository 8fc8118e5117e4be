import assert from "node:assert/strict";
import type { CodexAccess } from "../../src/codex/tokenClaims.ts";
import type { TokenKeeper } from "../../src/codex/tokenKeeper.ts";
import { SignInError } from "../../src/codex/signInError.ts";
import { createResponsesStreamMeter } from "../../src/proxy/responsesStreamMeter.ts";
import { until } from "../node/relayRig.ts";
import { describeTransports, KEY, OPENAI_KEY, post, sse } from "./matrix.ts";

type Json = Record<string, unknown>;

const TOKEN = "eyJ.codex-token-canary.x";

/** Answers of a backend: one text, with its reasoning, and an empty output in the final event, as the real one has it. */
function answered(text: string, turn = 1): object[] {
  const response = { id: `resp_${turn}`, object: "response", model: "gpt-6.1-sol", output: [] };
  const usage = {
    input_tokens: 30,
    input_tokens_details: { cached_tokens: 10 },
    output_tokens: 7,
    output_tokens_details: { reasoning_tokens: 3 },
    total_tokens: 37,
  };
  const reasoning = { type: "reasoning", id: `rs_${turn}`, summary: [], encrypted_content: `sealed-${turn}` };
  const message = {
    type: "message",
    id: `msg_${turn}`,
    status: "completed",
    role: "assistant",
    content: [{ type: "output_text", text, annotations: [] }],
  };
  return [
    { type: "response.created", sequence_number: 0, response: { ...response, status: "in_progress" } },
    { type: "response.output_item.done", sequence_number: 1, output_index: 0, item: reasoning },
    { type: "response.output_text.delta", sequence_number: 2, item_id: `msg_${turn}`, output_index: 1, delta: text },
    { type: "response.output_item.done", sequence_number: 3, output_index: 1, item: message },
    { type: "response.completed", sequence_number: 4, response: { ...response, status: "completed", usage } },
  ];
}

/** The same events from the real backend, which gives their stream no type. */
function untyped(events: readonly object[]): Response {
  return new Response(sse(events).body);
}

function accessOf(accessToken: string): CodexAccess {
  return {
    accessToken,
    accountId: "acc_1",
    planType: "plus",
    email: undefined,
    isFedramp: false,
    residency: undefined,
    expiresAt: undefined,
  };
}

const keeper: TokenKeeper = {
  access: async () => accessOf(TOKEN),
  renew: async () => accessOf(`${TOKEN}-renewed`),
  status: async () => ({
    state: "signed_in",
    email: undefined,
    planType: "plus",
    accountId: "acc_1",
    expiresAt: undefined,
    notice: undefined,
  }),
};

/** The requests to the backend's Responses endpoint, in the order in which they came. */
class Backend {
  readonly bodies: Json[] = [];
  readonly headers: Headers[] = [];
  readonly others: string[] = [];
  readonly answer: (body: Json, headers: Headers) => Response;

  constructor(answer: (body: Json, headers: Headers) => Response) {
    this.answer = answer;
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (request.method !== "POST") {
      this.others.push(pathname);
      return pathname.endsWith("/codex/models")
        ? Response.json({
            models: [
              {
                slug: "gpt-6.1-sol",
                visibility: "list",
                supported_reasoning_levels: [{ effort: "low" }, { effort: "high" }],
              },
            ],
          })
        : Response.json({}, { status: 404 });
    }
    assert.match(pathname, /^\/backend-api\/codex\/responses$/);
    const body = (await request.json()) as Json;
    this.bodies.push(body);
    this.headers.push(new Headers(request.headers));
    return this.answer(body, request.headers);
  };
}

const chat = (messages: readonly object[], more: object = {}): object => ({
  model: "gpt-6.1-sol-high",
  messages,
  ...more,
});

describeTransports("a Codex model with our sign-in", (start) => {
  it("is asked over chat in the backend's own terms, under our name and with our token", async () => {
    const backend = new Backend(() => sse(answered("Hello.")));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const answer = await proxy.request(
      "/v1/chat/completions",
      post(
        chat(
          [
            { role: "system", content: "Be brief." },
            { role: "user", content: "Hi" },
          ],
          { temperature: 0.2 },
        ),
      ),
    );
    assert.equal(answer.status, 200);
    const completion = (await answer.json()) as Json;
    assert.equal(completion["object"], "chat.completion");
    assert.equal(completion["model"], "gpt-6.1-sol");
    assert.deepEqual((completion["choices"] as Json[])[0]?.["finish_reason"], "stop");
    const [body] = backend.bodies;
    assert.equal(body?.["model"], "gpt-6.1-sol");
    assert.equal(body?.["instructions"], "Be brief.");
    assert.deepEqual(body?.["reasoning"], { summary: "auto", effort: "high" });
    assert.equal(body?.["store"], false);
    assert.equal(body?.["stream"], true);
    assert.deepEqual(body?.["include"], ["reasoning.encrypted_content"]);
    assert.equal("temperature" in (body ?? {}), false);
    const headers = backend.headers[0];
    assert.equal(headers?.get("authorization"), `Bearer ${TOKEN}`);
    assert.equal(headers?.get("chatgpt-account-id"), "acc_1");
    assert.equal(headers?.get("originator"), "patchbay");
    assert.match(headers?.get("version") ?? "", /^0\.\d+\.\d+$/);
    assert.equal(headers?.get("session-id"), body?.["prompt_cache_key"]);
    assert.ok(!JSON.stringify([...(headers ?? [])]).includes(KEY));
    assert.ok(proxy.logLines.some((line) => line.includes("temperature")));
    const [row] = proxy.rows;
    assert.equal(row?.upstream, "codex");
    assert.equal(row?.endpoint, "chat");
    assert.equal(row?.modelAsked, "gpt-6.1-sol-high");
    assert.equal(row?.modelServed, "gpt-6.1-sol");
    assert.equal(row?.tokens.uncachedInput, 20);
    assert.equal(row?.tokens.cachedInput, 10);
    assert.equal(row?.tokens.output, 7);
    assert.equal(row?.usageSource, "reported");
  });

  it("streams chat chunks that end with usage and [DONE]", async () => {
    const backend = new Backend(() => sse(answered("Hello.")));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const answer = await proxy.request(
      "/v1/chat/completions",
      post(chat([{ role: "user", content: "Hi" }], { stream: true, stream_options: { include_usage: true } })),
    );
    assert.equal(answer.headers.get("content-type"), "text/event-stream; charset=utf-8");
    assert.equal(answer.headers.get("x-accel-buffering"), "no");
    const text = await answer.text();
    assert.match(text, /"content":"Hello\."/);
    assert.match(text, /"prompt_tokens":30/);
    assert.match(text, /data: \[DONE\]\n\n$/);
    assert.equal(proxy.rows.length, 1);
  });

  it("fills the output of the final event from the item events, and leaves all other bytes alone", async () => {
    const backend = new Backend(() => sse(answered("Hello.")));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const answer = await proxy.request("/v1/responses", post({ model: "gpt-6.1-sol", input: "Hi", stream: true }));
    assert.equal(answer.headers.get("x-accel-buffering"), "no");
    const sent = await sse(answered("Hello.")).text();
    const got = await answer.text();
    assert.ok(got.startsWith(sent.slice(0, sent.indexOf('{"type":"response.completed"'))));
    const final = JSON.parse(/data: (\{"type":"response\.completed".*)/.exec(got)?.[1] ?? "{}") as { response?: Json };
    assert.deepEqual(
      ((final.response?.["output"] ?? []) as Json[]).map((item) => item["type"]),
      ["reasoning", "message"],
    );
  });

  it("answers a Responses request without stream with the whole object", async () => {
    const backend = new Backend(() => sse(answered("Hello.")));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const answer = await proxy.request(
      "/v1/responses",
      post({
        model: "gpt-6.1-sol",
        input: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "Hi" },
        ],
      }),
    );
    assert.equal(answer.headers.get("content-type"), "application/json");
    const response = (await answer.json()) as Json;
    assert.equal((response["output"] as Json[]).length, 2);
    assert.equal(backend.bodies[0]?.["instructions"], "Be brief.");
    assert.equal(proxy.rows[0]?.endpoint, "responses");
  });

  it("is read as the event stream that it is where the backend does not say so", async () => {
    const proxy = await start({ upstream: new Backend(() => untyped(answered("Hello."))).fetch, keeper });
    for (const stream of [true, false]) {
      const type = stream ? "text/event-stream; charset=utf-8" : "application/json";
      const asked = { model: "gpt-6.1-sol", input: "Hi", stream };
      for (const [path, body] of [
        ["/v1/responses", asked],
        ["/v1/chat/completions", chat([{ role: "user", content: "Hi" }], { stream })],
      ] as const) {
        const answer = await proxy.request(path, post(body));
        assert.equal(answer.status, 200, path);
        assert.equal(answer.headers.get("content-type"), type);
        assert.match(await answer.text(), /Hello\./);
      }
    }
    assert.deepEqual(
      proxy.rows.map(({ tokens, ending }) => [tokens.output, ending]),
      Array.from({ length: 4 }, () => [7, "complete"]),
    );
  });

  it("compacts a conversation by the trigger that the backend knows, and answers as OpenAI's API does", async () => {
    const item = { type: "compaction", id: "cmp_1", encrypted_content: "sealed" };
    const usage = { input_tokens: 30, output_tokens: 7, total_tokens: 37 };
    const response = { id: "resp_1", object: "response", created_at: 5, status: "completed", output: [], usage };
    let items: object[] = [item];
    const backend = new Backend(() =>
      untyped([
        ...items.map((one, index) => ({ type: "response.output_item.done", output_index: index, item: one })),
        { type: "response.completed", response },
      ]),
    );
    const proxy = await start({ upstream: backend.fetch, keeper });
    const said = { role: "user", content: "Hi" };
    const asked = post({ model: "gpt-6.1-sol-high", input: [said, { type: "compaction_trigger" }] });
    const answer = await proxy.request("/v1/responses/compact", asked);
    assert.equal(answer.status, 200);
    const compacted = { id: "resp_1", object: "response.compaction", created_at: 5, output: [item], usage };
    assert.deepEqual(await answer.json(), compacted);
    const body = backend.bodies[0] ?? {};
    assert.deepEqual(
      (body["input"] as Json[]).map(({ type }) => type),
      ["message", "compaction_trigger"],
    );
    assert.deepEqual([body["store"], body["stream"]], [false, true]);
    assert.deepEqual(body["reasoning"], { effort: "high" });
    assert.equal(backend.headers[0]?.get("session-id"), body["prompt_cache_key"]);
    assert.deepEqual([proxy.rows[0]?.endpoint, proxy.rows[0]?.tokens.output], ["compact", 7]);
    const features = () => backend.headers.at(-1)?.get("x-codex-beta-features");
    assert.equal(features(), "remote_compaction_v2");
    // So may Codex ask over our sign-in, and whoever knows its way.
    const trigger = { model: "gpt-6.1-sol", stream: true, input: [said, { type: "compaction_trigger" }] };
    await (await proxy.request("/v1/responses", post(trigger))).text();
    assert.equal(features(), "remote_compaction_v2");
    const codex = { originator: "codex_exec", version: "0.170.1", "x-codex-beta-features": "other" };
    await (await proxy.request("/v1/responses/compact", post({ ...trigger, stream: undefined }, codex))).text();
    assert.equal(features(), "other,remote_compaction_v2");
    assert.equal(backend.headers.at(-1)?.get("version"), "0.170.1");
    await (await proxy.request("/v1/responses", post({ ...trigger, input: [said] }, codex))).text();
    assert.equal(features(), "other");
    await (await proxy.request("/v1/responses", post({ ...trigger, input: [said] }))).text();
    assert.equal(features(), null);
    items = [];
    assert.equal((await proxy.request("/v1/responses/compact", asked)).status, 502);
  });

  it("renews a token that the backend refuses, once, and repeats the request once", async () => {
    const refused = (): Response =>
      Response.json({ error: { code: "token_expired", message: "Expired." } }, { status: 401 });
    const backend = new Backend((_body, headers) =>
      headers.get("authorization") === `Bearer ${TOKEN}` ? refused() : sse(answered("Hello.")),
    );
    const proxy = await start({ upstream: backend.fetch, keeper });
    const answer = await proxy.request("/v1/chat/completions", post(chat([{ role: "user", content: "Hi" }])));
    assert.equal(answer.status, 200);
    assert.equal(backend.bodies.length, 2);
    assert.equal(proxy.rows.length, 1);
    const never = new Backend(refused);
    const stubborn = await start({ upstream: never.fetch, keeper });
    const second = await stubborn.request("/v1/chat/completions", post(chat([{ role: "user", content: "Hi" }])));
    assert.equal(second.status, 401);
    assert.equal(never.bodies.length, 2);
    assert.equal(stubborn.rows[0]?.status, 401);
  });

  it("turns a failure before the first word into an HTTP answer, and one after it into an error event", async () => {
    const failed = {
      type: "response.failed",
      response: { id: "resp_1", status: "failed", error: { code: "rate_limit_exceeded", message: "Slow down." } },
    };
    const backend = new Backend(() => sse([answered("x")[0]!, failed]));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const early = await proxy.request(
      "/v1/chat/completions",
      post(chat([{ role: "user", content: "Hi" }], { stream: true })),
    );
    assert.equal(early.status, 429);
    assert.equal(((await early.json()) as { error: Json }).error["code"], "rate_limit_exceeded");
    assert.equal(proxy.rows[0]?.status, 429);
    assert.equal(proxy.rows[0]?.ending, "failed");
    const pieces = [answered("Half").slice(0, 3), [failed]].map((events) => sse(events));
    const inPieces = (): Response => {
      const body = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const piece = pieces.shift();
            if (piece === undefined) controller.close();
            else controller.enqueue(new Uint8Array(await piece.arrayBuffer()));
            // The next piece comes in a later turn.
            await new Promise((resolve) => setTimeout(resolve, 30));
          },
        },
        { highWaterMark: 0 },
      );
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    };
    const late = await start({ upstream: new Backend(inPieces).fetch, keeper });
    const stream = await late.request(
      "/v1/chat/completions",
      post(chat([{ role: "user", content: "Hi" }], { stream: true })),
    );
    assert.equal(stream.status, 200);
    const got: string[] = [];
    await assert.rejects(async () => {
      for await (const piece of stream.body!.pipeThrough(new TextDecoderStream())) got.push(piece);
    });
    assert.match(got.join(""), /"error":\{"message":"Slow down\."/);
    assert.doesNotMatch(got.join(""), /\[DONE\]|"finish_reason":"/);
  });

  it("explains a challenge page and never shows it", async () => {
    const page = "<html><head><title>Attention Required! | Cloudflare</title></head></html>";
    const backend = new Backend(
      () => new Response(page, { status: 403, headers: { "content-type": "text/html", "cf-mitigated": "challenge" } }),
    );
    const proxy = await start({ upstream: backend.fetch, keeper });
    const answer = await proxy.request("/v1/responses", post({ model: "gpt-6.1-sol", input: "Hi", stream: true }));
    assert.ok(answer.status >= 400);
    const text = await answer.text();
    assert.doesNotMatch(text, /<html/);
    assert.ok((JSON.parse(text) as { error: Json }).error["message"]);
  });

  it("keeps the meaning of a used-up plan and says when to come back", async () => {
    const body = {
      error: {
        type: "usage_limit_reached",
        message: "The usage limit has been reached",
        plan_type: "plus",
        resets_in_seconds: 120,
      },
    };
    const backend = new Backend(() => Response.json(body, { status: 429 }));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const answer = await proxy.request("/v1/chat/completions", post(chat([{ role: "user", content: "Hi" }])));
    assert.equal(answer.status, 429);
    assert.equal(answer.headers.get("retry-after"), "120");
    assert.equal(((await answer.json()) as { error: Json }).error["type"], "usage_limit_reached");
  });

  it("tells Codex in the backend's own terms when a used-up plan resets", async () => {
    const error = {
      type: "usage_limit_reached",
      message: "The usage limit",
      plan_type: "plus",
      resets_in_seconds: 120,
    };
    const backend = new Backend(() => Response.json({ error }, { status: 429 }));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const ask = post({ model: "gpt-6.1-sol", input: [], stream: true }, { originator: "codex_exec" });
    const told = ((await (await proxy.request("/v1/responses", ask)).json()) as { error: Json }).error;
    assert.deepEqual(
      [told["type"], told["plan_type"], told["resets_in_seconds"]],
      ["usage_limit_reached", "plus", 120],
    );
    assert.equal(typeof told["resets_at"], "number");
  });

  const FORMS: readonly (readonly [path: string, body: object])[] = [
    ["/v1/chat/completions", chat([{ role: "user", content: "Hi" }])],
    ["/v1/chat/completions", chat([{ role: "user", content: "Hi" }], { stream: true })],
    ["/v1/responses", { model: "gpt-6.1-sol", input: "Hi" }],
    ["/v1/responses", { model: "gpt-6.1-sol", input: "Hi", stream: true }],
  ];

  it("is not kept waiting by a backend that does not close the stream behind its final event", async () => {
    for (const [path, body] of FORMS) {
      const whole = new Uint8Array(await sse(answered("Hello.")).arrayBuffer());
      let leave: () => void = () => undefined;
      const open = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(whole);
          leave = () => controller.close();
        },
        cancel() {
          leave = () => undefined;
        },
      });
      const backend = new Backend(() => new Response(open, { headers: { "content-type": "text/event-stream" } }));
      const upstream = (request: Request): Promise<Response> => {
        request.signal.addEventListener("abort", () => leave());
        return backend.fetch(request);
      };
      const proxy = await start({ upstream, keeper });
      const got: { text?: string } = {};
      const reading = proxy.request(path, post(body)).then(async (answer) => (got.text = await answer.text()));
      reading.catch(() => undefined);
      for (let turns = 0; got.text === undefined && turns < 200; turns += 1) await proxy.runLater();
      assert.match(got.text ?? "", /Hello\./);
      assert.deepEqual([proxy.rows[0]?.ending, proxy.rows[0]?.tokens.output], ["complete", 7]);
    }
  });

  it("writes down that its caller left where nothing was answered yet", async () => {
    const [first] = answered("", 1);
    const beginning = new Uint8Array(await sse([first!]).arrayBuffer());
    const silent = (): Response =>
      new Response(new ReadableStream({ start: (controller) => controller.enqueue(beginning) }), {
        headers: { "content-type": "text/event-stream" },
      });
    for (const [path, body] of FORMS.slice(0, 3)) {
      const proxy = await start({ upstream: new Backend(silent).fetch, keeper });
      // Nobody leaves where there is no connection.
      if (proxy.baseUrl === "http://127.0.0.1:8390") return;
      const leaving = new AbortController();
      const answer = proxy.request(path, { ...post(body), signal: leaving.signal });
      await until(() => proxy.parts.liveRequests.list().some(({ bytes }) => bytes > 0), "the backend's first bytes");
      leaving.abort();
      await assert.rejects(answer);
      await until(() => proxy.rows.length === 1, "the row");
      assert.deepEqual([proxy.rows[0]?.status, proxy.rows[0]?.ending], [499, "client_left"]);
    }
  });

  it("counts the words of an answer that is cut alike, whether they are translated or passed on", async () => {
    const words = Array.from({ length: 40 }, (_, number) => ({
      type: "response.output_text.delta",
      content_index: 0,
      delta: ` word${number}`,
      item_id: "msg_1",
      output_index: 0,
      sequence_number: number,
    }));
    const backend = new Backend(() => sse([answered("", 1)[0]!, ...words]));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const asked = { model: "gpt-6.1-sol", stream: true };
    const question = "Hi";
    for (const [path, body] of [
      ["/v1/chat/completions", { ...asked, messages: [{ role: "user", content: question }] }],
      ["/v1/responses", { ...asked, input: question }],
    ] as const) {
      const answer = await proxy.request(path, post(body));
      await answer.text().catch(() => undefined);
    }
    assert.deepEqual(
      proxy.rows.map(({ usageSource, tokens }) => [usageSource, tokens.output]),
      [
        ["estimated", words.length],
        ["estimated", words.length],
      ],
    );
  });

  it("counts and passes on a final event without its blank line", async () => {
    const whole = (await sse(answered("Hello.")).text()).trimEnd();
    const backend = new Backend(() => new Response(whole, { headers: { "content-type": "text/event-stream" } }));
    const proxy = await start({ upstream: backend.fetch, keeper });
    for (const [path, body] of FORMS) {
      const text = await (await proxy.request(path, post(body))).text();
      assert.match(text, /Hello\./);
      if (!("stream" in body)) continue;
      assert.match(text, path.endsWith("responses") ? /"type":"response\.completed".*\n\n$/ : /\[DONE\]\n\n$/);
    }
    assert.deepEqual(
      proxy.rows.map(({ ending, usageSource, tokens }) => [ending, usageSource, tokens.output]),
      FORMS.map(() => ["complete", "reported", 7]),
    );
  });

  it("writes the status down that the caller got", async () => {
    const long = { error: { code: "context_length_exceeded", message: "Too long." } };
    const backend = new Backend(() => Response.json(long, { status: 500 }));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const cut = new Backend(() => sse(answered("Half").slice(0, 3)));
    const torn = await start({ upstream: cut.fetch, keeper });
    for (const [path, body] of FORMS) {
      assert.equal((await proxy.request(path, post(body))).status, 400);
      if (!("stream" in body)) assert.equal((await torn.request(path, post(body))).status, 502);
    }
    assert.deepEqual(new Set(proxy.rows.map(({ status }) => status)), new Set([400]));
    assert.deepEqual(
      torn.rows.map(({ status, ending }) => [status, ending]),
      [
        [502, "upstream_cut"],
        [502, "upstream_cut"],
      ],
    );
  });

  it("sends each turn of a chat as an exact extension of the last, reasoning included", async () => {
    let turn = 0;
    const backend = new Backend(() => sse(answered(`Answer ${(turn += 1)}.`, turn)));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const messages: object[] = [{ role: "user", content: "Question 1" }];
    for (let number = 1; number <= 3; number += 1) {
      const answer = await proxy.request("/v1/chat/completions", post(chat(messages)));
      const completion = (await answer.json()) as { choices: { message: object }[] };
      messages.push(completion.choices[0]!.message, { role: "user", content: `Question ${number + 1}` });
    }
    const inputs = backend.bodies.map((body) => (body["input"] as object[]).map((item) => JSON.stringify(item)));
    for (const [index, input] of inputs.entries()) {
      const before = inputs[index - 1];
      if (before !== undefined) assert.deepEqual(input.slice(0, before.length), before);
    }
    assert.match(inputs[2]!.join(""), /sealed-1.*sealed-2/);
    assert.equal(new Set(backend.bodies.map((body) => body["prompt_cache_key"])).size, 1);
  });

  it("gives a tool result its forgotten call back, and reuses instructions that a follow-up leaves out", async () => {
    const call = {
      type: "function_call",
      id: "fc_1",
      call_id: "call_1",
      name: "look",
      arguments: "{}",
      status: "completed",
    };
    const events = [
      { type: "response.output_item.done", output_index: 0, item: call },
      {
        type: "response.completed",
        response: { id: "resp_1", model: "gpt-6.1-sol", output: [], usage: { input_tokens: 1, output_tokens: 1 } },
      },
    ];
    const backend = new Backend(() => sse(events));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const session = { "x-openclaw-session-key": "session-1" };
    await (
      await proxy.request(
        "/v1/responses",
        post({ model: "gpt-6.1-sol", instructions: "Be brief.", input: "Look." }, session),
      )
    ).text();
    const output = { type: "function_call_output", call_id: "call_1", output: "nothing" };
    await (await proxy.request("/v1/responses", post({ model: "gpt-6.1-sol", input: [output] }, session))).text();
    const second = backend.bodies[1]!;
    assert.equal(second["instructions"], "Be brief.");
    assert.deepEqual(second["input"], [
      { type: "function_call", call_id: "call_1", name: "look", arguments: "{}" },
      output,
    ]);
  });

  it("reuses instructions that a follow-up leaves out, of callers that name no session too", async () => {
    const backend = new Backend(() => sse(answered("Hello.")));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const input = [{ role: "user", content: "Hi" }];
    await (
      await proxy.request("/v1/responses", post({ model: "gpt-6.1-sol", instructions: "Be brief.", input }))
    ).text();
    const more = [...input, { role: "assistant", content: "Hello." }, { role: "user", content: "And?" }];
    await (await proxy.request("/v1/responses", post({ model: "gpt-6.1-sol", input: more }))).text();
    assert.equal(backend.bodies[1]?.["instructions"], "Be brief.");
    assert.equal(backend.bodies[1]?.["prompt_cache_key"], backend.bodies[0]?.["prompt_cache_key"]);
  });

  it("lists its models with their efforts, and goes to OpenAI for others", async () => {
    const backend = new Backend(() => sse([]));
    const proxy = await start({
      upstream: (request) =>
        request.url.includes("/openai/")
          ? Response.json({ data: [{ id: "gpt-4.1" }, { id: "gpt-6.1-sol" }] })
          : backend.fetch(request),
      keeper,
    });
    const list = (await (
      await proxy.request("/v1/models", { headers: { authorization: `Bearer ${KEY}` } })
    ).json()) as { data: Json[] };
    const ids = list.data.map((model) => model["id"]);
    assert.deepEqual(
      ids.filter((id) => String(id).startsWith("gpt-6.1")),
      ["gpt-6.1-sol", "gpt-6.1-sol-low", "gpt-6.1-sol-high"],
    );
    assert.ok(ids.includes("gpt-4.1"));
  });

  it("counts from the first request after a sign-in, and no longer after a sign-out", async () => {
    let state: "signed_in" | "signed_out" = "signed_out";
    const changing: TokenKeeper = { ...keeper, status: async () => ({ ...(await keeper.status()), state }) };
    const paid: string[] = [];
    const backend = new Backend(() => sse(answered("Hello.")));
    const upstream = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/backend-api/")) return await backend.fetch(request);
      paid.push(pathname);
      return Response.json({ id: "chatcmpl-1", choices: [] });
    };
    const proxy = await start({ upstream, keeper: changing });
    const ask = async (): Promise<void> => {
      const question = { model: "gpt-5.3-codex", messages: [{ role: "user", content: "Hi" }] };
      const answer = await proxy.request("/v1/chat/completions", post(question));
      assert.equal(answer.status, 200, await answer.text());
    };
    const counts: (readonly [number, number])[] = [];
    // One right after the other: whatever is remembered even for a moment would be remembered for all of these.
    for (const next of ["signed_out", "signed_in", "signed_out", "signed_in"] as const) {
      state = next;
      await ask();
      counts.push([paid.length, backend.bodies.length]);
    }
    assert.deepEqual(counts, [
      [1, 0],
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
  });

  it("is known by the backend's own list from the very first request on", async () => {
    const backend = new Backend(() => sse(answered("Hello.")));
    const asked: string[] = [];
    const upstream = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      if (pathname.endsWith("/codex/models"))
        return Response.json({ models: [{ slug: "gpt-99-nova", visibility: "list", supported_reasoning_levels: [] }] });
      return pathname.startsWith("/backend-api/") ? await backend.fetch(request) : Response.json({ choices: [] });
    };
    const proxy = await start({ upstream, keeper });
    for (const model of ["gpt-99-nova", "gpt-4.1", "gpt-4.1"])
      await (
        await proxy.request("/v1/chat/completions", post({ model, messages: [{ role: "user", content: "Hi" }] }))
      ).text();
    assert.equal(backend.bodies[0]?.["model"], "gpt-99-nova");
    assert.deepEqual(
      asked.filter((path) => path.endsWith("/chat/completions") || path.endsWith("/models")),
      ["/backend-api/codex/models", "/openai/v1/chat/completions", "/openai/v1/chat/completions"],
    );
  });

  it("says what to do where nobody is signed in", async () => {
    const gone: TokenKeeper = {
      ...keeper,
      access: () => Promise.reject(new SignInError("expired", "The ChatGPT sign-in has ended: run 'patchbay login'.")),
    };
    const proxy = await start({ upstream: new Backend(() => sse([])).fetch, keeper: gone });
    const answer = await proxy.request("/v1/chat/completions", post(chat([{ role: "user", content: "Hi" }])));
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /patchbay login/);
  });
});

describeTransports("a caller with a ChatGPT token of its own", (start) => {
  const own = {
    authorization: "Bearer eyJ.callers-own.x",
    "chatgpt-account-id": "acc_caller",
    "content-type": "application/json",
  };

  it("is passed through with it, byte for byte and metered, on a key in the path", async () => {
    const seen: { body: string; headers: Headers; path: string }[] = [];
    const proxy = await start({
      upstream: async (request) => {
        const { pathname } = new URL(request.url);
        if (pathname.endsWith("/wham/accounts/check")) {
          const account = {
            id: "acc_caller",
            workspace_backend_origin: "https://chatgpt.com",
            account_routing_override: "us_cr",
          };
          return Response.json({ accounts: [account] });
        }
        seen.push({ body: await request.text(), headers: new Headers(request.headers), path: pathname });
        return sse(answered("Hello."));
      },
      keeper,
    });
    const body = '{"model":"gpt-9-unheard-of", "input":[], "stream":true,  "odd":1.50}';
    const answer = await proxy.request(`/k/${KEY}/v1/responses`, { method: "POST", headers: own, body });
    assert.equal(await answer.text(), await sse(answered("Hello.")).text());
    assert.equal(seen[0]?.body, body);
    assert.equal(seen[0]?.path, "/backend-api/codex/responses");
    assert.equal(seen[0]?.headers.get("authorization"), own.authorization);
    assert.equal(seen[0]?.headers.get("chatgpt-account-id"), "acc_caller");
    assert.equal(seen[0]?.headers.get("x-openai-account-routing-override"), "us_cr");
    assert.equal(proxy.rows[0]?.upstream, "codex");
    assert.equal(proxy.rows[0]?.tokens.output, 7);
  });

  it("has a stream counted of which the backend does not say that it is one", async () => {
    const proxy = await start({
      upstream: (request) =>
        request.method === "POST" ? untyped(answered("Hello.")) : Response.json({}, { status: 404 }),
      keeper,
    });
    const body = '{"model":"gpt-6.1-sol","input":[],"stream":true}';
    const answer = await proxy.request(`/k/${KEY}/v1/responses`, { method: "POST", headers: own, body });
    assert.equal(await answer.text(), await sse(answered("Hello.")).text());
    assert.equal(proxy.rows[0]?.tokens.output, 7);
  });

  it("is answered where its workspace has its requests handled, as one of our sign-in is", async () => {
    const hosts: string[] = [];
    const proxy = await start({
      upstream: async (request) => {
        const { pathname, host } = new URL(request.url);
        if (pathname.endsWith("/wham/accounts/check")) {
          const place = { workspace_backend_origin: "http://gov.upstream.test", account_routing_override: "us_cr" };
          return Response.json({ accounts: ["acc_caller", "acc_1"].map((id) => ({ id, ...place })) });
        }
        if (request.method !== "POST") return Response.json({}, { status: 404 });
        hosts.push(`${host} ${request.headers.get("x-openai-account-routing-override")}`);
        return sse(answered("Hello."));
      },
      keeper,
    });
    // Over sockets there is one host only.
    if (proxy.baseUrl !== "http://127.0.0.1:8390") return;
    const body = '{"model":"gpt-6.1-sol","input":[],"stream":true}';
    await (await proxy.request(`/k/${KEY}/v1/responses`, { method: "POST", headers: own, body })).text();
    await (await proxy.request("/v1/chat/completions", post(chat([{ role: "user", content: "Hi" }])))).text();
    assert.deepEqual(hosts, ["gov.upstream.test us_cr", "gov.upstream.test us_cr"]);
  });

  it("gets its backend's list of models with hidden entries for the other upstreams' behind it", async () => {
    const entry = { slug: "gpt-7", visibility: "list", base_instructions: "Theirs." };
    const asked: Headers[] = [];
    let list: object = { models: [entry], odd: 1 };
    let status = 200;
    const proxy = await start({
      upstream: (request) => {
        const { pathname } = new URL(request.url);
        if (pathname.endsWith("/wham/accounts/check")) {
          const account = { id: "acc_caller", workspace_backend_origin: "https://chatgpt.com" };
          return Response.json({ accounts: [{ ...account, account_routing_override: "us_cr" }] });
        }
        if (pathname.endsWith("/codex/models")) {
          asked.push(new Headers(request.headers));
          return Response.json(list, { status, headers: { etag: '"v7"' } });
        }
        return Response.json({ data: [{ id: "gpt-7" }, { id: "vendor/thing", name: "Thing" }] });
      },
      keeper,
    });
    const path = `/k/${KEY}/v1/models?client_version=0.169.0`;
    const answer = await proxy.request(path, { headers: own });
    const { models, odd } = (await answer.json()) as { models: Record<string, unknown>[]; odd: number };
    assert.deepEqual([answer.headers.get("etag"), odd, models[0]], ['"v7"', 1, entry]);
    assert.deepEqual(
      models.map(({ slug, visibility }) => [slug, visibility]),
      [
        ["gpt-7", "list"],
        ["vendor/thing", "hide"],
      ],
    );
    assert.equal(asked[0]?.get("authorization"), own.authorization);
    assert.equal(asked[0]?.get("x-openai-account-routing-override"), "us_cr");
    // Added to nothing, they would be all that Codex knows.
    list = { models: [] };
    assert.deepEqual(await (await proxy.request(path, { headers: own })).json(), list);
    status = 403;
    list = { detail: "no" };
    const refused = await proxy.request(path, { headers: own });
    assert.deepEqual([refused.status, await refused.json()], [403, list]);
  });

  it("is never refused with a 401 of ours, whatever program brings it", async () => {
    const backend = new Backend(() => sse(answered("Hello.")));
    const proxy = await start({ upstream: backend.fetch, keeper });
    for (const path of ["/v1/responses", "/k/pb_never_given_out/v1/responses"]) {
      const headers = { ...own, originator: "some_editor" };
      const answer = await proxy.request(path, { method: "POST", headers, body: '{"model":"gpt-5.5","input":[]}' });
      assert.equal(answer.status, 400);
    }
    assert.equal(backend.bodies.length, 0);
  });

  it("has its plan's limits read in the stream too", async () => {
    const limits = { type: "codex.rate_limits", plan_type: "pro", rate_limits: { primary: { used_percent: 7 } } };
    const seen: object[] = [];
    const meter = createResponsesStreamMeter((event) => void seen.push(event));
    meter.push(new Uint8Array(await sse([limits, ...answered("Hello.")]).arrayBuffer()));
    assert.deepEqual(
      seen.map((event) => JSON.parse(JSON.stringify(event)) as object),
      [limits],
    );
    assert.equal(meter.reading.usage?.tokens.output, 7);
  });

  it("is told where the token cannot be passed on, and is not answered from another account", async () => {
    const backend = new Backend(() => sse(answered("Hello.")));
    const proxy = await start({ upstream: backend.fetch, keeper });
    const body = JSON.stringify(chat([{ role: "user", content: "Hi" }]));
    const answer = await proxy.request(`/k/${KEY}/v1/chat/completions`, { method: "POST", headers: own, body });
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /\/v1\/responses/);
    assert.equal(backend.bodies.length, 0);
  });

  it("never has it sent to another upstream", async () => {
    let sent: Headers | undefined;
    const proxy = await start({
      upstream: (request) => {
        sent = new Headers(request.headers);
        return Response.json({});
      },
      keeper,
    });
    await (
      await proxy.request(`/k/${KEY}/v1/responses`, {
        method: "POST",
        headers: own,
        body: '{"model":"x-ai/grok","input":[]}',
      })
    ).text();
    assert.doesNotMatch(JSON.stringify([...(sent ?? [])]), /callers-own/);
    assert.ok(!JSON.stringify([...(sent ?? [])]).includes(OPENAI_KEY));
  });
});
