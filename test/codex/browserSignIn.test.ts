import assert from "node:assert/strict";
import { beginBrowserSignIn } from "../../src/codex/browserSignIn.ts";
import { createOauthIssuer } from "../../src/codex/oauthIssuer.ts";
import { SignInError, type SignInProblem } from "../../src/codex/signInError.ts";
import { BASE_URL, createPretendIssuer } from "./pretendIssuer.ts";

describe("a sign-in through a browser", () => {
  let pretend: ReturnType<typeof createPretendIssuer>;

  beforeEach(() => {
    pretend = createPretendIssuer();
  });

  const begin = () =>
    beginBrowserSignIn(
      createOauthIssuer({ baseUrl: BASE_URL, fetch: pretend.fetch, now: Date.now, userAgent: "test" }),
      1455,
    );

  const rejectsAs = (promise: Promise<unknown>, problem: SignInProblem, message = /./): Promise<void> =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof SignInError, String(error));
      assert.equal(error.problem, problem);
      assert.match(error.message, message);
      return true;
    });

  it("asks with PKCE, state and nonce, for the registered address, under nobody's name", async () => {
    const { url } = await begin();
    assert.ok(url.startsWith(`${BASE_URL}/oauth/authorize?`));
    const query = Object.fromEntries(new URL(url).searchParams);
    assert.match(query["code_challenge"] ?? "", /^[\w-]{43}$/);
    assert.match(query["state"] ?? "", /^[\w-]{43}$/);
    assert.match(query["nonce"] ?? "", /^[\w-]{43}$/);
    const { code_challenge: _challenge, state: _state, nonce: _nonce, ...fixed } = query;
    assert.deepEqual(fixed, {
      response_type: "code",
      client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
      redirect_uri: "http://localhost:1455/auth/callback",
      code_challenge_method: "S256",
      scope: "openid profile email offline_access",
      id_token_add_organizations: "true",
      codex_cli_simplified_flow: "true",
    });
  });

  it("exchanges the code that comes back for tokens and their account", async () => {
    const signIn = await begin();
    const tokens = await signIn.complete(pretend.agree(signIn.url).searchParams);
    assert.equal(tokens.accountId, "account-1");
    assert.equal(tokens.refreshToken, "rt_family1_1");
  });

  it("takes nothing with another state, and goes on after it", async () => {
    const signIn = await begin();
    const answer = pretend.agree(signIn.url).searchParams;
    await rejectsAs(signIn.complete(new URLSearchParams({ code: "code1", state: "x".repeat(43) })), "wrong_state");
    await rejectsAs(signIn.complete(new URLSearchParams({ code: "code1" })), "wrong_state");
    assert.deepEqual(pretend.bodies, []);
    assert.ok((await signIn.complete(answer)).accessToken);
  });

  it("takes no id token that answers another sign-in, and one without a nonce", async () => {
    pretend.nonceOf = () => "another nonce";
    const first = await begin();
    await rejectsAs(first.complete(pretend.agree(first.url).searchParams), "failed");
    pretend.nonceOf = () => undefined;
    const second = await begin();
    assert.ok((await second.complete(pretend.agree(second.url).searchParams)).idToken);
  });

  it("explains a no, and a workspace without Codex", async () => {
    const signIn = await begin();
    const state = new URL(signIn.url).searchParams.get("state")!;
    const answer = (error: string, error_description = "") => new URLSearchParams({ error, error_description, state });
    await rejectsAs(signIn.complete(answer("access_denied")), "denied", /declined/);
    await rejectsAs(signIn.complete(answer("access_denied", "missing_codex_entitlement")), "denied", /administrator/);
    await rejectsAs(signIn.complete(answer("server_error")), "failed", /server_error/);
    await rejectsAs(signIn.complete(new URLSearchParams({ error: "access_denied", state: "other" })), "wrong_state");
  });

  const pasted: readonly [title: string, text: (back: URL, code: string, state: string) => string][] = [
    ["the whole address", (back) => `  ${back.href}\n`],
    ["the whole address, broken into lines", (back) => `"${back.href.slice(0, 40)}\n${back.href.slice(40)}"`],
    ["code#state", (_back, code, state) => `${code}#${state}`],
    ["the query", (_back, code, state) => `code=${code}&state=${state}`],
    ["the bare code", (_back, code) => code],
  ];
  for (const [title, text] of pasted) {
    it(`takes ${title} as it is pasted`, async () => {
      const signIn = await begin();
      const back = pretend.agree(signIn.url);
      const { code, state } = Object.fromEntries(back.searchParams);
      assert.ok((await signIn.completePasted(text(back, code!, state!))).accessToken);
    });
  }

  it("takes no paste with another state, or without a code", async () => {
    const signIn = await begin();
    await rejectsAs(signIn.completePasted("code1#other"), "wrong_state");
    await rejectsAs(signIn.completePasted("http://localhost:1455/auth/callback"), "wrong_state", /paste/);
    assert.deepEqual(pretend.bodies, []);
  });

  it("goes to https, or to http on this machine, only", () => {
    const at = (baseUrl: string) => () =>
      createOauthIssuer({ baseUrl, fetch: pretend.fetch, now: Date.now, userAgent: "test" });
    for (const url of ["http://auth.example.com", "ftp://localhost", "nonsense", "http://localhost.evil.example"]) {
      assert.throws(at(url), SignInError);
    }
    assert.equal(at("https://auth.openai.com/")().baseUrl, "https://auth.openai.com");
    assert.equal(at("http://[::1]:8080/auth")().baseUrl, "http://[::1]:8080/auth");
  });

  it("does not quote what the server says when it refuses a code", async () => {
    const signIn = await begin();
    pretend.failures.push(() => Response.json({ error: { code: "x1", message: "code1" } }, { status: 400 }));
    await rejectsAs(signIn.complete(pretend.agree(signIn.url).searchParams), "failed", /^(?!.*code1)/);
  });
});
