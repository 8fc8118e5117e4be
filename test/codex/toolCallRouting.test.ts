import assert from "node:assert/strict";
import { type AssembledCall, assemble, sse, streamed } from "./answerRig.ts";

const END = { type: "response.completed", response: { usage: { input_tokens: 1, output_tokens: 1 } } };
const added = (item: object, outer: object = {}): object => ({
  type: "response.output_item.added",
  ...outer,
  item: { type: "function_call", ...item },
});
const done = (item: object, outer: object = {}): object => ({
  ...added(item, outer),
  type: "response.output_item.done",
});
const delta = (text: string, outer: object = {}): object => ({
  type: "response.function_call_arguments.delta",
  ...outer,
  delta: text,
});
const calls = (...events: object[]): AssembledCall[] => assemble(streamed(sse([...events, END])).text).calls;
const called = (id: string, name: string, input: string, type = "function"): AssembledCall => ({
  id,
  type,
  name,
  input,
});

describe("the routing of tool calls", () => {
  it("counts calls from 0, whatever their place among the output items", () => {
    const events = [added({ id: "f", call_id: "c", name: "n" }, { output_index: 7 }), delta("{}", { item_id: "f" })];
    assert.deepEqual(calls(...events), [called("c", "n", "{}")]);
  });

  it("follows item ids that change from event to event by their output index", () => {
    assert.deepEqual(
      calls(
        added({ id: "x1", call_id: "c0", name: "a" }, { output_index: 0 }),
        added({ id: "y1", call_id: "c1", name: "b" }, { output_index: 1 }),
        delta("{0", { item_id: "x2", output_index: 0 }),
        delta("{1", { item_id: "y2", output_index: 1 }),
        delta("}", { item_id: "x3", output_index: 0 }),
        done({ id: "x4", call_id: "c0", name: "a", arguments: "{0}" }, { output_index: 0 }),
        done({ id: "y4", call_id: "c1", name: "b", arguments: "{1" }, { output_index: 1 }),
      ),
      [called("c0", "a", "{0}"), called("c1", "b", "{1")],
    );
  });

  it("gives deltas that name nothing to the last call that is not done", () => {
    assert.deepEqual(
      calls(
        added({ call_id: "c0", name: "a" }),
        delta("{0"),
        delta("}"),
        done({ call_id: "c0", name: "a", arguments: "{0}" }),
        added({ call_id: "c1", name: "b" }),
        delta("{1}"),
        done({ call_id: "c1", name: "b", arguments: "{1}" }),
      ),
      [called("c0", "a", "{0}"), called("c1", "b", "{1}")],
    );
  });

  it("keeps two calls apart that are announced under one output index", () => {
    assert.deepEqual(
      calls(
        added({ id: "x", call_id: "c0", name: "a" }, { output_index: 0 }),
        added({ id: "y", call_id: "c1", name: "b" }, { output_index: 0 }),
        delta("{0}", { item_id: "x", output_index: 0 }),
        delta("{1}", { item_id: "y", output_index: 0 }),
      ),
      [called("c0", "a", "{0}"), called("c1", "b", "{1}")],
    );
  });

  it("holds the deltas of a call that was not announced until its name is known", () => {
    const events = [delta("{", { item_id: "x" }), delta("}", { item_id: "x" })];
    assert.deepEqual(calls(...events, done({ id: "x", call_id: "c", name: "n" })), [called("c", "n", "{}")]);
    const named = { type: "response.function_call_arguments.done", item_id: "x", name: "n", arguments: "{}" };
    assert.deepEqual(calls(...events, named), [called("x", "n", "{}")]);
    assert.deepEqual(calls(...events), []);
  });

  it("tells an input that came only with the announcement", () => {
    assert.deepEqual(calls(added({ id: "x", call_id: "c", name: "n", arguments: '{"a":1}' })), [
      called("c", "n", '{"a":1}'),
    ]);
  });

  it("takes arguments that came as an object for their JSON", () => {
    assert.deepEqual(calls(done({ call_id: "c", name: "n", arguments: { a: 1 } })), [called("c", "n", '{"a":1}')]);
  });

  it("gives a call without any id one of its own", () => {
    const [first, second] = calls(done({ name: "a", arguments: "{}" }), done({ name: "b", arguments: "{}" }));
    assert.match(first!.id, /^call_/);
    assert.notEqual(first!.id, second!.id);
  });

  it("tells function calls and custom calls of one answer under one count", () => {
    const custom = { type: "custom_tool_call", id: "y", call_id: "c1", name: "b" };
    assert.deepEqual(
      calls(
        added({ id: "x", call_id: "c0", name: "a" }),
        added(custom),
        { type: "response.custom_tool_call_input.delta", item_id: "y", delta: "raw" },
        delta("{}", { item_id: "x" }),
      ),
      [called("c0", "a", "{}"), called("c1", "b", "raw", "custom")],
    );
  });
});
