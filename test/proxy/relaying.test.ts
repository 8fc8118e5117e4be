import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describeTransports, KEY, OPENAI_KEY, OPENROUTER_KEY, post, sse } from "./matrix.ts";

interface Seen {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** An upstream that notes what reaches it. */
function recorder(answer: (seen: Seen) => Response = () => Response.json({ ok: true })) {
  const seen: Seen[] = [];
  return {
    seen,
    upstream: async (request: Request): Promise<Response> => {
      const one = {
        url: new URL(request.url),
        method: request.method,
        headers: request.headers,
        body: new Uint8Array(await request.arrayBuffer()),
      };
      seen.push(one);
      return answer(one);
    },
  };
}

describeTransports("a relayed request", (start) => {
  it("passes on a body of unknown length", async () => {
    const upstream = async (request: Request): Promise<Response> => Response.json({ got: await request.text() });
    const proxy = await start({ upstream });
    const response = await proxy.request("/v1/images/edits", {
      method: "POST",
      headers: { authorization: `Bearer ${KEY}`, "content-type": "multipart/form-data; boundary=x" },
      body: new Blob(["--x--"]).stream(),
      duplex: "half",
    });
    assert.deepEqual(await response.json(), { got: "--x--" });
  });

  it("goes up byte for byte, with the upstream's key in place of the caller's", async () => {
    const { seen, upstream } = recorder();
    const proxy = await start({ upstream });
    const body =
      '{ "model":"gpt-5.5",\n"unknown_field": 1.0, "n": 1e2, "messages":[{"role":"user","content":"h\\u00e9 🙂"}] }';
    const response = await proxy.request("/v1/chat/completions?beta=1&x=%20y", {
      ...post(body, {
        "x-api-key": KEY,
        "x-daemon-token": KEY,
        cookie: "a=b",
        "openai-organization": "org",
        "x-custom": "kept",
      }),
    });
    assert.equal(response.status, 200);
    const [request] = seen;
    assert.ok(request);
    assert.equal(request.url.pathname + request.url.search, "/openai/v1/chat/completions?beta=1&x=%20y");
    assert.equal(Buffer.from(request.body).toString(), body);
    assert.equal(request.headers.get("authorization"), `Bearer ${OPENAI_KEY}`);
    assert.equal(request.headers.get("openai-organization"), "org");
    assert.equal(request.headers.get("x-custom"), "kept");
    for (const [name, value] of request.headers) assert.ok(!value.includes(KEY), `${name} carries the local key`);
    assert.equal(request.headers.get("cookie"), null);
  });

  it("goes where its model lives: a vendor slash to OpenRouter, the user's routes first, all else to OpenAI", async () => {
    const { seen, upstream } = recorder();
    const proxy = await start({ upstream, settings: { routes: [{ pattern: "local/*", upstream: "openai" }] } });
    const wanted = [
      ["gpt-5.5", "/openai/v1/responses"],
      ["x-ai/grok-code-fast-1", "/openrouter/api/v1/responses"],
      ["local/llama", "/openai/v1/responses"],
    ] as const;
    for (const [model, path] of wanted) {
      await (await proxy.request("/v1/responses", post({ input: "x".repeat(5000), model }))).arrayBuffer();
      assert.equal(seen.at(-1)?.url.pathname, path, model);
    }
    assert.equal(seen[1]?.headers.get("authorization"), `Bearer ${OPENROUTER_KEY}`);
  });

  it("finds the model in a compressed body, which passes as it came", async () => {
    const { seen, upstream } = recorder();
    const proxy = await start({ upstream });
    const text = JSON.stringify({ model: "x-ai/grok", input: "hello" });
    for (const [encoding, packed] of [
      ["gzip", gzipSync(text)],
      ["zstd", zstdCompressSync(text)],
    ] as const) {
      await proxy.request("/v1/responses", {
        method: "POST",
        headers: {
          "x-api-key": KEY,
          "content-type": "application/json",
          "content-encoding": encoding,
          "content-length": String(packed.length),
        },
        body: packed,
      });
      assert.equal(seen.at(-1)?.url.pathname, "/openrouter/api/v1/responses", encoding);
      assert.deepEqual(Buffer.from(seen.at(-1)?.body ?? []), packed);
      assert.equal(seen.at(-1)?.headers.get("content-encoding"), encoding);
    }
  });

  it("fills in the default model and leaves the rest of the body alone", async () => {
    const { seen, upstream } = recorder();
    const proxy = await start({ upstream, settings: { defaultModel: "openai/gpt-5.5" } });
    await proxy.request("/v1/chat/completions", post('{"messages":[ ],"seed":1.0}'));
    assert.equal(Buffer.from(seen[0]?.body ?? []).toString(), '{"model":"openai/gpt-5.5","messages":[ ],"seed":1.0}');
    assert.equal(seen[0]?.url.pathname, "/openrouter/api/v1/chat/completions");
    await proxy.request("/v1/chat/completions", post("{}"));
    assert.equal(Buffer.from(seen[1]?.body ?? []).toString(), '{"model":"openai/gpt-5.5"}');
  });

  it("reaches one upstream explicitly, with any path or none", async () => {
    const { seen, upstream } = recorder();
    const proxy = await start({ upstream });
    const wanted = [
      ["/api/proxy/openai", "/openai/v1/chat/completions"],
      ["/api/proxy/openai/", "/openai/v1/chat/completions"],
      ["/api/proxy/openai/v1/models?limit=1", "/openai/v1/models?limit=1"],
      ["/api/proxy/openai/models", "/openai/v1/models"],
      ["/api/proxy/openrouter?x=1", "/openrouter/api/v1/chat/completions?x=1"],
      ["/api/proxy/openrouter/v1/credits", "/openrouter/api/v1/credits"],
    ] as const;
    for (const [path, target] of wanted) {
      const init =
        path.includes("models") || path.includes("credits")
          ? { headers: { "x-api-key": KEY } }
          : post({ model: "any/model" });
      assert.equal((await proxy.request(path, init)).status, 200, path);
      const at = seen.at(-1);
      assert.equal(`${at?.url.pathname}${at?.url.search}`, target);
    }
  });

  it("takes repeated slashes for one, and a key in the path", async () => {
    const { seen, upstream } = recorder();
    const proxy = await start({ upstream });
    await proxy.request("/v1//responses", post({ model: "m" }));
    await proxy.request(`/k/${KEY}/v1/responses`, {
      ...post({ model: "m" }),
      headers: { "content-type": "application/json" },
    });
    assert.deepEqual(
      seen.map((one) => one.url.pathname),
      ["/openai/v1/responses", "/openai/v1/responses"],
    );
    assert.ok(proxy.answered.every((one) => one.path === "/v1/responses"));
  });

  it("passes status, body and Retry-After of an upstream's error, and strips what is said of its host", async () => {
    const { upstream } = recorder(
      () =>
        new Response('{"error":{"message":"slow","type":"t","code":"c"}}', {
          status: 429,
          headers: {
            "content-type": "application/json",
            "retry-after": "7",
            "x-ratelimit-limit-requests": "9",
            "x-request-id": "theirs",
            "set-cookie": "a=b",
            "access-control-allow-origin": "*",
            "strict-transport-security": "max-age=1",
          },
        }),
    );
    const proxy = await start({ upstream });
    const response = await proxy.request("/v1/chat/completions", post({ model: "m" }));
    assert.equal(response.status, 429);
    assert.equal(await response.text(), '{"error":{"message":"slow","type":"t","code":"c"}}');
    assert.equal(response.headers.get("retry-after"), "7");
    assert.equal(response.headers.get("x-ratelimit-limit-requests"), "9");
    assert.equal(response.headers.get("x-upstream-request-id"), "theirs");
    assert.equal(response.headers.get("x-request-id"), proxy.rows[0]?.id);
    for (const name of ["set-cookie", "access-control-allow-origin", "strict-transport-security"]) {
      assert.equal(response.headers.get(name), null, name);
    }
    assert.equal(proxy.rows[0]?.ending, "failed");
    assert.equal(proxy.rows[0]?.usageSource, "none");
  });

  it("does not follow redirects", async () => {
    const { seen, upstream } = recorder(
      () => new Response(null, { status: 307, headers: { location: "https://evil.example/" } }),
    );
    const proxy = await start({ upstream });
    const response = await proxy.request("/v1/files", { headers: { "x-api-key": KEY } });
    assert.equal(response.status, 307);
    assert.equal(seen.length, 1);
  });

  it("is refused with a sentence when its upstream has no key", async () => {
    const { upstream } = recorder();
    const proxy = await start({ upstream, settings: { upstreams: {} } });
    const response = await proxy.request("/v1/chat/completions", post({ model: "x-ai/grok" }));
    assert.equal(response.status, 400);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, "upstream_not_configured");
    assert.match(error.message, /OPENROUTER_API_KEY/);
    const streamed = await proxy.request("/v1/responses", post({ model: "gpt-5.5", stream: true }));
    assert.equal(streamed.status, 200);
    assert.match(await streamed.text(), /"model":"gpt-5.5".*"invalid_prompt"/s);
  });

  it("is refused in the form of its API on every route that leads there", async () => {
    const { upstream } = recorder();
    const proxy = await start({ upstream, key: { quotaTokens: 0 } });
    for (const path of [
      "/v1/responses",
      "/v1/responses/",
      "/api/proxy/openai/responses",
      "/api/proxy/openai/v1/responses",
    ]) {
      const response = await proxy.request(path, post({ model: "gpt-5.5", stream: true }));
      assert.equal(response.status, 200, path);
      assert.match(await response.text(), /"code":"invalid_prompt"/, path);
    }
  });

  it("that breaks its rate is told exactly when to come back", async () => {
    const { upstream } = recorder();
    const proxy = await start({ upstream, key: { rate: { perMinute: 6, burst: 2 } } });
    for (let count = 0; count < 2; count += 1)
      assert.equal((await proxy.request("/v1/responses", post({ model: "m" }))).status, 200);
    const response = await proxy.request("/v1/responses", post({ model: "m", stream: true }));
    assert.equal(response.status, 429);
    assert.equal(response.headers.get("retry-after"), "10");
    assert.equal(((await response.json()) as { error: { code: string } }).error.code, "rate_limit_exceeded");
  });

  it("to an unknown route is refused in OpenAI's shape", async () => {
    const { upstream } = recorder();
    const proxy = await start({ upstream });
    for (const path of ["/", "/nothing", "/api/proxy/other", "/admin/credentials"]) {
      const response = await proxy.request(path, { headers: { "x-api-key": KEY } });
      assert.equal(response.status, 404, path);
      assert.equal(((await response.json()) as { error: { code: string } }).error.code, "unknown_route");
    }
  });
});

describeTransports("the transparent route", (start) => {
  it("passes the caller's own key on, untouched and unseen", async () => {
    const { seen, upstream } = recorder();
    const proxy = await start({ upstream });
    const own = "sk-proj-callers-own-canary";
    const response = await proxy.request(
      "/chat/completions",
      post({ model: "gpt-5.5" }, { authorization: `Bearer ${own}` }),
    );
    assert.equal(response.status, 200);
    await response.text();
    assert.equal(seen[0]?.headers.get("authorization"), `Bearer ${own}`);
    assert.equal(seen[0]?.url.pathname, "/openai/v1/chat/completions");
    assert.equal(proxy.rows[0]?.keyId, "transparent");
    assert.ok(!JSON.stringify([proxy.rows, proxy.answered, proxy.logLines]).includes(own));
  });

  it("fills nothing in", async () => {
    const { seen, upstream } = recorder();
    const proxy = await start({ upstream, settings: { defaultModel: "gpt-5.5" } });
    await proxy.request("/chat/completions", post('{"messages":[]}', { authorization: "Bearer sk-own" }));
    assert.equal(Buffer.from(seen[0]?.body ?? []).toString(), '{"messages":[]}');
  });

  it("refuses a request without a key, and one with a key of ours", async () => {
    const { seen, upstream } = recorder();
    const proxy = await start({ upstream });
    for (const authorization of [undefined, `Bearer ${KEY}`, "Bearer pb_anything"]) {
      const headers: Record<string, string> = { "content-type": "application/json" };
      if (authorization !== undefined) headers["authorization"] = authorization;
      const response = await proxy.request("/chat/completions", { method: "POST", headers, body: "{}" });
      assert.equal(response.status, 401);
    }
    assert.equal(seen.length, 0);
  });
});

describeTransports("the list of models", (start) => {
  const lists = (request: Request): Response => {
    const { pathname } = new URL(request.url);
    return pathname.startsWith("/openai")
      ? Response.json({ object: "list", data: [{ id: "gpt-5.5", object: "model", created: 5, owned_by: "openai" }] })
      : Response.json({ data: [{ id: "x-ai/grok", name: "Grok", context_length: 9, pricing: { prompt: "0.1" } }] });
  };

  it("merges the upstreams, says whose each model is, and asks them once", async () => {
    let asked = 0;
    const proxy = await start({ upstream: (request) => ((asked += 1), lists(request)) });
    const headers = { "x-api-key": KEY };
    await proxy.request("/v1/models", { headers });
    const list = (await (await proxy.request("/v1/models", { headers })).json()) as { object: string; data: unknown[] };
    assert.equal(asked, 2);
    assert.equal(list.object, "list");
    assert.deepEqual(list.data, [
      { id: "gpt-5.5", object: "model", created: 5, owned_by: "openai", upstream: "openai" },
      {
        id: "x-ai/grok",
        name: "Grok",
        context_length: 9,
        pricing: { prompt: "0.1" },
        object: "model",
        created: 0,
        owned_by: "x-ai",
        upstream: "openrouter",
      },
    ]);
    const one = await proxy.request("/v1/models/x-ai/grok", { headers });
    assert.equal(((await one.json()) as { id: string }).id, "x-ai/grok");
    assert.equal((await proxy.request("/v1/models/none", { headers })).status, 404);
  });

  it("lacks the models of an upstream that is down, and no others", async () => {
    const proxy = await start({
      upstream: (request) =>
        request.url.includes("/openai/") ? new Response("down", { status: 500 }) : lists(request),
    });
    const list = (await (await proxy.request("/v1/models", { headers: { "x-api-key": KEY } })).json()) as {
      data: { id: string }[];
    };
    assert.deepEqual(
      list.data.map((model) => model.id),
      ["x-ai/grok"],
    );
  });
});

describeTransports("a WebSocket upgrade", (start) => {
  it("is answered 426 at once, which makes Codex fall back to POST", async () => {
    const proxy = await start({ upstream: () => new Response("x") });
    // `fetch` may not send an Upgrade header; the socket's own test covers the real handshake.
    if (proxy.baseUrl !== "http://127.0.0.1:8390") return;
    for (const path of [
      "/v1/responses",
      "/v1//responses",
      "/api/proxy/openai/v1/responses",
      "/api/proxy/openai/responses",
    ]) {
      const response = await proxy.request(path, { headers: { upgrade: "websocket" } });
      assert.equal(response.status, 426, path);
    }
  });
});

describeTransports("a stream", (start) => {
  it("keeps its bytes: comments, line ends and odd spacing included", async () => {
    const text =
      ': OPENROUTER PROCESSING\r\n\r\ndata:{"choices":[]}\r\n\r\nevent: x\ndata: {"choices":[{"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
    const proxy = await start({ upstream: () => sse([text]) });
    const response = await proxy.request("/v1/chat/completions", post({ model: "m", stream: true }));
    assert.equal(await response.text(), text);
  });
});
