import assert from "node:assert/strict";
import { request } from "node:http";
import { zstdCompressSync } from "node:zlib";
import { type SandboxServer, startSandboxServer } from "../../src/node/sandboxServer.ts";
import { events, json } from "./pretend.ts";
import { codexBody } from "./pretendCodex.ts";

describe("sandbox server's Codex", () => {
  let server: SandboxServer;
  before(async () => {
    server = await startSandboxServer({ now: () => Date.now(), monotonic: () => performance.now() }, 0);
  });
  after(() => server.close());

  async function signedInHeaders(): Promise<Record<string, string>> {
    const address = new URL("/sandbox/codex/sign-in", server.codexBaseUrl);
    const { tokens } = await json(await fetch(address, { method: "POST" }));
    return { authorization: `Bearer ${tokens.access_token}`, "chatgpt-account-id": tokens.account_id };
  }

  it("takes packed bodies at its base URL, and tells the use of the plan beside it", async () => {
    const headers = await signedInHeaders();
    const answer = await fetch(`${server.codexBaseUrl}/responses`, {
      method: "POST",
      headers: {
        ...headers,
        "content-type": "application/json",
        accept: "text/event-stream",
        "content-encoding": "zstd",
      },
      body: zstdCompressSync(JSON.stringify(codexBody("Hi"))),
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), null);
    assert.equal(events(await answer.text()).at(-1).type, "response.completed");
    const usage = await json(await fetch(`${server.codexBaseUrl}/../wham/usage`, { headers }));
    assert.equal(usage.rate_limit.primary_window.used_percent, 1);
  });

  it("answers the upgrade to a WebSocket with 426", async () => {
    const headers = { ...(await signedInHeaders()), connection: "Upgrade", upgrade: "websocket" };
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request(`${server.codexBaseUrl}/responses`, { headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.once("error", reject);
      asked.end();
    });
    assert.equal(status, 426);
  });

  it("shows its sign-in at its issuer's address", async () => {
    assert.equal((await fetch(`${server.authBaseUrl}/codex/device`)).status, 200);
    assert.equal((await fetch(`${server.authBaseUrl}/oauth/authorize`)).status, 400);
  });
});
