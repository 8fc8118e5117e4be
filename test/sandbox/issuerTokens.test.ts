import assert from "node:assert/strict";
import { json } from "./pretend.ts";
import { codexBody, postCodex, pretendCodex, signIn, type SignedIn, standingClock } from "./pretendCodex.ts";
import { claimsOf, countsOf, exchangeForm, freshCode, postForm, postJson, refreshFields } from "./pretendIssuer.ts";

const DAY_MS = 24 * 60 * 60_000;

describe("sandbox issuer's tokens", () => {
  it("say who signed in, and open the backend", async () => {
    const sandbox = pretendCodex();
    const answer = await postForm(sandbox, "/oauth/token", exchangeForm(await freshCode(sandbox)));
    assert.equal(answer.headers.get("cache-control"), "no-store");
    const tokens = await json(answer);
    assert.deepEqual([tokens.token_type, tokens.expires_in], ["Bearer", (10 * DAY_MS) / 1000]);
    const id = claimsOf(tokens.id_token);
    assert.equal(id.email, "sandbox@patchbay.invalid");
    const auth = id["https://api.openai.com/auth"];
    assert.deepEqual([auth.chatgpt_plan_type, auth.chatgpt_account_id], ["plus", "acc_patchbay_sandbox"]);
    const access = claimsOf(tokens.access_token);
    assert.equal(access.exp - access.iat, tokens.expires_in);
    assert.equal(access["https://api.openai.com/auth"].chatgpt_account_id, auth.chatgpt_account_id);
    const user = await signIn(sandbox);
    const authorization = `Bearer ${tokens.access_token}`;
    assert.equal((await postCodex(user, codexBody("Hi"), { authorization })).status, 200);
    // The id token is none for the backend.
    assert.equal((await postCodex(user, codexBody("Hi"), { authorization: `Bearer ${tokens.id_token}` })).status, 401);
  });

  it("are given once for a code, and only for its verifier and address", async () => {
    const clock = standingClock();
    const sandbox = pretendCodex(clock);
    const exchange = async (code: string, changes: Record<string, string> = {}) =>
      await json(await postForm(sandbox, "/oauth/token", exchangeForm(code, changes)));
    const code = await freshCode(sandbox);
    assert.ok((await exchange(code)).access_token);
    assert.equal((await exchange(code)).error, "invalid_grant");
    for (const changes of [
      { code_verifier: "w".repeat(43) },
      { code_verifier: "" },
      { redirect_uri: "http://localhost:1457/auth/callback" },
    ])
      assert.equal((await exchange(await freshCode(sandbox), changes)).error, "invalid_grant");
    assert.equal((await exchange(await freshCode(sandbox), { client_id: "x" })).error, "invalid_client");
    assert.equal(
      (await exchange(await freshCode(sandbox), { grant_type: "password" })).error,
      "unsupported_grant_type",
    );
    const old = await freshCode(sandbox);
    clock.forward(10 * 60_000);
    assert.equal((await exchange(old)).error, "invalid_grant");
  });

  it("rotate with every refresh, as a form and as JSON", async () => {
    const { sandbox, refreshToken, accessToken } = await signIn();
    const first = await json(await postForm(sandbox, "/oauth/token", refreshFields(refreshToken)));
    const second = await json(await postJson(sandbox, "/oauth/token", refreshFields(first.refresh_token)));
    assert.equal(new Set([refreshToken, first.refresh_token, second.refresh_token]).size, 3);
    assert.equal(new Set([accessToken, first.access_token, second.access_token]).size, 3);
    assert.deepEqual(await countsOf(sandbox), { signIns: 1, refreshes: 2, reuses: 0, revocations: 0 });
  });

  it("fall with their whole family once a refresh token is used again", async () => {
    const user = await signIn();
    const { sandbox, refreshToken } = user;
    const next = await json(await postJson(sandbox, "/oauth/token", refreshFields(refreshToken)));
    const reused = await postJson(sandbox, "/oauth/token", refreshFields(refreshToken));
    assert.deepEqual([reused.status, (await json(reused)).error.code], [401, "refresh_token_reused"]);
    const after = await postJson(sandbox, "/oauth/token", refreshFields(next.refresh_token));
    assert.deepEqual([after.status, (await json(after)).error.code], [401, "refresh_token_invalidated"]);
    const authorization = `Bearer ${next.access_token}`;
    assert.equal(
      (await json(await postCodex(user, codexBody("Hi"), { authorization }))).error.code,
      "token_invalidated",
    );
    assert.deepEqual(await countsOf(sandbox), { signIns: 1, refreshes: 1, reuses: 1, revocations: 1 });
    assert.equal((await postCodex(await signIn(sandbox), codexBody("Hi"))).status, 200);
  });

  it("end with a revocation of either kind, and unknown ones do no harm", async () => {
    const sandbox = pretendCodex();
    for (const kind of ["refreshToken", "accessToken"] as const) {
      const user: SignedIn = await signIn(sandbox);
      const revoked = await postJson(sandbox, "/oauth/revoke", { token: user[kind], token_type_hint: "any" });
      assert.equal(revoked.status, 200);
      assert.equal((await postCodex(user, codexBody("Hi"))).status, 401);
      assert.equal((await postForm(sandbox, "/oauth/token", refreshFields(user.refreshToken))).status, 401);
    }
    assert.equal((await postJson(sandbox, "/oauth/revoke", { token: "nonsense" })).status, 200);
    assert.equal((await countsOf(sandbox))["revocations"], 2);
  });

  it("live as long as the sandbox was told, and are as good as new after a refresh", async () => {
    const clock = standingClock();
    const user = await signIn(pretendCodex(clock, 60_000));
    clock.forward(59_000);
    assert.equal((await postCodex(user, codexBody("Hi"))).status, 200);
    clock.forward(1000);
    assert.equal((await json(await postCodex(user, codexBody("Hi")))).error.code, "token_expired");
    const renewed = await json(await postForm(user.sandbox, "/oauth/token", refreshFields(user.refreshToken)));
    const authorization = `Bearer ${renewed.access_token}`;
    assert.equal((await postCodex(user, codexBody("Hi"), { authorization })).status, 200);
  });

  it("can be ended all at once, with the sign-ins or without", async () => {
    const user = await signIn();
    const end = (order: object): Promise<Response> =>
      user.sandbox.fetch("http://sandbox/sandbox/codex/expire", { method: "POST", body: JSON.stringify(order) });
    await end({});
    const renewed = await json(await postForm(user.sandbox, "/oauth/token", refreshFields(user.refreshToken)));
    const authorization = `Bearer ${renewed.access_token}`;
    assert.equal((await postCodex(user, codexBody("Hi"), { authorization })).status, 200);
    await end({ sign_ins: true });
    const refused = await postForm(user.sandbox, "/oauth/token", refreshFields(renewed.refresh_token));
    assert.equal((await json(refused)).error.code, "refresh_token_invalidated");
  });

  it("come as a whole auth.json for whoever has no browser", async () => {
    const sandbox = pretendCodex();
    const order = { account_id: "acc_mock", plan_type: "pro", email: "me@example.com", lifetime_seconds: 240 };
    const answer = await sandbox.fetch("http://sandbox/sandbox/codex/sign-in", {
      method: "POST",
      body: JSON.stringify(order),
    });
    const file = await json(answer);
    assert.deepEqual(Object.keys(file), ["auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh"]);
    assert.deepEqual([file.auth_mode, file.tokens.account_id], ["chatgpt", "acc_mock"]);
    const claims = claimsOf(file.tokens.access_token);
    assert.equal(claims.exp - claims.iat, 240);
    const id = claimsOf(file.tokens.id_token);
    assert.deepEqual([id.email, id["https://api.openai.com/auth"].chatgpt_plan_type], ["me@example.com", "pro"]);
  });

  it("of another sandbox are worth nothing", async () => {
    const clock = standingClock();
    clock.forward(1);
    const stranger = await signIn(pretendCodex(clock));
    const user = await signIn();
    const { authorization } = stranger.headers;
    assert.equal((await postCodex(user, codexBody("Hi"), { authorization: authorization ?? "" })).status, 401);
    const refused = await postForm(user.sandbox, "/oauth/token", refreshFields(stranger.refreshToken));
    assert.equal((await json(refused)).error.code, "refresh_token_invalidated");
  });
});
