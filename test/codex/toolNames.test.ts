import assert from "node:assert/strict";
import * as fc from "fast-check";
import { createToolNames } from "../../src/codex/toolNames.ts";

describe("the tool names of a request", () => {
  it("stay as they are where the backend takes them", () => {
    const names = createToolNames();
    for (const name of ["bash", "read_file-2", "x".repeat(64)]) assert.equal(names.toUpstream(name), name);
    assert.equal(names.toCaller("never-offered"), "never-offered");
  });

  it("become names that the backend takes, one for each, and come back", () => {
    const name = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ minLength: 60, maxLength: 200 }),
      fc.constantFrom("a.b", "a b", "a_b", "größe", "\u{1f600}", "\ud800", "a\n", "x".repeat(65), "x".repeat(66)),
    );
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 6 }), (all) => {
        const names = createToolNames();
        const upstream = all.map((one) => names.toUpstream(one));
        assert.equal(new Set(upstream).size, all.length);
        for (const one of upstream) assert.match(one, /^[a-zA-Z0-9_-]{1,64}$/);
        assert.deepEqual(
          upstream.map((one) => names.toCaller(one)),
          all,
        );
        assert.deepEqual(
          all.map((one) => names.toUpstream(one)),
          upstream,
        );
      }),
    );
  });

  it("are the same in every request, so that the prompt cache holds", () => {
    assert.equal(createToolNames().toUpstream("a.b"), createToolNames().toUpstream("a.b"));
    assert.equal(createToolNames().toUpstream("a.b"), "a_b_04la3gs0umtknk");
  });

  it("give way where a caller's own name looks like a short one", () => {
    const short = createToolNames().toUpstream("a.b");
    const names = createToolNames();
    assert.equal(names.toUpstream("a.b"), short);
    const other = names.toUpstream(short);
    assert.notEqual(other, short);
    assert.equal(names.toCaller(other), short);
    assert.equal(names.toCaller(short), "a.b");
  });
});
