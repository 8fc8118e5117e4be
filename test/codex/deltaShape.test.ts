import assert from "node:assert/strict";
import * as fc from "fast-check";
import { type DeltaShape, learnShape } from "../../src/codex/deltaShape.ts";
import { viewOf } from "../../src/wire/knownBytes.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A text event as OpenAI writes it. */
function event(changes: Record<string, unknown> = {}): string {
  const type = "response.output_text.delta";
  const data = { type, content_index: 0, delta: "a", item_id: "msg_1", logprobs: [], output_index: 0, ...changes };
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function learnt(text: string): ReturnType<typeof learnShape> {
  const bytes = encoder.encode(text);
  return learnShape(bytes, 0, bytes.length);
}

function found(shape: DeltaShape, bytes: Uint8Array, from: number): boolean {
  return shape.matches(bytes, viewOf(bytes), from);
}

function matches(text: string, from = 0): boolean {
  return found(learnt(event({ sequence_number: 9, obfuscation: "xy" }))!, encoder.encode(text), from);
}

describe("the shape of delta events", () => {
  it("fits what differs in delta, number and padding only, and finds the delta in it", () => {
    const deltas = fc.string({
      unit: fc.constantFrom("a", '"', "\\", "/", "\n", "\u0001", "é", "語", "🌍", "\uD83D"),
      minLength: 1,
    });
    const orders = fc.shuffledSubarray(["delta", "sequence_number", "obfuscation", "item_id", "logprobs"], {
      minLength: 5,
    });
    fc.assert(
      fc.property(
        deltas,
        deltas,
        orders,
        fc.nat(),
        fc.stringMatching(/^[0-9A-Za-z]{0,16}$/),
        (first, second, order, number, obfuscation) => {
          const one = { delta: first, sequence_number: 1, obfuscation: "", item_id: "msg_1", logprobs: [] };
          const other = { ...one, delta: second, sequence_number: number, obfuscation };
          const written = (values: Record<string, unknown>): string =>
            `data: ${JSON.stringify({ type: "x.delta", ...Object.fromEntries(order.map((name) => [name, values[name]])) })}\n\n`;
          const shape = learnt(written(one));
          assert.ok(shape !== undefined);
          const bytes = encoder.encode(`??${written(other)}rest`);
          assert.equal(found(shape, bytes, 2), true);
          assert.equal(decoder.decode(bytes.subarray(shape.next)), "rest");
          const text = `"${decoder.decode(bytes.subarray(shape.start, shape.end))}"`;
          assert.equal(JSON.parse(text), second);
          assert.equal(shape.units, second.length);
        },
      ),
    );
  });

  it("knows escapes of any kind, and counts as JavaScript does", () => {
    const shape = learnt(event())!;
    const text = '\\u00e9\\/\\ud83c\\udf0D\\"\\\\é🌍';
    const bytes = encoder.encode(event().replace('"a"', `"${text}"`));
    assert.equal(found(shape, bytes, 0), true);
    assert.equal(decoder.decode(bytes.subarray(shape.start, shape.end)), text);
    assert.equal(shape.units, (JSON.parse(`"${text}"`) as string).length);
  });

  it("fits nothing that differs elsewhere, is empty, cut, or no JSON", () => {
    const fits = event({ sequence_number: 10, obfuscation: "" });
    assert.equal(matches(fits), true);
    for (let length = 0; length < fits.length; length += 1) assert.equal(matches(fits.slice(0, length)), false);
    for (const changes of [{ item_id: "msg_2" }, { content_index: 1 }, { delta: "" }, { logprobs: [1] }, { more: 1 }])
      assert.equal(matches(event({ sequence_number: 10, obfuscation: "", ...changes })), false);
    for (const delta of ["\\x", "\\u12g4", "\\u12", "\u0007", "a\nb", "\\"])
      assert.equal(matches(fits.replace('"delta":"a"', `"delta":"${delta}"`)), false, delta);
    assert.equal(matches(fits.replace(":10,", ":,")), false);
    assert.equal(matches(fits.replace('"obfuscation":""', '"obfuscation":"\\""')), false);
    assert.equal(matches(fits, 1), false);
  });

  it("is not learnt of events that are not as plain as OpenAI's", () => {
    const plain = event();
    for (const text of [
      event({ delta: 1 }),
      event({ delta: { text: "a" } }),
      event({ other: { delta: "a" } }),
      event({ logprobs: [{ token: "a" }] }),
      event({ sequence_number: "1" }),
      plain.replace('"delta":"a"', '"delta":"a","delta":"b"'),
      plain.replace('"delta"', '"d\\u0065lta"'),
      plain.replace(',"logprobs"', ',\ndata: "logprobs"'),
      plain.replace("\n\n", "\n"),
      plain.replace("}\n\n", "\n\n"),
      `${plain.slice(0, -3)}} \n\n`,
      "data: [DONE]\n\n",
      "data: {}\n\n",
      event({ delta: "a".repeat(1_000_000) }),
      ": {\n\n",
      event({ delta: undefined }),
    ])
      assert.equal(learnt(text), undefined, text);
    assert.ok(learnt(plain.replaceAll(":", ": ").replaceAll(",", ", ").replace("event: ", "event:")) !== undefined);
  });
});
