import assert from "node:assert/strict";
import { durationText, limitHeaders } from "../../src/proxy/limitHeaders.ts";
import { DAY } from "../ledger/temporaryLedger.ts";
import { type AdmissionRig, admissionRig, key, passed } from "./admissionRig.ts";

describe("the limit headers", () => {
  const headers = (rig: AdmissionRig, limits: Parameters<typeof key>[0]): Record<string, string> => {
    const list = limitHeaders(key(limits), rig.admission, DAY + rig.now);
    return Object.fromEntries(list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] ?? ""]] : [])));
  };

  it("are OpenAI's: the rate a minute, what remains, and a duration until all of it is back", () => {
    const rig = admissionRig();
    const limits = { rate: { perMinute: 60, burst: 10 }, quotaTokens: 1_000, quotaWindow: "day" } as const;
    assert.deepEqual(headers(rig, limits), {
      "x-ratelimit-limit-requests": "60",
      "x-ratelimit-remaining-requests": "10",
      "x-ratelimit-reset-requests": "0ms",
      "x-ratelimit-limit-tokens": "1000",
      "x-ratelimit-remaining-tokens": "1000",
      "x-ratelimit-reset-tokens": "24h0m0s",
    });
    for (let asked = 0; asked < 3; asked += 1) passed(rig.ask(key(limits)));
    rig.usedTokens = 1_200;
    rig.now = 500;
    const after = headers(rig, limits);
    assert.equal(after["x-ratelimit-remaining-requests"], "7");
    assert.equal(after["x-ratelimit-reset-requests"], "3s");
    assert.equal(after["x-ratelimit-remaining-tokens"], "0");
    assert.equal(after["x-ratelimit-reset-tokens"], "24h0m0s");
  });

  it("name the rate in whole requests, and never less than what may remain", () => {
    const limitOf = (perMinute: number, burst: number): string | undefined =>
      headers(admissionRig(), { rate: { perMinute, burst } })["x-ratelimit-limit-requests"];
    assert.deepEqual([limitOf(1000 / 60, 5), limitOf(1 / 60, 1), limitOf(1 / 60, 37)], ["17", "1", "37"]);
  });

  it("name no reset for a lifetime, and are none for a key without limits", () => {
    const rig = admissionRig();
    assert.deepEqual(Object.keys(headers(rig, { quotaTokens: 5 })), [
      "x-ratelimit-limit-tokens",
      "x-ratelimit-remaining-tokens",
    ]);
    assert.deepEqual(headers(rig, { isCredit: true, maxConcurrent: 2 }), {});
  });

  it("write a duration as OpenAI does, rounded up", () => {
    const written = [0, 0.2, 20, 999.5, 1_000, 1_001, 59_000, 360_000, 3_723_000, 86_400_000].map(durationText);
    assert.deepEqual(written, ["0ms", "1ms", "20ms", "1s", "1s", "2s", "59s", "6m0s", "1h2m3s", "24h0m0s"]);
  });
});
