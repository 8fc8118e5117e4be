import assert from "node:assert/strict";
import { besideBackend } from "../../src/codex/backendRequest.ts";
import { createUsageQuery } from "../../src/codex/usageQuery.ts";
import { handClock, json, pretendBackend } from "./catalogueRig.ts";

const TOKEN = "secret-token";

function rig(answer: Parameters<typeof pretendBackend>[0], isSignedIn = true) {
  const clock = handClock();
  const backend = pretendBackend(answer);
  const noted: object[] = [];
  const query = createUsageQuery({
    ...backend,
    clock,
    baseUrl: () => "https://chatgpt.com/backend-api/codex",
    headers: async () => (isSignedIn ? { authorization: `Bearer ${TOKEN}` } : undefined),
    noteUsage: (usage) => void noted.push(usage),
  });
  return { clock, backend, noted, query };
}

describe("the question for the use of the plan", () => {
  it("goes to the service beside the backend, with the headers of its sender", async () => {
    const { query, backend, noted } = rig(() => json({ plan_type: "plus" }));
    await query.ask();
    assert.deepEqual(noted, [{ plan_type: "plus" }]);
    assert.equal(backend.asked[0]?.url, "https://chatgpt.com/backend-api/wham/usage");
    assert.equal(backend.asked[0]?.headers.get("authorization"), `Bearer ${TOKEN}`);
  });

  it("is asked once however many wait, and once a minute at most", async () => {
    const { query, backend, clock } = rig(() => json({}));
    await Promise.all([query.ask(), query.ask()]);
    clock.pass(59_999);
    await query.ask();
    assert.equal(backend.asked.length, 1);
    clock.pass(1);
    await query.ask();
    assert.equal(backend.asked.length, 2);
  });

  it("is not asked while nobody is signed in", async () => {
    const { query, backend } = rig(() => json({}), false);
    await query.ask();
    assert.equal(backend.asked.length, 0);
  });

  it("may fail, again and again, with one line in the log that has no token", async () => {
    for (const fail of [
      () => json({}, { status: 401 }),
      () => json([1]),
      () => new Response(TOKEN),
      () => Promise.reject(new TypeError(TOKEN)),
    ]) {
      const { query, backend, noted, clock } = rig(fail);
      await query.ask();
      await query.ask();
      assert.equal(backend.asked.length, 1);
      clock.pass(60_000);
      await query.ask();
      assert.deepEqual([backend.asked.length, noted, backend.lines.length], [2, [], 1]);
      assert(!backend.lines.join().includes(TOKEN));
    }
  });
});

describe("a service beside the backend", () => {
  it("is below wham where the backend is below backend-api, else below api/codex", () => {
    for (const [baseUrl, address] of [
      ["https://chatgpt.com/backend-api/codex", "https://chatgpt.com/backend-api/wham/usage"],
      ["https://chatgpt.com/backend-api/codex/", "https://chatgpt.com/backend-api/wham/usage"],
      ["http://127.0.0.1:9/codex/backend-api/codex", "http://127.0.0.1:9/codex/backend-api/wham/usage"],
      ["https://chatgpt.com/backend-api", "https://chatgpt.com/backend-api/wham/usage"],
      ["https://own.test/backend-apis/codex", "https://own.test/backend-apis/api/codex/usage"],
      ["https://own.test/codex", "https://own.test/api/codex/usage"],
      ["https://own.test/api/codex/", "https://own.test/api/codex/usage"],
      ["https://own.test", "https://own.test/api/codex/usage"],
    ] as const)
      assert.equal(besideBackend(baseUrl, "/usage"), address, baseUrl);
  });
});
