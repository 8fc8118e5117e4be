import assert from "node:assert/strict";
import { createConversations } from "../../src/codex/conversations.ts";

type Item = Record<string, unknown>;

const LIMITS = { keepMs: 1_000, maximumConversations: 3, maximumCharacters: 4_000 };

function rig(limits = LIMITS) {
  let now = 0;
  const conversations = createConversations({ now: () => now, monotonic: () => now }, limits);
  return { conversations, pass: (ms: number) => void (now += ms) };
}

const call = (id: string): Item => ({
  type: "function_call",
  id: `fc_${id}`,
  call_id: id,
  name: "look",
  arguments: "{}",
});
const output = (id: string): Item => ({ type: "function_call_output", call_id: id, output: "x" });
const reasoning = (seal: string): Item => ({
  type: "reasoning",
  id: `rs_${seal}`,
  summary: [],
  encrypted_content: seal,
});
const said = (text: string): Item => ({ type: "message", role: "assistant", content: [{ type: "output_text", text }] });
const asked = (text: string): Item => ({ type: "message", role: "user", content: [{ type: "input_text", text }] });
const types = (items: readonly Item[]): unknown[] => items.map((item) => item["type"]);

describe("the memory of a conversation", () => {
  it("gives a chat caller's answers their reasoning back, in order, and only where the words are the same", () => {
    const conversation = rig().conversations.open("a");
    conversation.remember([reasoning("one"), { ...said("Hello."), id: "msg_1", status: "completed" }, call("c1")]);
    const input = [asked("Hi"), said("Hello."), { ...call("c1"), id: undefined }, output("c1")];
    const { input: restored } = conversation.restore(input, "replay");
    assert.deepEqual(types(restored), ["message", "reasoning", "message", "function_call", "function_call_output"]);
    assert.equal("status" in (restored[2] ?? {}), false);
    assert.deepEqual(conversation.restore([asked("Hi"), said("Changed.")], "replay").input, [
      asked("Hi"),
      said("Changed."),
    ]);
    assert.deepEqual(types(conversation.restore(input, "callers_own").input), types(input));
  });

  it("gives an output its call back, once, and no other conversation's", () => {
    const { conversations } = rig();
    conversations.open("a").remember([call("c1")]);
    const restored = conversations.open("a").restore([output("c1"), output("c1")], "callers_own").input;
    assert.deepEqual(types(restored), ["function_call", "function_call_output", "function_call_output"]);
    assert.deepEqual(conversations.open("b").restore([output("c1")], "callers_own").input, [output("c1")]);
  });

  it("resolves references to its own items and names those that it does not know", () => {
    const conversation = rig().conversations.open("a");
    conversation.remember([reasoning("one"), call("c1")]);
    const reference = (id: string): Item => ({ type: "item_reference", id });
    const { input, unknownReferences } = conversation.restore(
      [reference("rs_one"), reference("fc_c1"), reference("rs_other")],
      "callers_own",
    );
    assert.deepEqual(types(input), ["reasoning", "function_call"]);
    assert.deepEqual(unknownReferences, ["rs_other"]);
  });

  it("is kept for its time after the last use, and no longer", () => {
    const { conversations, pass } = rig();
    conversations.open("a").instructions = "Be brief.";
    pass(999);
    assert.equal(conversations.open("a").instructions, "Be brief.");
    pass(1_000);
    assert.equal(conversations.open("a").instructions, undefined);
  });

  it("is bounded in number: the one unused for longest goes first", () => {
    const { conversations } = rig();
    for (const key of ["a", "b", "c"]) conversations.open(key).instructions = key;
    conversations.open("a");
    conversations.open("d");
    assert.equal(conversations.open("a").instructions, "a");
    assert.equal(conversations.open("b").instructions, undefined);
  });

  it("is bounded in size, within a conversation and over all of them", () => {
    const { conversations } = rig();
    const long = conversations.open("a");
    for (let number = 0; number < 20; number += 1)
      long.remember([{ ...call(`c${number}`), arguments: "x".repeat(200) }]);
    assert.equal(long.restore([output("c0")], "callers_own").input.length, 1);
    assert.equal(long.restore([output("c19")], "callers_own").input.length, 2);
    const other = conversations.open("b");
    other.instructions = "y".repeat(3_500);
    // The other conversation's instructions push this one out, and what is told of it afterwards is not counted.
    conversations.open("b");
    long.remember([call("late")]);
    assert.equal(conversations.open("a").restore([output("late")], "callers_own").input.length, 1);
  });

  it("counts the state of its turn too", () => {
    const { conversations } = rig();
    conversations.open("a").instructions = "a";
    const states = conversations.open("b");
    states.noteTurnState("turn 1", "s".repeat(3_000));
    states.noteTurnState("turn 2", "s".repeat(3_000));
    conversations.open("c").instructions = "c";
    // In the place of the first turn's, not beside it.
    assert.equal(conversations.open("a").instructions, "a");
    states.noteTurnState("turn 3", "s".repeat(5_000));
    conversations.open("c");
    assert.equal(conversations.open("b").turnState("turn 3"), undefined);
  });

  it("echoes a turn's state within the turn and never beyond it", () => {
    const conversation = rig().conversations.open("a");
    conversation.noteTurnState("turn 1", "sticky");
    assert.equal(conversation.turnState("turn 1"), "sticky");
    assert.equal(conversation.turnState("turn 2"), undefined);
  });
});
