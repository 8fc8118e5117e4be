import assert from "node:assert/strict";
import { createParser } from "eventsource-parser";
import * as fc from "fast-check";
import { createEventReader } from "../../src/codex/eventReader.ts";
import type { JsonObject } from "../../src/wire/json.ts";
import { cut } from "./answerRig.ts";

const encoder = new TextEncoder();

function read(text: string, sizes: readonly number[] = [1_000_000]): JsonObject[] {
  const events: JsonObject[] = [];
  const reader = createEventReader((event) => events.push(event));
  for (const piece of cut(encoder.encode(text), sizes)) reader.push(piece);
  reader.finish();
  return events;
}

/** What a delta event says, without the rest. */
function essence(event: JsonObject): unknown[] {
  return [event["type"], event["item_id"], event["output_index"], event["delta"]];
}

describe("the event reader", () => {
  it("reads of a delta what JSON.parse reads, whatever its fields hold and in what order they stand", () => {
    const deltas = fc
      .record({
        type: fc.constantFrom("response.output_text.delta", "response.function_call_arguments.delta"),
        fields: fc.shuffledSubarray(["delta", "item_id", "output_index", "logprobs", "obfuscation"]),
        delta: fc.string({ unit: fc.constantFrom("a", '"', "\\", "{", "}", "\n", "\uD83D", "é", "🌍", ',"delta":"') }),
        item_id: fc.string({ unit: fc.constantFrom("a", '"', "\\", "{", '","delta":"', "é") }),
        output_index: fc.oneof(fc.nat(12), fc.nat()),
        logprobs: fc.oneof(fc.constant([]), fc.array(fc.record({ token: fc.string(), delta: fc.string() }))),
        obfuscation: fc.string({ unit: fc.constantFrom("a", '"', "\\", "{", "}", ',"item_id":"x"') }),
      })
      .map(({ type, fields, ...values }) => ({
        type,
        ...Object.fromEntries(fields.map((name) => [name, values[name as keyof typeof values]])),
      }));
    fc.assert(
      fc.property(deltas, (event) => {
        const text = JSON.stringify(event);
        const [seen, ...more] = read(`data: ${text}\n\n`);
        assert.deepEqual(more, []);
        assert.deepEqual(essence(seen!), essence(JSON.parse(text) as JsonObject));
      }),
      { numRuns: 300 },
    );
  });

  it("takes LF, CRLF and CR, data without a space and in several lines, a mark at the start, and events without a name", () => {
    const variants = [
      '\uFEFFdata: {"type":"a","n":1}\n\nid: 7\nretry: 5\nevent: x\ndata:{"type":"b",\ndata:"n":2}\n\n: ping\n\n',
      'data: {"type":"a","n":1}\r\n\r\ndata:{"type":"b",\r\ndata:"n":2}\r\n\r\n',
      'data: {"type":"a","n":1}\r\rdata:{"type":"b",\rdata:"n":2}\r\r',
    ];
    for (const text of variants)
      for (const size of [1, 2, 3, 1000])
        assert.deepEqual(read(text, [size]), [
          { type: "a", n: 1 },
          { type: "b", n: 2 },
        ]);
  });

  it("finds the events that the standard finds, whatever its lines end in and wherever its bytes are cut", () => {
    const lines = fc.constantFrom(
      'data: {"type":"é"}',
      'data:{"type":',
      'data: "語"}',
      "event: x",
      ": ping",
      "data",
      "id: 1",
      "",
    );
    const stream = fc.array(fc.tuple(lines, fc.constantFrom("\n", "\n", "\n", "\r\n", "\r")), { maxLength: 24 });
    fc.assert(
      fc.property(stream, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (parts, sizes) => {
        const text = `${parts.map((part) => part.join("")).join("")}\n\n`;
        const expected: unknown[] = [];
        createParser({
          onEvent({ data }) {
            try {
              expected.push(JSON.parse(data));
            } catch {
              // A broken line is left out.
            }
          },
        }).feed(text);
        assert.deepEqual(read(text, sizes), expected);
      }),
      { numRuns: 500 },
    );
  });

  it("leaves out what is no JSON object and goes on behind it", () => {
    const text = ["[DONE]", "17", "null", '["a"]', '{"type":', "", '{"type":"a"}'].map((data) => `data: ${data}\n\n`);
    assert.deepEqual(read(text.join("")), [{ type: "a" }]);
    const torn = '{"type":"response.output_text.delta","delta":"half';
    assert.deepEqual(read(`data: ${torn}\n\ndata: {"type":"a"}\n\n`), [{ type: "a" }]);
  });

  it("takes a last event without its blank line where it is whole, and none that was torn apart", () => {
    assert.deepEqual(read('data: {"type":"a"}'), [{ type: "a" }]);
    assert.deepEqual(read('data: {"type":"response.output_text.delta","item_id":"x","delta":"a"'), []);
  });

  it("asks whether an event may be left out only by a type at its head", () => {
    const events: unknown[] = [];
    const reader = createEventReader((event) => events.push(event["type"]), { isIgnored: (type) => type === "large" });
    const texts = ['{"type":"large","n":1}', '{"n":1,"type":"large"}', '{"type":"small"}'];
    for (const text of texts) reader.push(encoder.encode(`data: ${text}\n\n`));
    assert.deepEqual(events, ["large", "small"]);
  });

  it("gives up a stream at an event that is too large, and says so once", () => {
    const events: JsonObject[] = [];
    const reader = createEventReader((event) => events.push(event), { maxEventBytes: 1000 });
    reader.push(encoder.encode(`data: {"type":"a"}\n\ndata: {"type":"b","text":"`));
    for (let index = 0; index < 30; index += 1) reader.push(encoder.encode("x".repeat(100)));
    reader.push(encoder.encode('"}\n\ndata: {"type":"c"}\n\n'));
    reader.finish();
    assert.deepEqual(
      events.map((event) => event["code"] ?? event["type"]),
      ["a", "upstream_event_too_large"],
    );
  });
});
