import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { AnswerMeter, AnswerReading } from "../../src/proxy/answerReading.ts";
import { createChatStreamMeter } from "../../src/proxy/chatStreamMeter.ts";
import { createResponsesStreamMeter } from "../../src/proxy/responsesStreamMeter.ts";

const encoder = new TextEncoder();
const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });
const USAGE = { prompt_tokens: 11, completion_tokens: 7 };

const chunk = (index: number, content: string, reason: string | null = null): string =>
  event({ id: "c", model: "m", choices: [{ index, delta: { content }, finish_reason: reason }] });
const ending = (index: number): string =>
  event({ id: "c", model: "m", choices: [{ index, delta: {}, finish_reason: "stop" }] });

/** Reads a stream in pieces of these sizes, the last of them again and again. */
function read(meter: AnswerMeter, stream: string, cuts: readonly number[] = [1_000_000], toEnd = false): AnswerReading {
  let rest = encoder.encode(stream);
  for (let index = 0; rest.length > 0; index += 1) {
    const size = cuts[index % cuts.length] ?? 1;
    meter.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  if (toEnd) meter.finish();
  return meter.reading;
}

describe("the chat stream meter", () => {
  const of = (stream: string, cuts?: readonly number[], toEnd?: boolean): AnswerReading =>
    read(createChatStreamMeter(), stream, cuts, toEnd);

  it("takes no choice's end for the answer's while another still talks", () => {
    const talking = chunk(0, "a") + chunk(1, "b") + ending(0) + chunk(1, "c");
    fc.assert(
      fc.property(sizes, (cuts) => {
        assert.equal(of(talking, cuts, true).progress, "open");
        assert.equal(of(talking, cuts, true).settled, false);
        assert.equal(of(talking + chunk(1, "d"), cuts, true).progress, "open");
        assert.equal(of(talking + ending(1), cuts, true).progress, "complete");
      }),
    );
    assert.equal(of(talking, undefined, true).progress, "open");
  });

  it("keeps the answer ended where only small print follows", () => {
    const small = event({
      id: "c",
      choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }],
      usage: USAGE,
    });
    const filters = event({
      id: "c",
      choices: [{ index: 0, content_filter_offsets: {}, finish_reason: null, delta: {} }],
    });
    const reading = of(chunk(0, "a") + ending(0) + filters + small, undefined, true);
    assert.deepEqual([reading.progress, reading.settled, reading.usage?.tokens.output], ["complete", true, 7]);
  });

  it("reads an event that is spread over several data lines, however it is cut", () => {
    const spread = [
      `data: {"id":"c","model":"m","choices":[],"x":{}`,
      `data: ,"usage":{"prompt_tokens":11,`,
      `data: "completion_tokens":7}}`,
    ].join("\n");
    const stream = `${chunk(0, "a")}${chunk(0, "b")}${ending(0)}${spread}\n\ndata: [DONE]\n\n`;
    const earlier = `${chunk(0, "a")}${chunk(0, "b")}${spread}\n\n${chunk(0, "c")}data: [DONE]\n\n`;
    fc.assert(
      fc.property(sizes, fc.constantFrom("\n", "\r\n", "\r"), (cuts, lineEnd) => {
        for (const text of [stream, earlier]) {
          const reading = of(text.replaceAll("\n", lineEnd), cuts);
          assert.deepEqual([reading.usage?.tokens.uncachedInput, reading.usage?.tokens.output], [11, 7]);
          assert.deepEqual([reading.progress, reading.settled], ["complete", true]);
        }
      }),
    );
    assert.equal(of(earlier).usage?.tokens.output, 7);
  });

  it("reads a last event that no blank line follows, if it is whole", () => {
    const usage = `data: ${JSON.stringify({ id: "c", choices: [], usage: USAGE })}`;
    assert.equal(of(chunk(0, "a") + ending(0) + usage, undefined, true).usage?.tokens.output, 7);
    assert.equal(of(`${chunk(0, "a")}data: [DONE]`, [3], true).settled, true);
    const torn = `data: {"choices":[{"delta":{},"finish_reason":"stop"}]`;
    assert.equal(of(chunk(0, "a") + torn, undefined, true).progress, "open");
  });

  it("stores no tier that was only asked for", () => {
    const tier = (name: string): string =>
      event({ id: "c", service_tier: name, choices: [{ delta: { content: "a" } }] });
    assert.equal(of(tier("auto")).serviceTier, null);
    assert.equal(of(tier("auto") + event({ service_tier: "flex", usage: USAGE })).serviceTier, "flex");
    assert.equal(of(tier("flex") + event({ service_tier: "auto", usage: USAGE })).serviceTier, "flex");
  });
});

describe("the Responses stream meter", () => {
  const of = (stream: string, cuts?: readonly number[], toEnd?: boolean): AnswerReading =>
    read(createResponsesStreamMeter(), stream, cuts, toEnd);
  const created = event({ type: "response.created", response: { id: "r", model: "m", service_tier: "auto" } });
  const delta = event({
    type: "response.output_text.delta",
    delta: "some text, and some more of it to fill a line up to its end",
  });
  const completed = [
    `data: {"type":"response.completed","response":{"id":"r","model":"m"`,
    `data: ,"usage":{"input_tokens":11,`,
    `data: "output_tokens":7}}}`,
  ].join("\n");

  it("reads the same, however the stream is cut and wherever an event's lines break", () => {
    const swapped = event({ sequence_number: 3, type: "response.output_text.delta", delta: "x" });
    const stream = `${created}${delta}${delta}${swapped}event: response.completed\n${completed}\n\n`;
    fc.assert(
      fc.property(sizes, (cuts) => {
        const reading = of(stream, cuts);
        assert.deepEqual([reading.usage?.tokens.uncachedInput, reading.usage?.tokens.output], [11, 7]);
        assert.deepEqual([reading.deltas, reading.events, reading.progress], [3, 5, "complete"]);
        assert.deepEqual([reading.model, reading.responseId, reading.serviceTier], ["m", "r", null]);
      }),
    );
  });

  it("reads a last event that no blank line follows, if it is whole", () => {
    const reading = of(created + completed, undefined, true);
    assert.deepEqual([reading.settled, reading.usage?.tokens.output], [true, 7]);
    assert.equal(of(created + completed.slice(0, -1), undefined, true).progress, "open");
  });
});
