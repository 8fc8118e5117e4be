import assert from "node:assert/strict";
import { beginDeviceSignIn } from "../../src/codex/deviceSignIn.ts";
import { createOauthIssuer } from "../../src/codex/oauthIssuer.ts";
import { SignInError } from "../../src/codex/signInError.ts";
import { BASE_URL, createPretendIssuer } from "./pretendIssuer.ts";

describe("a sign-in with a device code", () => {
  function rig() {
    const pretend = createPretendIssuer();
    const waits: number[] = [];
    let elapsed = 0;
    const rigged = {
      pretend,
      waits,
      onWait: (_count: number): void => undefined,
      /** Answers polls instead of the issuer. */
      answers: [] as (() => Response | Promise<Response>)[],
      begin: () =>
        beginDeviceSignIn(
          createOauthIssuer({
            baseUrl: BASE_URL,
            fetch: async (url, init) => {
              const answer = url.endsWith("/deviceauth/token") ? rigged.answers.shift() : undefined;
              return answer === undefined ? pretend.fetch(url, init) : answer();
            },
            now: Date.now,
            userAgent: "test",
          }),
          {
            monotonic: () => elapsed,
            wait: async (milliseconds) => {
              elapsed += milliseconds;
              waits.push(milliseconds);
              rigged.onWait(waits.length);
            },
          },
        ),
    };
    return rigged;
  }

  const problemIs = (problem: string) => (error: unknown) => error instanceof SignInError && error.problem === problem;

  it("shows the code, asks at the interval that it was told, and gets tokens when the user has confirmed", async () => {
    const { begin, pretend, waits } = rig();
    const device = await begin();
    assert.deepEqual([device.userCode, device.url], ["ABCD-EFGH", `${BASE_URL}/codex/device`]);
    const completing = device.complete(new AbortController().signal);
    pretend.confirm("ABCD-EFGH");
    assert.equal((await completing).accountId, "account-1");
    assert.ok(waits.every((wait) => wait === 5_000));
  });

  it("goes on asking through pending answers, failures of the server and of the network, and slower when told", async () => {
    const rigged = rig();
    const device = await rigged.begin();
    rigged.answers.push(
      () => Response.json({ error: { code: "deviceauth_authorization_pending" } }, { status: 403 }),
      () => new Response("not yet", { status: 404 }),
      () => new Response("busy", { status: 503 }),
      () => Promise.reject(new TypeError("fetch failed")),
      () => Response.json({ error: "slow_down" }, { status: 400 }),
    );
    rigged.pretend.confirm("ABCD-EFGH");
    assert.ok((await device.complete(new AbortController().signal)).refreshToken);
    assert.deepEqual(rigged.waits, [5_000, 5_000, 5_000, 5_000, 5_000, 10_000]);
  });

  it("stops when nobody has confirmed within 15 minutes", async () => {
    const rigged = rig();
    const device = await rigged.begin();
    await assert.rejects(device.complete(new AbortController().signal), problemIs("timed_out"));
    assert.equal(rigged.pretend.counts["poll"], 180);
  });

  it("stops when it is cancelled, and when the user says no", async () => {
    const rigged = rig();
    const device = await rigged.begin();
    const cancelling = new AbortController();
    rigged.onWait = () => cancelling.abort();
    await assert.rejects(device.complete(cancelling.signal), problemIs("cancelled"));
    rigged.onWait = () => undefined;
    rigged.answers.push(() => Response.json({ error: "access_denied" }, { status: 400 }));
    await assert.rejects(device.complete(new AbortController().signal), problemIs("denied"));
  });
});
