import assert from "node:assert/strict";
import * as fc from "fast-check";
import { createJsonPicker } from "../../src/wire/jsonPicker.ts";

const encoder = new TextEncoder();

function pick(text: string, paths: readonly string[], cut: (size: number) => number = (size) => size) {
  const picker = createJsonPicker(paths);
  let rest = encoder.encode(text);
  while (rest.length > 0) {
    const size = Math.max(1, Math.min(rest.length, cut(rest.length)));
    picker.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  return picker;
}

describe("the JSON picker", () => {
  it("finds what JSON.parse finds, however the text is cut", () => {
    const wanted = fc.record(
      { model: fc.jsonValue(), usage: fc.jsonValue(), inner: fc.record({ id: fc.jsonValue() }), other: fc.jsonValue() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(wanted, fc.integer({ min: 1, max: 7 }), fc.option(fc.constant(2)), (document, size, indent) => {
        const text = JSON.stringify(document, null, indent ?? 0);
        const parsed = JSON.parse(text);
        const picker = pick(text, ["model", "usage", "inner.id"], () => size);
        assert.equal(picker.complete, true);
        assert.deepEqual(picker.value("model"), parsed.model);
        assert.deepEqual(picker.value("usage"), parsed.usage);
        assert.deepEqual(picker.value("inner.id"), parsed.inner?.id);
        const span = picker.span("usage");
        if (parsed.usage !== undefined) {
          assert.ok(span);
          assert.deepEqual(JSON.parse(Buffer.from(text).subarray(span.start, span.end).toString()), parsed.usage);
        }
      }),
    );
  });

  it("takes the last of repeated keys, like JSON.parse, and reads escaped keys", () => {
    assert.equal(pick('{"model":"a","model":"b"}', ["model"]).value("model"), "b");
    assert.equal(pick('{"mod\\u0065l":"a"}', ["model"]).value("model"), "a");
  });

  it("looks through arrays", () => {
    const path = "choices[].finish_reason";
    assert.equal(pick('{"choices":[{"finish_reason":"stop"},{"finish_reason":null}]}', [path]).some(path), true);
    assert.equal(pick('{"choices":[{"finish_reason":null},{}]}', [path]).some(path), false);
    assert.equal(pick('{"choices":[],"usage":{"a":1}}', [path, "usage"]).some("usage"), true);
    assert.equal(pick('{"choices":[[1],2,"x"],"usage":{"a":1}}', [path, "usage"]).some("usage"), true);
  });

  it("is not fooled by keys inside of strings or of deeper objects", () => {
    const picker = pick('{"a":"\\"model\\":\\"no\\"","b":{"model":"no"},"c":[{"model":"no"}]}', ["model"]);
    assert.equal(picker.value("model"), undefined);
  });

  it("knows where the document opens", () => {
    assert.equal(pick('  {"a":1}', ["a"]).openingBrace, 2);
    assert.equal(pick("[1]", ["a"]).openingBrace, undefined);
  });

  it("drops oversized values and goes on behind them", () => {
    const picker = pick(`{"model":"${"x".repeat(300_000)}","usage":{"n":1}}`, ["model", "usage"], () => 65_536);
    assert.equal(picker.value("model"), undefined);
    assert.deepEqual(picker.value("usage"), { n: 1 });
  });

  it("survives anything that is not JSON", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const picker = createJsonPicker(["model", "a[].b", "c.d"]);
        picker.push(bytes);
        picker.push(encoder.encode('{"model":'.repeat(3)));
      }),
    );
    pick("[".repeat(100_000), ["model"]);
    pick('{"a":'.repeat(100_000), ["model", "a"]);
  });
});
