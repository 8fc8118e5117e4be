import assert from "node:assert/strict";
import { authFileText, parseAuthFile, tokensOfAuthFile, withoutTokens, withTokens } from "../../src/codex/authFile.ts";
import { accessOf, accountIdOf } from "../../src/codex/tokenClaims.ts";
import { jwt } from "./pretendIssuer.ts";

const TOKENS = {
  accessToken: "access-2",
  refreshToken: "refresh-2",
  idToken: "id-2",
  accountId: "account-1",
  refreshedAt: Date.UTC(2026, 10, 20, 12, 35, 39, 159),
};

describe("a file in the shape of Codex's auth.json", () => {
  const written = {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: {
      id_token: "id-1",
      access_token: "access-1",
      refresh_token: "refresh-1",
      oauth_provenance: { issuer: "https://auth.openai.com", client_id: "app_other" },
      login_owner_id: "owner",
      account_id: "account-1",
    },
    last_refresh: "2026-11-20T12:35:39.159760478Z",
    agent_identity: { some: "thing" },
  };

  it("is read with nanoseconds, and without the members that older ones lack", () => {
    assert.deepEqual(tokensOfAuthFile(written), {
      accessToken: "access-1",
      refreshToken: "refresh-1",
      idToken: "id-1",
      accountId: "account-1",
      refreshedAt: Date.UTC(2026, 10, 20, 12, 35, 39, 159),
    });
    assert.equal(tokensOfAuthFile({ tokens: { access_token: "a" } })?.accessToken, "a");
    assert.equal(tokensOfAuthFile({ auth_mode: "apikey", OPENAI_API_KEY: "sk-x", tokens: null }), undefined);
  });

  it("keeps what is not ours to know when the tokens are refreshed", () => {
    const rewritten = withTokens(written, TOKENS, "https://auth.openai.com");
    assert.deepEqual(JSON.parse(authFileText(rewritten)), {
      ...written,
      tokens: { ...written.tokens, id_token: "id-2", access_token: "access-2", refresh_token: "refresh-2" },
      last_refresh: "2026-11-20T12:35:39.159Z",
    });
  });

  it("drops what belongs to the sign-in of another account", () => {
    const { tokens } = withTokens(written, { ...TOKENS, accountId: "account-2" }, "https://auth.openai.com");
    assert.deepEqual(tokens, {
      id_token: "id-2",
      access_token: "access-2",
      refresh_token: "refresh-2",
      oauth_provenance: { issuer: "https://auth.openai.com", client_id: "app_EMoamEEZ73f0CkXaXp7hrann" },
      account_id: "account-2",
    });
  });

  it("keeps an API key when the sign-in ends", () => {
    assert.deepEqual(withoutTokens({ ...written, OPENAI_API_KEY: "sk-x" }), {
      auth_mode: "apikey",
      OPENAI_API_KEY: "sk-x",
      tokens: null,
      agent_identity: { some: "thing" },
    });
  });

  it("is not quoted when it is damaged", () => {
    assert.deepEqual(parseAuthFile(" \n"), {});
    for (const text of ['{"tokens":"secret', "[]", '"secret"']) {
      assert.throws(() => parseAuthFile(text), /^SyntaxError: not a JSON object$/);
    }
  });
});

describe("the claims of tokens", () => {
  const claims = (auth: object, more: object = {}) => jwt({ "https://api.openai.com/auth": auth, ...more });
  const tokens = (idToken: string | undefined, accessToken = "opaque") => ({
    ...TOKENS,
    idToken,
    accessToken,
    accountId: undefined,
  });

  it("name the account: what is stored, the claim, the top level, the first organization", () => {
    const all = claims({ chatgpt_account_id: "a", organizations: [{ id: "o" }] }, { chatgpt_account_id: "t" });
    assert.equal(accountIdOf({ ...tokens(all), accountId: "stored" }), "stored");
    assert.equal(accountIdOf(tokens(all)), "a");
    assert.equal(accountIdOf(tokens(undefined, claims({ chatgpt_account_id: "b" }))), "b");
    assert.equal(accountIdOf(tokens(claims({ organizations: [{ id: "o" }] }, { chatgpt_account_id: "t" }))), "t");
    assert.equal(accountIdOf(tokens(claims({ organizations: [{ id: "o" }] }))), "o");
    assert.throws(() => accessOf(tokens(undefined)), /names no ChatGPT account/);
  });

  it("tell plan, residency, FedRAMP and non-ASCII names, and survive nonsense", () => {
    const auth = { chatgpt_account_id: "a", chatgpt_plan_type: "pro", chatgpt_compute_residency: "eu" };
    const access = accessOf(
      tokens(claims({ ...auth, chatgpt_account_is_fedramp: true }, { email: "jörg@example.com" }), jwt({ exp: 1000 })),
    );
    assert.deepEqual(
      [access.planType, access.residency, access.isFedramp, access.email, access.expiresAt],
      ["pro", "eu", true, "jörg@example.com", 1_000_000],
    );
    assert.equal(
      accessOf(tokens(claims({ ...auth, chatgpt_compute_residency: "no_constraint" }))).residency,
      undefined,
    );
    for (const nonsense of ["", "a.b.c", "a.bm90IGpzb24.c", "..", `a.${Buffer.from("[1]").toString("base64url")}.c`]) {
      assert.equal(accountIdOf(tokens(nonsense, nonsense)), undefined);
    }
  });
});
