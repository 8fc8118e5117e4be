import assert from "node:assert/strict";
import { normalTarget } from "../../src/proxy/call.ts";
import { meteredKind } from "../../src/proxy/endpoint.ts";
import { matchesPattern, routeModel } from "../../src/proxy/modelRouting.ts";
import { explicitTarget, upstreamUrl, versionedBaseUrl } from "../../src/proxy/upstream.ts";

describe("a base URL", () => {
  it("means the same with and without its version and trailing slashes", () => {
    for (const [written, meant] of [
      ["https://api.openai.com", "https://api.openai.com/v1"],
      ["https://api.openai.com/", "https://api.openai.com/v1"],
      ["https://api.openai.com/v1", "https://api.openai.com/v1"],
      ["https://api.openai.com/v1//", "https://api.openai.com/v1"],
      ["https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"],
      ["https://openrouter.ai/api", "https://openrouter.ai/api/v1"],
      ["http://127.0.0.1:9/openai/v2", "http://127.0.0.1:9/openai/v2"],
    ] as const) {
      assert.equal(versionedBaseUrl(written), meant);
    }
  });

  it("is an http or https URL", () => {
    for (const written of ["api.openai.com", "ftp://a", "", "file:///etc"])
      assert.throws(() => versionedBaseUrl(written), written);
  });

  it("leads to the upstream's own path", () => {
    const upstream = { name: "openrouter", baseUrl: "https://openrouter.ai/api/v1", apiKey: undefined } as const;
    assert.equal(upstreamUrl(upstream, "/v1/models?limit=1"), "https://openrouter.ai/api/v1/models?limit=1");
  });
});

describe("an explicit route", () => {
  it("means the chat completions endpoint without a path, and takes the version as optional", () => {
    for (const [rest, target] of [
      ["", "/v1/chat/completions"],
      ["/", "/v1/chat/completions"],
      ["?a=1", "/v1/chat/completions?a=1"],
      ["/v1/models?x=/v1", "/v1/models?x=/v1"],
      ["/models", "/v1/models"],
      ["/v1", "/v1"],
      ["/v10/x", "/v1/v10/x"],
    ] as const) {
      assert.equal(explicitTarget(rest), target, rest);
    }
  });
});

describe("a target", () => {
  it("loses its path key and repeated slashes, and keeps its query as it is", () => {
    assert.deepEqual(normalTarget("/k/pb_1/v1//responses?a=//b"), { target: "/v1/responses?a=//b", pathKey: "pb_1" });
    assert.deepEqual(normalTarget("/v1/models"), { target: "/v1/models", pathKey: undefined });
    assert.deepEqual(normalTarget("/k/pb_1"), { target: "/", pathKey: "pb_1" });
    assert.deepEqual(normalTarget("/kk/pb_1/v1"), { target: "/kk/pb_1/v1", pathKey: undefined });
  });

  it("is metered where its answer carries usage, and settles an earlier response where it names one", () => {
    assert.deepEqual(meteredKind("POST", "/v1/responses"), { kind: "metered", endpoint: "responses" });
    assert.deepEqual(meteredKind("GET", "/v1/responses/resp%5F1"), { kind: "settles", responseId: "resp_1" });
    assert.deepEqual(meteredKind("POST", "/v1/responses/resp_1/cancel"), { kind: "settles", responseId: "resp_1" });
    for (const [method, path] of [
      ["GET", "/v1/chat/completions"],
      ["DELETE", "/v1/responses/r"],
      ["POST", "/v1/audio/speech"],
    ] as const) {
      assert.deepEqual(meteredKind(method, path), { kind: "unmetered" }, path);
    }
  });
});

describe("model routing", () => {
  it("goes by the user's routes first, then by the vendor slash", () => {
    const routes = [{ pattern: "gpt-*-mini", upstream: "openrouter" }] as const;
    const plain = (): "openai" => "openai";
    assert.equal(routeModel("gpt-5.4-mini", routes, plain), "openrouter");
    assert.equal(routeModel("gpt-5.4", routes, plain), "openai");
    assert.equal(routeModel("z-ai/glm-4.6:exacto", routes, plain), "openrouter");
    assert.equal(routeModel(null, routes, plain), "openai");
  });

  it("takes * for any run of characters and everything else literally", () => {
    for (const [model, pattern, matches] of [
      ["gpt-5.5", "gpt-5.5", true],
      ["gpt-5x5", "gpt-5.5", false],
      ["abc", "*", true],
      ["abc", "a*c", true],
      ["ac", "a*c", true],
      ["a", "a*a", false],
      ["a1b2c", "a*b*c", true],
      ["acb", "a*b*c", false],
      ["xaby", "*ab*", true],
    ] as const) {
      assert.equal(matchesPattern(model, pattern), matches, `${model} ${pattern}`);
    }
  });
});
