import assert from "node:assert/strict";
import { createWorkspaceRouting } from "../../src/codex/workspaceRouting.ts";
import { handClock, json, pretendBackend } from "./catalogueRig.ts";

const HOUR_MS = 3_600_000;

function rig(answer: Parameters<typeof pretendBackend>[0]) {
  const clock = handClock();
  const backend = pretendBackend(answer);
  const routing = createWorkspaceRouting({
    ...backend,
    clock,
    baseUrl: () => "https://chatgpt.com/backend-api/codex",
    headers: async (accountId) =>
      accountId === "gone" ? undefined : { authorization: "Bearer secret-token", "chatgpt-account-id": accountId },
  });
  return { clock, backend, routing };
}

function account(id: string, override: unknown) {
  return { id, plan_type: "team", workspace_backend_origin: "https://chatgpt.com", account_routing_override: override };
}

describe("the routing of a workspace", () => {
  it("is what the backend says of this account, asked once an hour however many wait", async () => {
    const { routing, backend, clock } = rig(() => json({ accounts: [account("a", "us_cr"), account("b", "eu")] }));
    assert.deepEqual(await Promise.all([routing.override("a"), routing.override("a"), routing.override("b")]), [
      "us_cr",
      "us_cr",
      "eu",
    ]);
    clock.pass(HOUR_MS - 1);
    assert.equal(await routing.override("a"), "us_cr");
    assert.equal(backend.asked.length, 2);
    assert.equal(backend.asked[0]?.url, "https://chatgpt.com/backend-api/wham/accounts/check");
    assert.deepEqual(
      backend.asked.map((one) => one.headers.get("chatgpt-account-id")),
      ["a", "b"],
    );
    clock.pass(1);
    await routing.override("a");
    assert.equal(backend.asked.length, 3);
  });

  it("is none where there is no constraint, no such account, or a value that is no header value", async () => {
    for (const accounts of [
      [account("a", "NO_CONSTRAINT")],
      [account("a", "no_constraint")],
      [account("other", "us_cr")],
      [account("a", "us\r\nx-evil: 1")],
      [account("a", "")],
      [account("a", 5)],
      { a: { account: { account_id: "a" } } },
      null,
    ]) {
      const { routing, backend } = rig(() => json({ accounts }));
      assert.equal(await routing.override("a"), undefined);
      assert.deepEqual(backend.lines, []);
    }
  });

  it("is none where it is not to be had: asked again after five minutes, told once", async () => {
    let isUp = false;
    const { routing, backend, clock } = rig(() =>
      isUp ? json({ accounts: [account("a", "us_cr")] }) : json({}, { status: 503 }),
    );
    assert.equal(await routing.override("a"), undefined);
    assert.equal(await routing.override("a"), undefined);
    clock.pass(300_000);
    assert.equal(await routing.override("a"), undefined);
    assert.deepEqual([backend.asked.length, backend.lines.length], [2, 1]);
    isUp = true;
    clock.pass(300_000);
    assert.equal(await routing.override("a"), "us_cr");
    isUp = false;
    clock.pass(HOUR_MS);
    assert.equal(await routing.override("a"), "us_cr");
    assert.equal(backend.lines.length, 2);
  });

  it("is asked again at once after a token that was refused, because the next one may be good", async () => {
    const answers = [json({}, { status: 401 }), json({ accounts: [account("a", "us_cr")] })];
    const { routing, backend } = rig(() => answers.shift() ?? json({}));
    assert.equal(await routing.override("a"), undefined);
    assert.equal(await routing.override("a"), "us_cr");
    assert.deepEqual([backend.asked.length, backend.lines.length], [2, 0]);
  });

  it("forgets the account that was asked for longest ago where somebody names ever new ones", async () => {
    const { routing, backend } = rig(() => json({ accounts: [] }));
    for (let index = 0; index < 65; index += 1) await routing.override(`a${index}`);
    await routing.override("a64");
    assert.equal(backend.asked.length, 65);
    await routing.override("a0");
    assert.equal(backend.asked.length, 66);
  });

  it("is none for an account that is no longer signed in", async () => {
    const { routing, backend } = rig(() => json({}));
    assert.equal(await routing.override("gone"), undefined);
    assert.equal(backend.asked.length, 0);
  });
});
