import assert from "node:assert/strict";
import * as fc from "fast-check";
import { createChatCompletion } from "../../src/codex/chatCompletion.ts";
import { createChatStream } from "../../src/codex/chatStream.ts";
import { BROKEN_OFF } from "../../src/codex/codexFailure.ts";
import { createEventReader } from "../../src/codex/eventReader.ts";
import type { JsonObject } from "../../src/wire/json.ts";
import {
  answerOptions,
  assemble,
  assembledResult,
  completed,
  fixture,
  fixtureNames,
  readChunks,
  recorded,
  recordedNames,
  sse,
  streamed,
} from "./answerRig.ts";

const texts = fc.string({ unit: "grapheme", maxLength: 12 });
/** What an item's events may name it by. */
const namings = fc.constantFrom("both", "item_id", "output_index", "neither");
type Naming = "both" | "item_id" | "output_index" | "neither";

const message = fc.record({
  type: fc.constant("message"),
  deltas: fc.array(texts, { maxLength: 4 }),
  streams: fc.boolean(),
});
const call = fc.record({
  type: fc.constantFrom("function_call", "custom_tool_call"),
  name: fc.constantFrom("one", "two"),
  deltas: fc.array(texts, { maxLength: 4 }),
  streams: fc.boolean(),
  announced: fc.boolean(),
});
type Item = { readonly deltas: string[]; readonly streams: boolean } & (
  | { readonly type: "message" }
  | { readonly type: string; readonly name: string; readonly announced: boolean }
);

/** The events of one item, as the backend sends them, naming it as told. */
function eventsOf(item: Item, index: number, naming: Naming): JsonObject[] {
  const id = `item_${index}`;
  const place = {
    ...(naming === "both" || naming === "output_index" ? { output_index: index } : {}),
    ...(naming === "both" || naming === "item_id" ? { item_id: id } : {}),
  };
  const { item_id: _, ...outer } = { item_id: undefined, ...place };
  const itemId = "item_id" in place ? { id } : {};
  const whole = item.deltas.join("");
  if (!("name" in item)) {
    const content = [{ type: "output_text", text: whole }];
    return [
      { type: "response.output_item.added", ...outer, item: { type: "message", ...itemId, content: [] } },
      ...(item.streams ? item.deltas : []).map((delta) => ({ type: "response.output_text.delta", ...place, delta })),
      { type: "response.output_text.done", ...place, content_index: 0, text: whole },
      { type: "response.output_item.done", ...outer, item: { type: "message", ...itemId, content } },
    ];
  }
  const isFunction = item.type === "function_call";
  const field = isFunction ? "arguments" : "input";
  const of = isFunction ? "response.function_call_arguments" : "response.custom_tool_call_input";
  const base = { type: item.type, ...itemId, call_id: `call_${index}`, name: item.name };
  return [
    ...(item.announced ? [{ type: "response.output_item.added", ...outer, item: { ...base, [field]: "" } }] : []),
    ...(item.streams ? item.deltas : []).map((delta) => ({ type: `${of}.delta`, ...place, delta })),
    { type: `${of}.done`, ...place, [field]: whole },
    { type: "response.output_item.done", ...outer, item: { ...base, [field]: whole } },
  ];
}

/** One list out of several, each keeping its own order, as `choices` say. */
function interleaved<Value>(lists: readonly (readonly Value[])[], choices: readonly number[]): Value[] {
  const rest = lists.map((list) => [...list]);
  const result: Value[] = [];
  for (let step = 0; rest.some((list) => list.length > 0); step += 1) {
    const open = rest.filter((list) => list.length > 0);
    const chosen = open[(choices[step % Math.max(1, choices.length)] ?? 0) % open.length]!;
    result.push(chosen.shift()!);
  }
  return result;
}

const END: JsonObject = {
  type: "response.completed",
  response: { output: [], usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } },
};
const nonEmpty = (parts: readonly string[]): string => parts.join("");

describe("the translation of any Codex answer", () => {
  it("is the same however the upstream's bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...fixtureNames),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
        (name, sizes) => {
          const options = answerOptions();
          assert.equal(streamed(fixture(name), options, sizes).text, streamed(fixture(name), options).text);
        },
      ),
    );
  });

  it("is the same for deltas that are copied unread as for such as are parsed, event by event", () => {
    const text = fc.string({ unit: fc.constantFrom("a", '"', "\\", "\n", "\u0001", "é", "語", "🌍"), maxLength: 5 });
    const kinds = {
      text: { type: "response.output_text.delta", item_id: "msg_1", output_index: 0, content_index: 0, logprobs: [] },
      refusal: { type: "response.refusal.delta", item_id: "msg_1", output_index: 0, content_index: 1 },
      summary: { type: "response.reasoning_summary_text.delta", item_id: "rs_1", output_index: 1, summary_index: 0 },
      input: { type: "response.function_call_arguments.delta", item_id: "fc_1", output_index: 2 },
      custom: { type: "response.custom_tool_call_input.delta", item_id: "ctc_1", output_index: 3 },
      early: { type: "response.function_call_arguments.delta", item_id: "fc_9", output_index: 9 },
    };
    const deltas = fc
      .tuple(fc.constantFrom(...Object.values(kinds)), fc.array(text, { minLength: 1, maxLength: 6 }), fc.boolean())
      .map(([kind, texts, isPadded]) =>
        texts.map((delta) => ({ ...kind, delta, ...(isPadded ? { obfuscation: "x".repeat(delta.length) } : {}) })),
      );
    const citation = { type: "url_citation", start_index: 0, end_index: 1, url: "https://example.com/", title: "" };
    const others = fc.constantFrom<JsonObject[]>(
      [{ type: "response.reasoning_summary_part.added", item_id: "rs_1", output_index: 1, summary_index: 0 }],
      [{ type: "response.output_text.annotation.added", item_id: "msg_2", output_index: 4, annotation: citation }],
      [{ ...kinds.text, item_id: "msg_2", output_index: 4, delta: "b" }],
      [{ ...kinds.text, logprobs: [{ token: "b" }], delta: "b" }],
      [{ type: "keepalive" }],
    );
    const begun = [
      ["function_call", "fc_1", 2],
      ["custom_tool_call", "ctc_1", 3],
    ].map(([type, id, index]) => ({
      type: "response.output_item.added",
      output_index: index,
      item: { type, id, call_id: `call_${id}`, name: "one" },
    }));
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 4, arbitrary: deltas }, others), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        fc.boolean(),
        (runs, sizes, legacyCalls) => {
          const options = answerOptions({ legacyCalls });
          const events = [...begun, ...runs.flat(), END].map((event, index) => ({ ...event, sequence_number: index }));
          const bytes = sse(events);
          const whole = streamed(bytes, options).text;
          assert.equal(streamed(bytes, options, sizes).text, whole);
          const reference = createChatStream(options);
          assert.deepEqual(readChunks(whole), readChunks(events.map((event) => reference.push(event)).join("")));
        },
      ),
      { numRuns: 400 },
    );
  });

  it("tells each text and each call's input whole and once, whatever its items are named by", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(message, call), { minLength: 1, maxLength: 5 }),
        namings,
        fc.array(fc.nat(4)),
        (items, naming, choices) => {
          const lists = items.map((item, index) => eventsOf(item, index, naming));
          // Items that nothing names can only come one after the other.
          const events = interleaved(lists, naming === "neither" ? [0] : choices);
          const { text } = streamed(sse([...events, END]));
          const whole = assemble(text);
          const calls = items.flatMap((item, index) =>
            "name" in item ? [{ id: `call_${index}`, name: item.name, input: nonEmpty(item.deltas) }] : [],
          );
          const byId = (one: { id: string }, other: { id: string }): number => one.id.localeCompare(other.id);
          assert.deepEqual(whole.calls.map(({ id, name, input }) => ({ id, name, input })).toSorted(byId), calls);
          const said = items.filter((item) => !("name" in item)).map((item) => nonEmpty(item.deltas));
          if (naming === "neither" || said.length < 2) assert.equal(whole.content, said.join(""));
          else assert.equal(whole.content.length, said.join("").length);
          assert.deepEqual(whole.finishReasons, [calls.length > 0 ? "tool_calls" : "stop"]);
        },
      ),
      { numRuns: 300 },
    );
  });

  const known = [...fixtureNames.map(fixture), ...recordedNames.map(recorded)].flatMap((stream) => {
    const events: JsonObject[] = [];
    const reader = createEventReader((event) => events.push(event));
    reader.push(stream);
    return events;
  });
  const ends = new Set(["response.completed", "response.incomplete", "response.failed", "response.done", "error"]);
  const misshapen = fc
    .record({ event: fc.constantFrom(...known), key: fc.nat(12), value: fc.jsonValue(), damage: fc.nat(4) })
    .map(({ event, key, value, damage }) => {
      if (damage === 0) return event;
      const inner = damage === 1 ? "item" : damage === 2 ? "response" : undefined;
      const target = inner === undefined ? event : (event[inner] as JsonObject | undefined);
      if (target === undefined) return event;
      const keys = Object.keys(target);
      const changed = { ...target, [keys[key % keys.length] ?? "type"]: damage === 3 ? undefined : value };
      return inner === undefined ? changed : { ...event, [inner]: changed };
    });

  it("survives events in any order and of any shape, ends once, and agrees with the aggregated answer", () => {
    let finished = 0;
    fc.assert(
      fc.property(fc.array(misshapen, { maxLength: 30 }), fc.boolean(), (some, endless) => {
        const events = endless ? some.filter((event) => !ends.has(String(event["type"]))) : some;
        const stream = createChatStream(answerOptions());
        const completion = createChatCompletion(answerOptions());
        let text = "";
        for (const event of events) {
          const ended = stream.progress !== "open";
          const out = stream.push(event);
          if (ended) assert.equal(out, "");
          text += out;
          completion.push(event);
        }
        text += stream.cut(BROKEN_OFF);
        completion.cut(BROKEN_OFF);
        const whole = assemble(text);
        const { done } = readChunks(text);
        assert.equal(whole.finishReasons.length + whole.errors.length, 1);
        assert.equal(done, whole.finishReasons.length === 1);
        assert.equal(stream.progress, completion.progress);
        assert.deepEqual(stream.failure, completion.failure);
        if (done) {
          finished += 1;
          assert.deepEqual(assembledResult(completion), whole);
        } else assert.throws(() => completion.result());
      }),
      { numRuns: 500 },
    );
    assert.ok(finished > 20);
  });

  it("survives events of nonsense", () => {
    const types = [...new Set(known.map((event) => event["type"]))];
    const nonsense = fc.record({
      type: fc.oneof(fc.constantFrom(...types), fc.jsonValue()),
      item: fc.oneof(fc.jsonValue(), fc.record({ type: fc.constantFrom("message", "reasoning", "function_call") })),
      response: fc.jsonValue(),
      error: fc.jsonValue(),
      delta: fc.jsonValue(),
      item_id: fc.jsonValue(),
      output_index: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.array(nonsense, { maxLength: 10 }), (events) => {
        const { text } = streamed(sse(events));
        const whole = assemble(text);
        assert.equal(whole.finishReasons.length + whole.errors.length, 1);
        completed(sse(events));
      }),
    );
  });
});
