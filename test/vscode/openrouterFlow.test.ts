import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { beginOpenRouterSignIn } from "../../src/vscode/openrouterFlow.ts";

const CALLBACK = "http://localhost:1234/openrouter?state=s1";

function begin(answer: () => Response, asked: { url?: string; body?: Record<string, string> } = {}) {
  return beginOpenRouterSignIn({
    fetch(url, init) {
      asked.url = url;
      asked.body = JSON.parse(init.body as string) as Record<string, string>;
      return Promise.resolve(answer());
    },
    callbackUrl: CALLBACK,
    state: "s1",
  });
}

describe("the sign-in with OpenRouter", () => {
  it("proves with its verifier what it promised with its challenge", async () => {
    const asked: { url?: string; body?: Record<string, string> } = {};
    const attempt = begin(() => Response.json({ key: "sk-or-1" }), asked);
    const page = new URL(attempt.url);
    assert.equal(page.origin + page.pathname, "https://openrouter.ai/auth");
    assert.equal(page.searchParams.get("callback_url"), CALLBACK);
    assert.equal(page.searchParams.get("code_challenge_method"), "S256");
    assert.equal(await attempt.complete(new URLSearchParams({ state: "s1", code: "c1" })), "sk-or-1");
    assert.equal(asked.url, "https://openrouter.ai/api/v1/auth/keys");
    const { code_verifier: verifier = "", ...rest } = asked.body ?? {};
    assert.deepEqual(rest, { code: "c1", code_challenge_method: "S256" });
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    assert.equal(page.searchParams.get("code_challenge"), challenge);
  });

  it("takes no answer of another attempt", async () => {
    const attempt = begin(() => assert.fail("nothing is to be asked"));
    await assert.rejects(attempt.complete(new URLSearchParams({ state: "s2", code: "c1" })), /another sign-in/);
    await assert.rejects(attempt.complete(new URLSearchParams({ state: "s1" })), /no code/);
  });

  it("says so in a sentence when there is no key", async () => {
    const attempt = begin(() => Response.json({ error: "no" }, { status: 403 }));
    await assert.rejects(attempt.complete(new URLSearchParams({ state: "s1", code: "c1" })), /status 403/);
  });
});
