import assert from "node:assert/strict";
import { pretendCodex } from "./pretendCodex.ts";
import { authorization, authorize, exchangeForm, postForm } from "./pretendIssuer.ts";

describe("sandbox issuer's page", () => {
  const sandbox = pretendCodex();

  it("asks with a plain form, and answers to the client's address", async () => {
    const query = authorization({ state: 'st"<b>&ate-1' });
    const page = await authorize(sandbox, query);
    assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
    const html = await page.text();
    assert.ok(html.includes("Continue as sandbox user") && html.includes("Deny") && !html.includes("<b>"));
    const fields = Object.fromEntries(query);
    const agreed = await postForm(sandbox, "/oauth/authorize", { ...fields, decision: "continue" });
    const address = new URL(agreed.headers.get("location") ?? "");
    assert.deepEqual([agreed.status, address.origin + address.pathname], [302, fields["redirect_uri"]]);
    assert.equal(address.searchParams.get("state"), fields["state"]);
    const code = address.searchParams.get("code") ?? "";
    assert.equal((await postForm(sandbox, "/oauth/token", exchangeForm(code))).status, 200);
    const denied = await postForm(sandbox, "/oauth/authorize", { ...fields, decision: "deny" });
    assert.equal(new URL(denied.headers.get("location") ?? "").searchParams.get("error"), "access_denied");
  });

  it("sends nobody to an address that is not registered", async () => {
    for (const changes of [
      { redirect_uri: "http://localhost:8080/auth/callback" },
      { redirect_uri: "https://localhost:1455/auth/callback" },
      { redirect_uri: "http://localhost:1455/other" },
      { redirect_uri: "http://localhost:1455@evil.example/auth/callback" },
      { redirect_uri: "http://evil.example/?http://localhost:1455/auth/callback" },
      { redirect_uri: undefined },
      { client_id: "app_other" },
    ]) {
      const answer = await authorize(sandbox, authorization({ ...changes, sandbox_auto: "1" }));
      assert.deepEqual([answer.status, answer.headers.get("location")], [400, null], JSON.stringify(changes));
    }
  });

  it("knows both ports and both names of this machine", async () => {
    for (const host of ["localhost:1455", "localhost:1457", "127.0.0.1:1455", "127.0.0.1:1457"]) {
      const changes = { redirect_uri: `http://${host}/auth/callback`, sandbox_auto: "1" };
      const answer = await authorize(sandbox, authorization(changes));
      assert.equal(new URL(answer.headers.get("location") ?? "").host, host);
    }
  });

  it("goes on for the originators that it knows, and where none is named", async () => {
    for (const originator of ["codex_cli_rs", "Codex Desktop", undefined]) {
      const answer = await authorize(sandbox, authorization({ originator, sandbox_auto: "1" }));
      assert.equal(answer.status, 302);
    }
    const unknown = await authorize(sandbox, authorization({ originator: "patchbay", sandbox_auto: "1" }));
    assert.equal(unknown.status, 400);
    assert.match(await unknown.text(), /missing_required_parameter/);
  });

  it("tells the client what is wrong with its request", async () => {
    for (const [changes, error] of [
      [{ response_type: "token" }, "unsupported_response_type"],
      [{ code_challenge: undefined }, "invalid_request"],
      [{ code_challenge_method: "plain" }, "invalid_request"],
      [{ code_challenge: "short" }, "invalid_request"],
      [{ state: undefined }, "invalid_state"],
      [{ scope: "openid model.request" }, "invalid_scope"],
    ] as const) {
      const answer = await authorize(sandbox, authorization({ ...changes, sandbox_auto: "1" }));
      const { searchParams } = new URL(answer.headers.get("location") ?? "");
      assert.deepEqual([searchParams.get("error"), searchParams.get("code")], [error, null]);
    }
  });
});
