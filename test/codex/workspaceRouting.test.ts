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
    headersOf: ({ accessToken, accountId }) => ({
      authorization: `Bearer ${accessToken}`,
      "chatgpt-account-id": accountId,
    }),
  });
  const route = (accountId: string, accessToken = "secret-token") => routing.route({ accessToken, accountId });
  const override = async (accountId: string) => (await route(accountId)).override;
  return { clock, backend, route, override };
}

function account(id: string, override: unknown) {
  return { id, plan_type: "team", workspace_backend_origin: "https://chatgpt.com", account_routing_override: override };
}

describe("the routing of a workspace", () => {
  it("is what the backend says of this account, asked once an hour however many wait", async () => {
    const { override, backend, clock } = rig(() => json({ accounts: [account("a", "us_cr"), account("b", "eu")] }));
    assert.deepEqual(await Promise.all([override("a"), override("a"), override("b")]), ["us_cr", "us_cr", "eu"]);
    clock.pass(HOUR_MS - 1);
    assert.equal(await override("a"), "us_cr");
    assert.equal(backend.asked.length, 2);
    assert.equal(backend.asked[0]?.url, "https://chatgpt.com/backend-api/wham/accounts/check");
    assert.deepEqual(
      backend.asked.map((one) => one.headers.get("chatgpt-account-id")),
      ["a", "b"],
    );
    clock.pass(1);
    await override("a");
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
      const { override, backend } = rig(() => json({ accounts }));
      assert.equal(await override("a"), undefined);
      assert.deepEqual(backend.lines, []);
    }
  });

  it("is none where it is not to be had: asked again after five minutes, told once", async () => {
    let isUp = false;
    const { override, backend, clock } = rig(() =>
      isUp ? json({ accounts: [account("a", "us_cr")] }) : json({}, { status: 503 }),
    );
    assert.equal(await override("a"), undefined);
    assert.equal(await override("a"), undefined);
    clock.pass(300_000);
    assert.equal(await override("a"), undefined);
    assert.deepEqual([backend.asked.length, backend.lines.length], [2, 1]);
    isUp = true;
    clock.pass(300_000);
    assert.equal(await override("a"), "us_cr");
    isUp = false;
    clock.pass(HOUR_MS);
    assert.equal(await override("a"), "us_cr");
    assert.equal(backend.lines.length, 2);
  });

  it("is asked again at once after a token that was refused, because the next one may be good", async () => {
    const answers = [json({}, { status: 401 }), json({ accounts: [account("a", "us_cr")] })];
    const { override, backend } = rig(() => answers.shift() ?? json({}));
    assert.equal(await override("a"), undefined);
    assert.equal(await override("a"), "us_cr");
    assert.deepEqual([backend.asked.length, backend.lines.length], [2, 0]);
  });

  it("forgets the account that was asked for longest ago where somebody names ever new ones", async () => {
    const { override, backend } = rig(() => json({ accounts: [] }));
    for (let index = 0; index < 65; index += 1) await override(`a${index}`);
    await override("a64");
    assert.equal(backend.asked.length, 65);
    await override("a0");
    assert.equal(backend.asked.length, 66);
  });

  it("of one sign-in is never taken for another's, whatever account it names", async () => {
    const { route, backend } = rig(() =>
      json({
        accounts: backend.asked.at(-1)?.headers.get("authorization") === "Bearer a" ? [account("a", "us_cr")] : [],
      }),
    );
    assert.equal((await route("a", "b")).override, undefined);
    assert.equal((await route("a", "a")).override, "us_cr");
    assert.equal((await route("a", "b")).override, undefined);
    assert.equal(backend.asked.length, 2);
  });

  it("goes to an origin below the backend's own host, never over less than https", async () => {
    for (const [told, origin] of [
      ["https://gov.chatgpt.com", "https://gov.chatgpt.com"],
      ["https://gov.chatgpt.com:8443/ignored", "https://gov.chatgpt.com:8443"],
      ["https://chatgpt.com", undefined],
      ["NO_CONSTRAINT", undefined],
      [undefined, undefined],
    ] as const) {
      const { route, backend } = rig(() => json({ accounts: [{ id: "a", workspace_backend_origin: told }] }));
      assert.deepEqual(await route("a"), { override: undefined, origin }, told);
      assert.deepEqual(backend.lines, []);
    }
    for (const told of [
      "http://gov.chatgpt.com",
      "https://evilchatgpt.com",
      "https://x:y@gov.chatgpt.com",
      "gov",
      "https://a.example",
    ]) {
      const { route, backend } = rig(() => json({ accounts: [{ id: "a", workspace_backend_origin: told }] }));
      assert.equal((await route("a")).origin, undefined, told);
      assert.equal(backend.lines.length, 1);
    }
  });
});
