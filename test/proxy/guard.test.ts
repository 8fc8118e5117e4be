import assert from "node:assert/strict";
import { checkPath } from "../../src/proxy/guard.ts";
import { describeTransports, KEY, post } from "./matrix.ts";

const upstream = (): Response => Response.json({ ok: true });

async function errorCode(response: Response): Promise<string> {
  const body = (await response.json()) as { error: { code: string; message: string; type: string; param: null } };
  assert.equal(typeof body.error.message, "string");
  assert.equal(typeof body.error.type, "string");
  assert.ok(response.headers.get("x-request-id"));
  return body.error.code;
}

describe("the path check", () => {
  it("refuses what an upstream would resolve to another path than we routed by", () => {
    for (const path of ["/v1/../admin", "/v1/%2e%2E/admin", "/v1/.", "/v1/.%2e/x", "/v1/a\\..\\b"]) {
      assert.throws(() => checkPath(path), { code: "invalid_request" }, path);
    }
    for (const path of ["/v1/models/gpt-5.5", "/v1/models/x-ai/grok..1", "/v1/files/a.b", "/v1/.well-known"])
      checkPath(path);
  });
});

describeTransports("the guard", (start) => {
  it("answers to loopback names only, whatever their port", async () => {
    const proxy = await start({ upstream });
    for (const host of ["127.0.0.1", "localhost:8390", "LOCALHOST", "[::1]:1", "127.8.9.10:80", "app.localhost"]) {
      assert.equal((await proxy.request("/health", { host })).status, 200, host);
    }
    for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "169.254.1.1"]) {
      const response = await proxy.request("/health", { host });
      assert.equal(response.status, 403, host);
      assert.equal(await errorCode(response), "host_not_allowed");
    }
  });

  it("answers to a host that the user allowed", async () => {
    const proxy = await start({ upstream, settings: { allowedHosts: ["patchbay.lan"] } });
    assert.equal((await proxy.request("/health", { host: "patchbay.lan:8390" })).status, 200);
  });

  it("refuses pages of foreign origins before the key is looked at, and mirrors local ones", async () => {
    const proxy = await start({ upstream });
    for (const origin of [
      "https://evil.example",
      "null",
      "http://localhost.evil.example",
      "http://127.0.0.1@evil.example",
    ]) {
      const response = await proxy.request("/v1/chat/completions", post({ model: "m" }, { origin }));
      assert.equal(response.status, 403, origin);
      assert.equal(await errorCode(response), "origin_not_allowed");
      assert.equal(response.headers.get("access-control-allow-origin"), null);
    }
    for (const origin of ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:5", "vscode-webview://abc"]) {
      const response = await proxy.request("/v1/chat/completions", post({ model: "m" }, { origin }));
      assert.equal(response.status, 200, origin);
      assert.equal(response.headers.get("access-control-allow-origin"), origin);
      assert.equal(response.headers.get("vary"), "Origin");
    }
  });

  it("lets any origin in where the user said so", async () => {
    const proxy = await start({ upstream, settings: { allowedOrigins: ["*"] } });
    const response = await proxy.request("/v1/chat/completions", post({ model: "m" }, { origin: "https://a.example" }));
    assert.equal(response.headers.get("access-control-allow-origin"), "https://a.example");
  });

  it("answers a preflight with methods and headers, without a key", async () => {
    const proxy = await start({ upstream });
    const response = await proxy.request("/v1/responses", {
      method: "OPTIONS",
      headers: {
        origin: "http://localhost:3000",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-own",
      },
    });
    assert.equal(response.status, 204);
    assert.match(response.headers.get("access-control-allow-methods") ?? "", /POST/);
    assert.equal(response.headers.get("access-control-allow-headers"), "authorization,content-type,x-own");
    assert.equal(response.headers.get("access-control-allow-origin"), "http://localhost:3000");
  });

  it("takes JSON only where JSON is carried, so that no web form is a request", async () => {
    const proxy = await start({ upstream });
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      const response = await proxy.request("/v1/chat/completions", post({ model: "m" }, { "content-type": type }));
      assert.equal(response.status, 415, type);
      assert.equal(await errorCode(response), "unsupported_media_type");
    }
    const explicit = await proxy.request("/api/proxy/openai", post({ model: "m" }, { "content-type": "text/plain" }));
    assert.equal(explicit.status, 415);
    const form = await proxy.request(
      "/v1/audio/transcriptions",
      post("--x--", { "content-type": "multipart/form-data; boundary=x" }),
    );
    assert.equal(form.status, 200);
    const json = await proxy.request(
      "/v1/responses",
      post({ model: "m" }, { "content-type": "Application/JSON; charset=utf-8" }),
    );
    assert.equal(json.status, 200);
  });

  it("refuses a body above the limit", async () => {
    const proxy = await start({ upstream, settings: { maximumBodyBytes: 1000 } });
    const response = await proxy.request("/v1/chat/completions", post({ model: "m", text: "x".repeat(1000) }));
    assert.equal(response.status, 413);
    assert.equal(await errorCode(response), "request_too_large");
  });
});

describeTransports("the key check", (start) => {
  it("accepts the key in each of the places of the contract", async () => {
    const proxy = await start({ upstream });
    for (const headers of [
      { authorization: `Bearer ${KEY}` },
      { authorization: `bearer ${KEY}` },
      { "x-api-key": KEY },
      { "x-daemon-token": KEY },
    ]) {
      assert.equal((await proxy.request("/v1/key", { headers })).status, 200, JSON.stringify(headers));
    }
    assert.equal((await proxy.request(`/k/${KEY}/v1/key`)).status, 200);
    const both = { authorization: "Bearer eyJhbGciOi.foreign.token", "x-daemon-token": KEY };
    assert.equal((await proxy.request("/v1/key", { headers: both })).status, 200);
  });

  it("refuses a wrong or missing key before the body is read", async () => {
    const proxy = await start({ upstream });
    for (const headers of [
      {},
      { authorization: "Bearer pb_wrong" },
      { authorization: `Basic ${KEY}` },
      { "x-api-key": "" },
    ]) {
      const response = await proxy.request("/v1/chat/completions", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers } as Record<string, string>,
        body: "{",
      });
      assert.equal(response.status, 401);
      assert.equal(await errorCode(response), "invalid_api_key");
    }
    assert.equal((await proxy.request("/k/pb_wrong/v1/models")).status, 401);
  });

  it("never gives a Codex a 401, which would rotate its user's tokens", async () => {
    const proxy = await start({ upstream });
    for (const headers of [{ originator: "codex_exec" }, { "user-agent": "codex_cli_rs/0.169.0 (Debian)" }]) {
      const response = await proxy.request("/v1/models", { headers: headers as Record<string, string> });
      assert.equal(response.status, 400);
      assert.equal(await errorCode(response), "invalid_api_key");
    }
  });

  it("tells a streamed Responses caller in the form that agents show and do not repeat", async () => {
    const proxy = await start({ upstream });
    const response = await proxy.request("/v1/responses", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: "{}",
    });
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.match(text, /"type":"response.created","sequence_number":0/);
    assert.match(text, /"type":"response.failed","sequence_number":1/);
    assert.match(text, /"code":"invalid_prompt"/);
  });

  it("accepts everybody where the user said so", async () => {
    const proxy = await start({ upstream, settings: { allowAnyKey: true }, noKey: true });
    assert.equal((await proxy.request("/v1/key")).status, 200);
  });
});
