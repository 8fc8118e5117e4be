import assert from "node:assert/strict";

import { emptyReading } from "../../src/proxy/answerReading.ts";
import { createLiveRequests, type LiveFacts, type LivePrice, type LiveView } from "../../src/proxy/liveRequests.ts";
import { handTimers } from "../node/controlRig.ts";

const FACTS: LiveFacts = {
  id: "req_1",
  startedAt: 5_000,
  arrivedAt: 100,
  keyId: "key_1",
  keyLabel: "laptop",
  model: "gpt-5.5",
  client: "opencode",
  upstream: "openai",
};

/** A micro-dollar for a token, or what was charged. */
const priceOf: LivePrice = (_upstream, _model, _tier, tokens, charged) =>
  charged ?? Object.values(tokens).reduce((sum, some) => sum + some, 0);

function start(isRevoked: (keyId: string) => boolean = () => false) {
  const timers = handTimers();
  return { timers, live: createLiveRequests(timers.later, isRevoked, priceOf), shown: [] as (readonly LiveView[])[] };
}

describe("the live requests", () => {
  it("set no timer and keep nothing of what has ended while nobody listens", () => {
    const { timers, live, shown } = start();
    const request = live.begin(FACTS);
    request.bytes = 10;
    request.end();
    live.begin({ ...FACTS, id: "req_2" });
    assert.deepEqual(timers.waiting, []);
    live.listen((changed) => shown.push(changed));
    timers.run();
    assert.deepEqual(
      shown.map((changed) => changed.map(({ id }) => id)),
      [["req_2"]],
    );
  });

  it("show a request from its start to its end, read when it is looked at", () => {
    const { timers, live, shown } = start();
    live.listen((changed) => shown.push(changed));
    assert.deepEqual(timers.waiting, []);
    const request = live.begin(FACTS);
    timers.run();
    const reading = emptyReading();
    request.meter = { reading };
    request.bytes = 900;
    request.firstTokenAt = 340.4;
    reading.deltas = 7;
    reading.model = "gpt-5.5-2026-04-23";
    timers.run();
    request.end();
    request.end();
    timers.run();
    const { arrivedAt: _arrivedAt, ...told } = FACTS;
    const streaming = {
      ...told,
      model: "gpt-5.5-2026-04-23",
      phase: "streaming",
      firstTokenMs: 240,
      outputTokens: 7,
      costMicros: 7,
      bytes: 900,
    };
    assert.deepEqual(shown, [
      [{ ...told, phase: "waiting", firstTokenMs: null, outputTokens: 0, costMicros: 0, bytes: 0 }],
      [streaming],
      [{ ...streaming, phase: "ended" }],
    ]);
    assert.deepEqual(timers.waiting, []);
    assert.deepEqual(live.list(), []);
  });

  it("cost what their output costs until the upstream reports all tokens, or what it charged", () => {
    const { live } = start();
    const request = live.begin(FACTS);
    const reading = emptyReading();
    request.meter = { reading };
    const cost = (): number | null | undefined => live.list()[0]?.costMicros;
    reading.deltas = 7;
    assert.equal(cost(), 7);
    const tokens = { uncachedInput: 100, cachedInput: 50, cacheWrite: 0, cacheWriteLong: 0, output: 9, reasoning: 0 };
    reading.usage = { tokens, costMicros: null };
    assert.equal(cost(), 159);
    reading.usage = { tokens, costMicros: 40 };
    assert.equal(cost(), 40);
  });

  it("are shown together at most four times a second with one timer, and only those that changed", () => {
    const { timers, live, shown } = start();
    live.listen((changed) => shown.push(changed));
    const requests = Array.from({ length: 50 }, (_, index) => live.begin({ ...FACTS, id: `req_${index}` }));
    assert.deepEqual(timers.waiting, [250]);
    timers.run();
    assert.equal(shown[0]?.length, 50);
    for (let chunk = 0; chunk < 100; chunk += 1) requests[3]!.bytes += 10;
    assert.deepEqual(timers.waiting, [250]);
    timers.run();
    assert.deepEqual(
      shown[1]?.map(({ id, bytes }) => [id, bytes]),
      [["req_3", 1_000]],
    );
    timers.run();
    assert.equal(shown.length, 2);
  });

  it("stop their timer with the last listener, and show everything to the next", () => {
    const { timers, live, shown } = start();
    const stop = live.listen(() => undefined);
    live.begin(FACTS);
    timers.run();
    stop();
    assert.deepEqual(timers.waiting, []);
    live.listen((changed) => shown.push(changed));
    timers.run();
    assert.equal(shown[0]?.[0]?.id, "req_1");
  });

  it("are broken off when their key is revoked, and at once where it was revoked before they were sent", () => {
    const revoked = new Set<string>();
    const { live } = start((keyId) => revoked.has(keyId));
    const stopped: string[] = [];
    const send = (id: string, keyId: string) => {
      const request = live.begin({ ...FACTS, id, keyId });
      return { request, go: () => request.started(() => void stopped.push(id)) };
    };
    send("running", "key_1").go();
    const late = send("late", "key_1");
    send("other", "key_2").go();
    revoked.add("key_1");
    live.stopKey("key_1");
    assert.deepEqual(stopped, ["running"]);
    late.go();
    assert.deepEqual(stopped, ["running", "late"]);
  });
});
