import assert from "node:assert/strict";
import { parseCreditChange } from "../../src/ledger/creditChange.ts";
import { creditInput, modelsInput } from "../../src/vscode/keyInputs.ts";

describe("what is written of a key in the editor", () => {
  it("adds to a credit where no sign says otherwise", () => {
    const read = (text: string): object => parseCreditChange(creditInput(text));
    assert.deepEqual(read(" 5.00 "), { kind: "add", micros: 5_000_000 });
    assert.deepEqual(read("$2"), { kind: "add", micros: 2_000_000 });
    assert.deepEqual(read("-1"), { kind: "add", micros: -1_000_000 });
    assert.deepEqual(read("=0"), { kind: "set", micros: 0 });
  });

  it("names models with commas or spaces between them", () => {
    assert.deepEqual(modelsInput(" gpt-*, x-ai/*  o3,"), ["gpt-*", "x-ai/*", "o3"]);
    assert.deepEqual(modelsInput(" "), []);
  });
});
