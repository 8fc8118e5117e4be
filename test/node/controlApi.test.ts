import assert from "node:assert/strict";

import type { ControlUsageQuery } from "../../src/node/controlApi.ts";
import { someApi, someState } from "./controlRig.ts";

async function errorOf(response: Response): Promise<{ message: string; code: string; type: string }> {
  const { error } = (await response.json()) as { error: { message: string; code: string; type: string } };
  return error;
}

function post(body: string, headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", body, headers };
}

describe("the control API", () => {
  it("tells the state, once the port is open", async () => {
    let open: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      open = resolve;
    });
    let state = someState({ url: "" });
    const answer = someApi({ ready, state: () => state }).request("/state");
    state = someState();
    open();
    assert.deepEqual(await (await answer).json(), someState());
  });

  it("refuses what comes from a page", async () => {
    const stopped: number[] = [];
    const api = someApi({ stop: (graceMs) => stopped.push(graceMs) });
    const answer = await api.request("/stop", post("{}", { origin: "http://127.0.0.1:8390" }));
    assert.equal(answer.status, 403);
    assert.equal((await errorOf(answer)).code, "origin_not_allowed");
    assert.deepEqual(stopped, []);
  });

  it("drains with a reason and stops with a grace period", async () => {
    const told: unknown[] = [];
    const api = someApi({ drain: (reason) => told.push(reason), stop: (graceMs) => told.push(graceMs) });
    assert.equal((await api.request("/drain", post('{"reason":"newer version"}'))).status, 202);
    assert.equal((await api.request("/stop", post('{"graceMs":250}'))).status, 202);
    assert.equal((await api.request("/stop", { method: "POST" })).status, 202);
    assert.deepEqual(told, ["newer version", 250, 10_000]);
  });

  const wrong: readonly [title: string, path: string, body: string][] = [
    ["no JSON", "/drain", "{reason"],
    ["no object", "/stop", "[1]"],
    ["no reason", "/drain", "{}"],
    ["a grace period that is no number", "/stop", '{"graceMs":"1"}'],
    ["a negative grace period", "/stop", '{"graceMs":-1}'],
    ["a grace period without end", "/stop", '{"graceMs":1e99}'],
  ];
  for (const [title, path, body] of wrong) {
    it(`refuses a body with ${title} in a sentence, and does nothing`, async () => {
      const fail = (): void => assert.fail("done all the same");
      const answer = await someApi({ drain: fail, stop: fail }).request(path, post(body));
      assert.equal(answer.status, 400);
      const { code, message, type } = await errorOf(answer);
      assert.deepEqual([code, type], ["invalid_request", "invalid_request_error"]);
      assert.match(message, /\.$/);
    });
  }

  it("takes no body above a mebibyte", async () => {
    const answer = await someApi().request("/drain", post(JSON.stringify({ reason: "x".repeat(1024 * 1024) })));
    assert.equal(answer.status, 413);
    assert.equal((await errorOf(answer)).code, "request_too_large");
  });

  it("reports usage as asked for", async () => {
    const queries: ControlUsageQuery[] = [];
    const api = someApi({
      usage(query) {
        queries.push(query);
        return [];
      },
    });
    assert.deepEqual(await (await api.request("/usage")).json(), []);
    await api.request("/usage?by=day&since=1000&until=2000&key=key_1&model=gpt-5.5");
    assert.deepEqual(queries, [
      { groupBy: "key", since: undefined, until: undefined, keyId: undefined, model: undefined },
      { groupBy: "day", since: 1_000, until: 2_000, keyId: "key_1", model: "gpt-5.5" },
    ]);
    for (const query of ["by=moon", "since=yesterday", "until=-1"])
      assert.equal((await api.request(`/usage?${query}`)).status, 400, query);
  });

  it("knows no plan and no sign-in where there is none", async () => {
    const nothing = {
      plan: undefined,
      windows: [],
      credits: undefined,
      limitReached: false,
      reachedType: undefined,
      observedAt: undefined,
    };
    assert.equal((await someApi().request("/plan")).status, 404);
    assert.equal((await someApi().request("/sign-in")).status, 404);
    assert.equal((await someApi({ plan: () => Promise.resolve(nothing) }).request("/plan")).status, 404);
    const known = await someApi({
      plan: () => Promise.resolve({ ...nothing, plan: "plus", observedAt: 1_000 }),
    }).request("/plan");
    assert.equal(((await known.json()) as { plan: string }).plan, "plus");
  });

  it("answers what it does not know, and what fails, in the shape of all its errors", async () => {
    const unknown = await someApi().request("/keys");
    assert.equal(unknown.status, 404);
    const { code, message } = await errorOf(unknown);
    assert.equal(code, "unknown_route");
    assert.match(message, /GET \/keys.*version 1\.2\.3/);
    const failing = someApi({
      usage: () => {
        throw new Error("The disk is full; make room.");
      },
    });
    const failed = await failing.request("/usage");
    assert.equal(failed.status, 500);
    assert.equal((await errorOf(failed)).message, "The disk is full; make room.");
  });

  it("takes further routes", async () => {
    const api = someApi();
    api.get("/keys", (context) => context.json([]));
    assert.deepEqual(await (await api.request("/keys")).json(), []);
    assert.equal((await api.request("/keys", { headers: { origin: "null" } })).status, 403);
  });

  it("begins a stream of events with the state, and with the requests that are running", async () => {
    const api = someApi({
      liveRequests: () => [
        {
          id: "req_1",
          startedAt: 1,
          keyId: "key_1",
          keyLabel: "laptop",
          model: null,
          client: null,
          upstream: "openai",
          phase: "waiting",
          firstTokenMs: null,
          outputTokens: 0,
          costMicros: null,
          bytes: 0,
        },
      ],
    });
    const answer = await api.request("/events");
    assert.equal(answer.headers.get("content-type"), "text/event-stream");
    const reader = answer.body!.getReader();
    const decoder = new TextDecoder();
    const first = [(await reader.read()).value, (await reader.read()).value].map((bytes) => decoder.decode(bytes));
    assert.match(first[0]!, /^data: \{"type":"state","state":\{"version":"1\.2\.3"/);
    assert.match(first[1]!, /^data: \{"type":"requests","requests":\[\{"id":"req_1"/);
    await reader.cancel();
  });
});
