import assert from "node:assert/strict";
import * as fc from "fast-check";
import { LATEST_MS } from "../../src/ledger/place.ts";
import { readRowLine, rowLine } from "../../src/ledger/rowLine.ts";
import { row } from "./temporaryLedger.ts";

const text = fc.string({ unit: "binary" });
const count = fc.maxSafeNat();

describe("a row as a line", () => {
  it("is read back as it was written, whatever its texts and numbers are, and stays one line", () => {
    fc.assert(
      fc.property(
        fc.record({
          id: text,
          startedAt: fc.integer({ min: 0, max: LATEST_MS }),
          keyId: text,
          modelAsked: fc.option(text),
          responseId: fc.option(text),
          client: fc.option(text),
          session: fc.option(text),
          costMicros: fc.option(count),
          firstTokenMs: fc.option(count),
          totalMs: count,
        }),
        (changes) => {
          const written = row(changes);
          const line = rowLine(written);
          assert.ok(!line.includes("\n"));
          assert.deepEqual(readRowLine(line), written);
        },
      ),
    );
  });

  it("is not made out of anything else", () => {
    const line = rowLine(row());
    const values = JSON.parse(line) as unknown[];
    const changed = (index: number, value: unknown): string => JSON.stringify(values.with(index, value));
    for (const broken of [
      "",
      "null",
      "{}",
      "[]",
      "nonsense",
      line.slice(0, -1),
      line.slice(1),
      JSON.stringify([...values, 1]),
      JSON.stringify(values.slice(1)),
      changed(0, -1),
      changed(0, "when"),
      changed(5, {}),
      changed(10, 1.5),
      changed(19, true),
    ]) {
      assert.equal(readRowLine(broken), undefined, broken);
    }
  });

  it("is cut anywhere and still not taken for a row", () => {
    const line = rowLine(row());
    fc.assert(fc.property(fc.nat(line.length - 1), (length) => readRowLine(line.slice(0, length)) === undefined));
  });
});
