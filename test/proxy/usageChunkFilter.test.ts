import assert from "node:assert/strict";
import * as fc from "fast-check";
import { createUsageChunkFilter } from "../../src/proxy/usageChunkFilter.ts";

const encoder = new TextEncoder();

function filtered(text: string, sizes: readonly number[]): string {
  const filter = createUsageChunkFilter();
  const out: Uint8Array[] = [];
  let rest = encoder.encode(text);
  for (let index = 0; rest.length > 0; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    out.push(filter.push(rest.subarray(0, size)));
    rest = rest.subarray(size);
  }
  out.push(filter.rest());
  return Buffer.concat(out).toString();
}

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
const text = (content: string, usage?: null): object => ({
  id: "c",
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
  ...(usage === undefined ? {} : { usage }),
});
const usageChunk = event({ id: "c", choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } });
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

describe("the usage chunk filter", () => {
  it("leaves what the caller would have got by its own request, however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), sizes, (contents, cuts) => {
        const asked = contents.map((content) => event(text(content, null))).join("") + usageChunk + "data: [DONE]\n\n";
        const wanted = contents.map((content) => event(text(content))).join("") + "data: [DONE]\n\n";
        assert.equal(filtered(asked, cuts), wanted);
      }),
    );
  });

  it("passes streams without anything to hide byte for byte", () => {
    const stream = `: comment\r\n\r\n${event(text("a")).replaceAll("\n", "\r\n")}event: x\ndata: {"usage":5}\n\ndata: half`;
    fc.assert(fc.property(sizes, (cuts) => assert.equal(filtered(stream, cuts), stream)));
  });

  for (const [name, lineEnd] of [
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ] as const) {
    it(`takes out usage that is spread over lines, with spaces, and with ${name} line ends`, () => {
      const lines = (...all: string[]): string => [...all, ""].map((line) => line + lineEnd).join("");
      const asked = [
        lines(`data: {"id": "c", "choices": [{"delta": {"content": "a"}}] , "usage" : null}`),
        lines(`data: {"usage": null, "id": "c", "choices": [{"delta": {"content": ",\\"usage\\":null"}}]}`),
        lines(`data: {"id": "c",`, `data: "choices": [{"delta": {}}],`, `data: "x": 1, "usage": null}`),
        lines(
          `data: {"id": "c",`,
          `data: "choices": [],`,
          `data: "usage": {"prompt_tokens": 1,`,
          `data: "completion_tokens": 2}}`,
        ),
        lines("data: [DONE]"),
      ].join("");
      const wanted = [
        lines(`data: {"id": "c", "choices": [{"delta": {"content": "a"}}] }`),
        lines(`data: { "id": "c", "choices": [{"delta": {"content": ",\\"usage\\":null"}}]}`),
        lines(`data: {"id": "c",`, `data: "choices": [{"delta": {}}],`, `data: "x": 1}`),
        lines("data: [DONE]"),
      ].join("");
      fc.assert(fc.property(sizes, (cuts) => assert.equal(filtered(asked, cuts), wanted)));
    });
  }

  it("takes out the usage chunk of a stream that ends without a blank line", () => {
    assert.equal(filtered(event(text("a")) + usageChunk.trimEnd(), [7]), event(text("a")));
  });

  it("passes an event of several lines that is too large, however it is cut", () => {
    const large = `data: "${"x".repeat(262_140)}\r\ndata: "choices":[],"usage":{"prompt_tokens":1}}\r\n\r\n`;
    for (const size of [50_000, 262_147, 262_148, 262_149, 262_150, 262_151, 262_152, 262_153, 262_154])
      assert.equal(filtered(large + usageChunk + event(text("b")), [size, 1]), large + event(text("b")), String(size));
  });

  it("passes an event too large to be a usage chunk without holding it", () => {
    const large = event(text("x".repeat(600_000)));
    assert.equal(filtered(large + usageChunk + event(text("b")), [50_000]), large + event(text("b")));
  });
});
