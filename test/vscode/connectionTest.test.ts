import assert from "node:assert/strict";
import type { ListedModel } from "../../src/proxy/modelList.ts";
import { configuredUpstreams, testRequests, testResult } from "../../src/vscode/connectionTest.ts";
import { exportText } from "../../src/vscode/usageExport.ts";

function listed(upstream: ListedModel["upstream"], ...ids: readonly string[]): readonly ListedModel[] {
  return ids.map((id) => ({ id, object: "model", created: 0, owned_by: "x", upstream }));
}

describe("the test of the connection", () => {
  it("asks each upstream once, for a small model that chats", () => {
    const models = [
      ...listed("openai", "text-embedding-3-mini", "gpt-5.5", "gpt-5.5-nano"),
      ...listed("openrouter", "a/large", "b/some-mini"),
    ];
    const requests = testRequests(models, ["openai", "openrouter"]);
    assert.deepEqual(
      requests.map(({ path, model }) => [path, model]),
      [
        ["/api/proxy/openai/v1/chat/completions", "gpt-5.5-nano"],
        ["/api/proxy/openrouter/v1/chat/completions", "b/some-mini"],
      ],
    );
  });

  it("tells time, tokens and cost, or the upstream's own words", () => {
    const [request] = testRequests(listed("openai", "gpt-5.5"), ["openai"]);
    assert.ok(request !== undefined);
    const answer = { status: 200, body: { usage: { total_tokens: 12 } }, totalMs: 1_234, requestId: "req_1" };
    assert.equal(testResult(request, answer, 0.5), "OpenAI: gpt-5.5 answered in 1.2 s, 12 tokens, $0.50");
    assert.match(testResult(request, answer, null), /12 tokens, cost unknown$/);
    const refused = { error: { message: "Incorrect API key provided." } };
    assert.equal(
      testResult(request, { status: 401, body: refused, totalMs: 1, requestId: undefined }, null),
      "OpenAI: Incorrect API key provided.",
    );
  });

  it("asks an upstream that tells no models all the same, and none that has neither key nor sign-in", () => {
    const upstreams = [
      { name: "codex", baseUrl: "https://c", hasKey: false },
      { name: "openai", baseUrl: "https://a", hasKey: true },
      { name: "openrouter", baseUrl: "https://b", hasKey: false },
    ] as const;
    assert.deepEqual(configuredUpstreams(upstreams, undefined), ["openai"]);
    assert.deepEqual(configuredUpstreams(upstreams, { state: "signed_in" } as never), ["codex", "openai"]);
    assert.deepEqual(
      testRequests([], ["openai"]).map(({ model }) => model),
      ["gpt-5.4-nano"],
    );
  });
});

describe("the export of the usage", () => {
  const row = (id: string) => ({ id, key: "=evil()" }) as never;

  it("goes through all pages", async () => {
    const asked: unknown[] = [];
    const client = {
      rows(query: object) {
        asked.push(query);
        return Promise.resolve(asked.length === 1 ? { rows: [row("a")], next: 7 } : { rows: [row("b")], next: null });
      },
    };
    const query = { since: 5, key: null, model: "m" };
    const text = await exportText(client, query, "jsonl", new AbortController().signal, () => undefined);
    assert.deepEqual(
      text
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: string }).id),
      ["a", "b"],
    );
    assert.deepEqual(asked, [
      { limit: 1_000, since: 5, model: "m" },
      { limit: 1_000, before: 7, since: 5, model: "m" },
    ]);
  });

  it("has no formulas in its table", async () => {
    const client = { rows: () => Promise.resolve({ rows: [row("a")], next: null }) };
    const query = { since: undefined, key: null, model: null };
    const text = await exportText(client, query, "csv", new AbortController().signal, () => undefined);
    assert.match(text, /^id,started_at,key/);
    assert.match(text, /,'=evil\(\),/);
  });
});
