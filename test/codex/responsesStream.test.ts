import assert from "node:assert/strict";
import * as fc from "fast-check";
import { createResponsesStream } from "../../src/codex/responsesStream.ts";
import { joinBytes } from "../../src/wire/joinBytes.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const event = (data: object, named = true): string =>
  `${named && "type" in data ? `event: ${String(data.type)}\n` : ""}data: ${JSON.stringify(data)}\n\n`;

const item = (index: number, text: string): object => ({
  type: "response.output_item.done",
  output_index: index,
  item: { type: "message", id: `msg_${index}`, content: [{ type: "output_text", text }] },
});
const completed = (output: unknown): object => ({
  type: "response.completed",
  response: { id: "resp_1", output, usage: { input_tokens: 1 } },
});

/** What a caller gets when the bytes arrive in these pieces. */
function passed(
  text: string,
  sizes: readonly number[],
  onLimits?: (event: object) => void,
): { readonly got: string; readonly terminal: unknown } {
  const stream = createResponsesStream(onLimits);
  const bytes = encode(text);
  const out: Uint8Array[] = [];
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const piece = bytes.slice(at, at + (sizes[index % sizes.length] ?? 1));
    at += piece.length;
    out.push(stream.push(piece) ?? piece);
  }
  out.push(stream.rest());
  return { got: new TextDecoder().decode(joinBytes(out)), terminal: stream.terminal };
}

const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 });
const delta = fc
  .string({ unit: "grapheme", maxLength: 12 })
  .map((text) => ({ type: "response.output_text.delta", delta: text }));
const comment = fc.constantFrom(
  ": ping\n\n",
  "data: [DONE]\n\n",
  'data: {"delta":1,"type":"odd"}\n\n',
  "data: not json\n\n",
);

describe("a Responses stream of the Codex backend", () => {
  it("gets its final event's output from the item events, in their order, however it is cut", () => {
    fc.assert(
      fc.property(fc.array(delta, { maxLength: 6 }), fc.boolean(), sizes, (deltas, named, cuts) => {
        const head = deltas.map((one) => event(one, named)).join("") + event(item(1, "b")) + event(item(0, "é漢"));
        const { got } = passed(head + event(completed([]), named), cuts);
        assert.ok(got.startsWith(head));
        const final = JSON.parse(/data: (.*)\n\n$/.exec(got)?.[1] ?? "") as { response: { output: { id: string }[] } };
        assert.deepEqual(
          final.response.output.map(({ id }) => id),
          ["msg_0", "msg_1"],
        );
      }),
    );
  });

  it("passes byte for byte where nothing has to be filled in, however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            delta.map((one) => event(one)),
            comment,
          ),
        ),
        fc.boolean(),
        sizes,
        (parts, ends, cuts) => {
          const text = parts.join("") + (ends ? event(completed([{ type: "message" }])) : 'data: {"type":"respon');
          assert.equal(passed(text, cuts).got, text);
        },
      ),
    );
  });

  it("tells of the plan's limits, however their event is cut, and passes it on", () => {
    const limits = { type: "codex.rate_limits", plan_type: "pro", rate_limits: { primary: { used_percent: 7 } } };
    fc.assert(
      fc.property(sizes, (cuts) => {
        const seen: object[] = [];
        const text = event(limits) + event(completed([{ type: "message" }]));
        assert.equal(passed(text, cuts, (one) => void seen.push(one)).got, text);
        assert.deepEqual(seen, [limits]);
      }),
    );
  });

  it("says where there is more than it holds, and then fills in nothing rather than a part", () => {
    const text = [item(0, "a"), item(1, "b".repeat(400)), item(2, "c")].map((data) => event(data)).join("");
    for (const [output, isWhole] of [
      [[], false],
      [[{ type: "message" }], true],
    ] as const) {
      const stream = createResponsesStream(undefined, 300);
      const final = event(completed(output));
      assert.equal(stream.push(encode(text)), undefined);
      assert.equal(new TextDecoder().decode(stream.push(encode(final))), final);
      assert.equal(stream.isWhole, isWhole);
      assert.deepEqual(stream.items.inOrder(), []);
    }
    const small = createResponsesStream(undefined, 300);
    small.push(encode(event(item(0, "a")) + event(completed([]))));
    assert.equal(small.isWhole, true);
  });

  it("leaves data of several lines as it is", () => {
    const text = `${event(item(0, "a"))}data: {"type":"response.completed",\ndata: "response":{"output":[]}}\n\n`;
    for (const size of [1, 7, 1000]) assert.equal(passed(text, [size]).got, text);
  });

  it("knows its final event though the stream ends without the blank line", () => {
    const { got, terminal } = passed(event(item(0, "a")) + event(completed([])).trimEnd(), [13]);
    assert.match(got, /"output":\[\{"type":"message"/);
    assert.ok(terminal);
  });
});
