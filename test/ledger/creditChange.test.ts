import assert from "node:assert/strict";

import * as fc from "fast-check";

import { CreditChangeError, parseCreditChange } from "../../src/ledger/creditChange.ts";

describe("a change of credit", () => {
  it("is read exactly, to the micro-dollar", () => {
    assert.deepEqual(parseCreditChange("+5.00"), { kind: "add", micros: 5_000_000 });
    assert.deepEqual(parseCreditChange(" -1 "), { kind: "add", micros: -1_000_000 });
    assert.deepEqual(parseCreditChange("=0"), { kind: "set", micros: 0 });
    assert.deepEqual(parseCreditChange("-0"), { kind: "add", micros: 0 });
    assert.deepEqual(parseCreditChange("=$2.5"), { kind: "set", micros: 2_500_000 });
    fc.assert(
      fc.property(fc.nat(999_999_999), fc.nat(999_999), (dollars, micros) => {
        const text = `+${dollars}.${String(micros).padStart(6, "0")}`;
        assert.deepEqual(parseCreditChange(text), { kind: "add", micros: dollars * 1_000_000 + micros });
      }),
    );
  });

  it("needs a sign, and the refusal says which mean what", () => {
    for (const text of ["5", "5.25", "0"]) {
      assert.throws(
        () => parseCreditChange(text),
        (error) =>
          error instanceof CreditChangeError &&
          ["+", "-", "="].every((sign) => error.message.includes(`${sign}${text} `)),
      );
    }
  });

  it("is refused where it is no amount", () => {
    for (const text of ["", "+", "+5,00", "+1.0000001", "+.5", "+1e3", "+-1", "=-1", "+1000000000", "+5 USD", "+١"]) {
      assert.throws(() => parseCreditChange(text), CreditChangeError, text);
    }
  });
});
