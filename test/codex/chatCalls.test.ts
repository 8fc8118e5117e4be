import assert from "node:assert/strict";
import { assertRefused, assistantItem, inputOf } from "./chatBodies.ts";

const IMAGE = "data:image/png;base64,AAAA";

function functionCall(id: string, name: string, text: string) {
  return { id, type: "function", function: { name, arguments: text } };
}

describe("the calls of a chat history", () => {
  it("put calls behind the text of their message and carry their arguments over to the letter", () => {
    const texts = ['{ "amount" : 1.50 }', "{broken", ""];
    const input = inputOf([
      {
        role: "assistant",
        content: "Wait.",
        tool_calls: texts.map((text, index) => ({ ...functionCall(`call_${index}`, "bash", text), type: undefined })),
      },
    ]);
    assert.deepEqual(input[0], assistantItem("Wait."));
    assert.deepEqual(
      input.slice(1).map((item) => item["arguments"]),
      texts,
    );
  });

  it("give outputs the kind of their call, which is the offered tool's", () => {
    const tools = [
      { type: "custom", custom: { name: "patch" } },
      { type: "custom", custom: { name: "both" } },
      { type: "function", function: { name: "both" } },
    ];
    const input = inputOf(
      [
        {
          role: "assistant",
          tool_calls: [
            { id: "a", type: "custom", custom: { name: "patch", input: "*** Begin" } },
            functionCall("b", "patch", "*** Begin"),
            functionCall("c", "both", "{}"),
          ],
        },
        ...["a", "b", "c"].map((id) => ({ role: "tool", tool_call_id: id, content: "Done." })),
      ],
      { tools },
    );
    assert.deepEqual(input, [
      { type: "custom_tool_call", call_id: "a", name: "patch", input: "*** Begin" },
      { type: "custom_tool_call", call_id: "b", name: "patch", input: "*** Begin" },
      { type: "function_call", call_id: "c", name: "both", arguments: "{}" },
      { type: "custom_tool_call_output", call_id: "a", output: "Done." },
      { type: "custom_tool_call_output", call_id: "b", output: "Done." },
      { type: "function_call_output", call_id: "c", output: "Done." },
    ]);
  });

  it("take the kind of an id's last call where two rounds share it", () => {
    const custom = { id: "a", type: "custom", custom: { name: "patch", input: "x" } };
    const result = { role: "tool", tool_call_id: "a", content: "Done." };
    const input = inputOf([
      { role: "assistant", tool_calls: [custom] },
      result,
      { role: "assistant", tool_calls: [functionCall("a", "bash", "{}")] },
      result,
    ]);
    assert.deepEqual(
      input.map((item) => item["type"]),
      ["custom_tool_call", "custom_tool_call_output", "function_call", "function_call_output"],
    );
  });

  it("keep an output whose call is missing, because it may be restored", () => {
    const input = inputOf([{ role: "tool", tool_call_id: "call_9", content: "Done." }]);
    assert.deepEqual(input, [{ type: "function_call_output", call_id: "call_9", output: "Done." }]);
  });

  it("turn results of every form into outputs", () => {
    const outputOf = (content: unknown) => inputOf([{ role: "tool", tool_call_id: "a", content }])[0]?.["output"];
    assert.equal(outputOf("Done."), "Done.");
    assert.equal(outputOf(""), "");
    assert.equal(outputOf(null), "");
    assert.equal(outputOf(undefined), "");
    assert.equal(outputOf([]), "");
    assert.equal(outputOf({ amount: 1.5 }), '{"amount":1.5}');
    assert.equal(outputOf([{ type: "text", text: "Done." }]), "Done.");
    assert.deepEqual(
      outputOf([
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ]),
      [
        { type: "input_text", text: "a" },
        { type: "input_text", text: "b" },
      ],
    );
    assert.deepEqual(outputOf([{ type: "image_url", image_url: { url: IMAGE } }]), [
      { type: "input_image", image_url: IMAGE },
    ]);
  });

  it("shorten an id that is too long in call and output alike", () => {
    const [one, two] = ["x".repeat(65), `${"x".repeat(64)}y`];
    const input = inputOf([
      { role: "assistant", tool_calls: [functionCall(one, "bash", "{}"), functionCall(two, "bash", "{}")] },
      { role: "tool", tool_call_id: two, content: "Two." },
      { role: "tool", tool_call_id: one, content: "One." },
    ]);
    const ids = input.map((item) => String(item["call_id"]));
    assert.deepEqual([ids[3], ids[2]], [ids[0], ids[1]]);
    assert.notEqual(ids[0], ids[1]);
    for (const id of ids) assert.ok(id.length <= 64);
  });

  it("pair legacy function calls by name, over several rounds", () => {
    const round = [
      { role: "assistant", content: null, function_call: { name: "look", arguments: '{"a":1}' } },
      { role: "function", name: "look", content: "Seen." },
    ];
    const input = inputOf([...round, ...round, { role: "function", name: "look", content: "Again." }]);
    assert.deepEqual(
      input.map((item) => item["type"]),
      ["function_call", "function_call_output", "function_call", "function_call_output", "function_call_output"],
    );
    const ids = input.map((item) => item["call_id"]);
    assert.equal(ids[0], ids[1]);
    assert.equal(ids[2], ids[3]);
    assert.equal(new Set(ids).size, 3);
  });

  it("are refused where a call or its result lacks its parts", () => {
    const call = (item: unknown) => ({ messages: [{ role: "assistant", tool_calls: [item] }] });
    const place = "messages[0].tool_calls[0]";
    assertRefused(call("x"), place);
    assertRefused(call({ function: { name: "bash", arguments: "{}" } }), `${place}.id`);
    assertRefused(call({ id: "a", type: "shell" }), `${place}.type`);
    assertRefused(call({ id: "a", type: "custom", function: { name: "bash" } }), `${place}.custom`);
    assertRefused(call({ id: "a", function: { name: "" } }), `${place}.function.name`);
    assertRefused(call({ id: "a", function: { name: "bash", arguments: {} } }), `${place}.function.arguments`);
    assertRefused({ messages: [{ role: "assistant", tool_calls: {} }] }, "messages[0].tool_calls");
    assertRefused({ messages: [{ role: "tool", content: "Done." }] }, "messages[0].tool_call_id");
    assertRefused({ messages: [{ role: "tool", tool_call_id: "a", content: 5 }] }, "messages[0].content");
    assertRefused({ messages: [{ role: "function", content: "Done." }] }, "messages[0].name");
  });
});
