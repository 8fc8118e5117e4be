import assert from "node:assert/strict";
import {
  bucketTime,
  compactCount,
  counted,
  dollars,
  duration,
  exactCount,
  latency,
  share,
  speed,
  totalDollars,
} from "../../src/panel/figures.ts";

function written<Value>(write: (value: Value) => string, values: readonly Value[]): string[] {
  return values.map((value) => write(value));
}

describe("how the usage panel writes figures", () => {
  it("shortens counts where they are looked at, and writes them out where they are compared", () => {
    assert.deepEqual(written(compactCount, [0, 999, 12_345, 1_249_000]), ["0", "999", "12.3K", "1.2M"]);
    assert.equal(exactCount(1_249_000), "1,249,000");
    assert.deepEqual(
      written((value: number) => counted(value, "request"), [0, 1, 2000]),
      ["0 requests", "1 request", "2,000 requests"],
    );
  });

  it("gives small sums more digits, never guesses unknown ones, and writes debts with a sign", () => {
    const sums = [0, 0.000_041, 0.0123, 1, 1234.5, -0.5, null];
    const texts = ["$0.00", "$0.000041", "$0.0123", "$1.00", "$1,234.50", "-$0.50", "–"];
    assert.deepEqual(written(dollars, sums), texts);
    assert.equal(totalDollars(1.2, 0), "$1.20");
    assert.equal(totalDollars(1.2, 3), "$1.20 + unknown");
    assert.equal(totalDollars(null, 3), "Unknown cost");
  });

  it("knows no share of nothing", () => {
    assert.deepEqual([share(1, 3), share(0, 0)], ["33%", "–"]);
  });

  it("writes times to the minute, in the two largest units", () => {
    const minutes = [0.5, 1, 59.9, 60, 133, 24 * 60, 76 * 60 + 1];
    const texts = ["under a minute", "1 min", "59 min", "1 h", "2 h 13 min", "1 d", "3 d 4 h"];
    assert.deepEqual(
      written((value: number) => duration(value * 60_000), minutes),
      texts,
    );
    assert.deepEqual(written(latency, [null, 420, 1350]), ["–", "420 ms", "1.35 s"]);
    assert.deepEqual(written(speed, [null, 8.44, 119.6]), ["–", "8.4/s", "120/s"]);
  });

  it("takes a bucket's time as it was where the proxy runs", () => {
    assert.deepEqual(written(bucketTime, ["2026-11-01", "2026-11-21T07"]), ["Nov 1", "07:00"]);
  });
});
