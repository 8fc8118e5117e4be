import assert from "node:assert/strict";
import * as fc from "fast-check";
import { withBars } from "../../src/cli/usageBars.ts";

describe("the bars of a report", () => {
  it("stand in one column, the longest for the largest value, in halves, and none for nothing", () => {
    assert.deepEqual(withBars(["NAME", "a", "long name", "b", "c"], [undefined, 100, 50, 0, 5], 21), [
      "NAME",
      "a          ██████████",
      "long name  █████",
      "b",
      "c          ▌",
    ]);
  });

  it("are left out where there is no room, and where all values are nothing", () => {
    assert.deepEqual(withBars(["0123456789"], [5], 17), ["0123456789"]);
    assert.deepEqual(withBars(["0123456789"], [5], 18), ["0123456789  ██████"]);
    assert.deepEqual(withBars(["a", "b"], [0, undefined], 100), ["a", "b"]);
  });

  it("never leave the terminal, and are as long as values are large", () => {
    const rows = fc.array(fc.tuple(fc.string({ maxLength: 30 }), fc.double({ min: 0, max: 1e9, noNaN: true })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 200 }), (given, width) => {
        const lines = given.map(([line]) => line.replaceAll(/[█▌]/g, "x"));
        const values = given.map(([, value]) => value);
        const longest = Math.max(...lines.map((line) => Array.from(line).length));
        const bars = withBars(lines, values, width).map((line, index) => {
          assert.ok(line.startsWith(lines[index] ?? ""));
          assert.ok(Array.from(line).length <= Math.max(longest, width));
          return (line.match(/█/g)?.length ?? 0) + (line.includes("▌") ? 0.5 : 0);
        });
        const ranked = bars.map((bar, index) => [values[index] ?? 0, bar] as const).toSorted((a, b) => a[0] - b[0]);
        for (const [index, [, bar]] of ranked.entries()) assert.ok(bar >= (ranked[index - 1]?.[1] ?? 0));
      }),
    );
  });
});
