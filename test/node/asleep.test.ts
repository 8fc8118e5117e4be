import assert from "node:assert/strict";
import { createOauthIssuer } from "../../src/codex/oauthIssuer.ts";
import { createTokenKeeper } from "../../src/codex/tokenKeeper.ts";
import { fullBucket, takeToken } from "../../src/ledger/tokenBucket.ts";
import { createIdleExit } from "../../src/node/idleExit.ts";
import { BASE_URL, createPretendIssuer, memoryStore } from "../codex/pretendIssuer.ts";
import { listeningLog } from "../ledger/temporaryLedger.ts";
import { handTimers } from "./controlRig.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const RATE = { perMinute: 60, burst: 10 };

describe("a machine that has slept for an hour", () => {
  it("wakes with a token that has ended: one refresh serves all requests that come at once", async () => {
    let now = Date.UTC(2026, 10, 20);
    const pretend = createPretendIssuer(() => now);
    const store = memoryStore(pretend.signIn(50 * MINUTE_MS));
    const issuer = createOauthIssuer({ baseUrl: BASE_URL, fetch: pretend.fetch, now: () => now, userAgent: "test" });
    const keeper = createTokenKeeper({ store, issuer, now: () => now, log: listeningLog(), allowRefresh: true });
    const before = await keeper.access();
    now += HOUR_MS;
    const after = await Promise.all(Array.from({ length: 20 }, () => keeper.access()));
    assert.deepEqual(pretend.counts, { refresh: 1 });
    assert.ok(after.every(({ accessToken }) => accessToken === store.tokens?.accessToken));
    assert.notEqual(after[0]?.accessToken, before.accessToken);
  });

  it("lets a key ask for its burst, and not for an hour's worth of requests", () => {
    let bucket = fullBucket(RATE, 0);
    const passes = (at: number): number => {
      for (let passed = 0; ; passed += 1) {
        const answer = takeToken(bucket, RATE, at);
        if (answer.kind !== "passed") return passed;
        bucket = answer.bucket;
      }
    };
    assert.equal(passes(0), RATE.burst);
    assert.equal(passes(HOUR_MS), RATE.burst);
  });

  it("keeps the process of a window that slept with it, and gives one that comes back late its grace period", () => {
    const timers = handTimers();
    let exits = 0;
    const idle = createIdleExit({ graceMs: 30_000, later: timers.later, exit: () => (exits += 1) });
    idle.visitors(1);
    timers.run();
    assert.equal(exits, 0, "no timer runs while a window is attached");
    // Its connection did not survive, and is made anew.
    idle.visitors(0);
    idle.visitors(1);
    timers.run();
    assert.deepEqual([exits, timers.waiting], [0, []]);
  });
});
