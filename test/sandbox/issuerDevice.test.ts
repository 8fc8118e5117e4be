import assert from "node:assert/strict";
import { CODEX_CLIENT_ID } from "../../src/sandbox/issuerClaims.ts";
import { json } from "./pretend.ts";
import { pretendCodex, standingClock } from "./pretendCodex.ts";
import { exchangeForm, postForm, postJson } from "./pretendIssuer.ts";

const USER_CODE = "/api/accounts/deviceauth/usercode";
const TOKEN = "/api/accounts/deviceauth/token";

describe("sandbox issuer's devices", () => {
  it("wait until the user has entered the code, and are told once", async () => {
    const sandbox = pretendCodex();
    const device = await json(await postJson(sandbox, USER_CODE, { client_id: CODEX_CLIENT_ID }));
    assert.match(device.user_code, /^[A-Z]{4}-[A-Z]{4}$/);
    assert.equal(device.interval, "1");
    const { device_auth_id, user_code } = device;
    const poll = (): Promise<Response> => postJson(sandbox, TOKEN, { device_auth_id, user_code });
    const pending = await poll();
    assert.deepEqual([pending.status, (await json(pending)).error.code], [403, "deviceauth_authorization_pending"]);
    const page = await sandbox.fetch(`http://sandbox/auth/codex/device?user_code=${user_code}`);
    assert.ok((await page.text()).includes(`value="${user_code}"`));
    assert.equal((await postForm(sandbox, "/codex/device", { user_code: "AAAA-AAAA" })).status, 400);
    assert.equal((await postForm(sandbox, "/codex/device", { user_code: ` ${user_code.toLowerCase()} ` })).status, 200);
    const grant = await json(await poll());
    assert.ok(grant.authorization_code && grant.code_verifier && grant.code_challenge);
    assert.equal((await poll()).status, 404);
    const form = exchangeForm(grant.authorization_code, {
      redirect_uri: "http://sandbox/auth/deviceauth/callback",
      code_verifier: grant.code_verifier,
    });
    const tokens = await json(await postForm(sandbox, "/oauth/token", form));
    assert.ok(tokens.access_token && tokens.refresh_token && tokens.id_token);
  });

  it("do not get their code exchanged with the address of a browser", async () => {
    const sandbox = pretendCodex();
    const { device_auth_id, user_code } = await json(
      await postJson(sandbox, USER_CODE, { client_id: CODEX_CLIENT_ID }),
    );
    await postForm(sandbox, "/codex/device", { user_code });
    const grant = await json(await postJson(sandbox, TOKEN, { device_auth_id, user_code }));
    const form = exchangeForm(grant.authorization_code, { code_verifier: grant.code_verifier });
    assert.equal((await json(await postForm(sandbox, "/oauth/token", form))).error, "invalid_grant");
  });

  it("are forgotten after a quarter of an hour, and unknown ones were never known", async () => {
    const clock = standingClock();
    const sandbox = pretendCodex(clock);
    const { device_auth_id, user_code } = await json(
      await postJson(sandbox, USER_CODE, { client_id: CODEX_CLIENT_ID }),
    );
    assert.equal((await postJson(sandbox, TOKEN, { device_auth_id, user_code: "AAAA-AAAA" })).status, 404);
    clock.forward(15 * 60_000);
    assert.equal((await postForm(sandbox, "/codex/device", { user_code })).status, 400);
    assert.equal((await postJson(sandbox, TOKEN, { device_auth_id, user_code })).status, 404);
    assert.equal((await postJson(sandbox, USER_CODE, { client_id: "app_other" })).status, 400);
  });
});
