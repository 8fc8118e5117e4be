import assert from "node:assert/strict";
import { createLiveList, type LiveList, outputTokens, tokensPerSecond } from "../../src/panel/liveList.ts";
import type { PanelLive, PanelRequest, PanelSettlement } from "../../src/panel/messages.ts";

const START = Date.UTC(2026, 10, 21);

function request(id: string, change: Partial<PanelRequest> = {}): PanelRequest {
  const facts = { keyLabel: "laptop", model: "gpt-5.5", client: null, upstream: "openai" } as const;
  return { id, startedAt: START, ...facts, phase: "streaming", firstTokenMs: 1000, outputTokens: 50, ...change };
}

function settlement(id: string): PanelSettlement {
  return { id, ending: "complete", firstTokenMs: 1000, totalMs: 3000, outputTokens: 80, costUsd: 0.01 };
}

function live(change: Partial<PanelLive>): PanelLive {
  return { version: 1, type: "live", sentAt: START + 2000, requests: [], settled: [], ...change };
}

function ids(list: LiveList): string[] {
  return list.rows().map((row) => row.request.id);
}

describe("the list of live requests", () => {
  it("has the newest first, and leaves what has not changed as it was", () => {
    const list = createLiveList();
    list.replace([request("one"), request("two", { startedAt: START + 1 })], START);
    const [two, one] = list.rows();
    assert.deepEqual(ids(list), ["two", "one"]);
    list.change(live({ requests: [request("one", { outputTokens: 51 })] }));
    assert.equal(list.rows()[0], two);
    assert.notEqual(list.rows()[1], one);
  });

  it("ends what no longer runs when it hears of everything that does", () => {
    const list = createLiveList();
    list.replace([request("one"), request("two")], START);
    list.replace([request("two")], START + 5000);
    assert.equal(list.running(), 1);
    assert.equal(list.rows().find((row) => row.request.id === "one")?.endedAt, START + 5000);
  });

  it("keeps the last five that ended", () => {
    const list = createLiveList();
    const requests = Array.from({ length: 8 }, (_, place) => request(`r${place}`, { startedAt: START + place }));
    list.replace(requests, START);
    for (const [place, one] of requests.entries())
      list.change(live({ sentAt: START + 100 + place, requests: [{ ...one, phase: "ended" }] }));
    assert.deepEqual(ids(list), ["r7", "r6", "r5", "r4", "r3"]);
    assert.equal(list.running(), 0);
  });

  it("takes the ledger's figures over those that it saw, whichever came first", () => {
    for (const order of ["view first", "row first"]) {
      const list = createLiveList();
      list.replace([request("one")], START);
      const ended = live({ requests: [request("one", { phase: "ended", outputTokens: 79 })] });
      const settled = live({ settled: [settlement("one")] });
      for (const message of order === "view first" ? [ended, settled] : [settled, ended]) list.change(message);
      const [row] = list.rows();
      assert.equal(outputTokens(row!), 80, order);
      assert.equal(tokensPerSecond(row!, START + 99_000), 40, order);
    }
  });

  it("passes over the end of a request that it never saw", () => {
    const list = createLiveList();
    list.change(live({ settled: [settlement("one")] }));
    assert.deepEqual(ids(list), []);
  });

  it("reckons the pace from the first token on, and only once there is something to reckon with", () => {
    const list = createLiveList();
    const paceOf = (change: Partial<PanelRequest>, now: number): number | null => {
      list.replace([request("one", change)], now);
      return tokensPerSecond(list.rows()[0]!, now);
    };
    assert.equal(paceOf({}, START + 3000), 25);
    assert.equal(paceOf({}, START + 1100), null);
    assert.equal(paceOf({ firstTokenMs: null, outputTokens: 0 }, START + 3000), null);
  });
});
