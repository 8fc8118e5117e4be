import assert from "node:assert/strict";
import * as fc from "fast-check";
import { pairCalls } from "../../src/codex/callPairing.ts";
import type { JsonObject } from "../../src/wire/json.ts";
import { assistantItem, developerItem, userItem } from "./chatBodies.ts";

const STUB = "No result was recorded for this call.";

function call(id: string): JsonObject {
  return { type: "function_call", call_id: id, name: "bash", arguments: "{}" };
}

function output(id: string, text = "Done."): JsonObject {
  return { type: "function_call_output", call_id: id, output: text };
}

function customCall(id: string): JsonObject {
  return { type: "custom_tool_call", call_id: id, name: "patch", input: "" };
}

function customOutput(id: string, text = "Done."): JsonObject {
  return { type: "custom_tool_call_output", call_id: id, output: text };
}

const shellCall = {
  type: "local_shell_call",
  call_id: "s",
  status: "completed",
  action: { type: "exec", command: [] },
};
const searchCall = { type: "tool_search_call", call_id: "t", execution: "client", arguments: {} };

const ids = fc.constantFrom("a", "b");
const anyItem = fc.oneof(
  ids.map((id) => call(id)),
  ids.map((id) => customCall(id)),
  fc.tuple(ids, fc.string()).map(([id, text]) => output(id, text)),
  fc.tuple(ids, fc.string()).map(([id, text]) => customOutput(id, text)),
  fc.constantFrom<JsonObject>(
    shellCall,
    output("s"),
    searchCall,
    { type: "tool_search_output", call_id: "t", execution: "client", status: "completed", tools: [] },
    { type: "tool_search_call", call_id: null, execution: "server", arguments: {} },
    { type: "reasoning", encrypted_content: "x", summary: [] },
    { type: "web_search_call", id: "ws_1", status: "completed" },
    { role: "user", content: "Hi" },
  ),
);

describe("the pairing of calls and outputs", () => {
  it("returns an input that is consistent itself", () => {
    const reasoning = { type: "reasoning", encrypted_content: "x", summary: [] };
    const consistent: JsonObject[][] = [
      [],
      [userItem("Hi"), assistantItem("Hi.")],
      [userItem("Hi"), call("a"), reasoning, call("b"), output("b"), output("a")],
      [call("a"), output("a"), userItem("More."), call("a"), output("a")],
      [call("a"), reasoning, call("a"), output("a", "One."), output("a", "Two.")],
      [call("a"), userItem("Meanwhile."), output("a")],
      [customCall("a"), customOutput("a"), call("a"), output("a")],
      [shellCall, output("s")],
      [shellCall, { type: "local_shell_call_output", id: "s", output: "" }],
      [searchCall, { type: "tool_search_output", call_id: "t", execution: "client", status: "completed", tools: [] }],
      [{ ...searchCall, call_id: null, execution: "server" }],
      [
        { type: "mcp_call", id: "mcp_1" },
        { type: "computer_call_output", call_id: "z" },
      ],
    ];
    for (const input of consistent) {
      const paired = pairCalls(input);
      assert.equal(paired.input, input);
      assert.deepEqual(paired.orphans, []);
    }
  });

  it("tells an output without a call as a message of the developer", () => {
    assert.deepEqual(pairCalls([userItem("Hi"), output("a", "Sunny."), userItem("So?")]), {
      input: [userItem("Hi"), developerItem("Result of an earlier tool call: Sunny."), userItem("So?")],
      orphans: ["a"],
    });
    assert.deepEqual(pairCalls([output("a", "One."), output("a", "Two."), call("a"), output("a")]), {
      input: [
        developerItem("Result of an earlier tool call: One."),
        developerItem("Result of an earlier tool call: Two."),
        call("a"),
        output("a"),
      ],
      orphans: ["a"],
    });
  });

  it("keeps the images of an output without a call", () => {
    const image = { type: "input_image", image_url: "data:," };
    const orphan = { ...customOutput("a"), output: [{ type: "input_text", text: "Look: " }, image, null, "there"] };
    assert.deepEqual(pairCalls([orphan]).input, [
      developerItem("Result of an earlier tool call: Look: nullthere"),
      { type: "message", role: "user", content: [image] },
    ]);
  });

  it("gives a call without an output a stub of its kind, behind the round", () => {
    const calls = [call("a"), customCall("b"), shellCall, searchCall];
    assert.deepEqual(pairCalls([...calls, userItem("Hi")]).input, [
      ...calls,
      output("a", STUB),
      customOutput("b", STUB),
      output("s", STUB),
      { type: "tool_search_output", call_id: "t", status: "completed", execution: "client", tools: [] },
      userItem("Hi"),
    ]);
    assert.deepEqual(pairCalls([call("a"), call("b"), output("b")]).input, [
      call("a"),
      call("b"),
      output("a", STUB),
      output("b"),
    ]);
  });

  it("keeps the first of several outputs to a call", () => {
    assert.deepEqual(pairCalls([call("a"), output("a", "One."), output("a", "Two."), userItem("Hi"), output("a")]), {
      input: [call("a"), output("a", "One."), userItem("Hi")],
      orphans: [],
    });
  });

  it("takes an output for this round's call where an earlier one of the same id has none", () => {
    assert.deepEqual(pairCalls([call("a"), userItem("Stop."), call("a"), output("a")]).input, [
      call("a"),
      output("a", STUB),
      userItem("Stop."),
      call("a"),
      output("a"),
    ]);
  });

  it("puts the stubs of a round in the order of its calls", () => {
    assert.deepEqual(pairCalls([call("a"), call("b"), userItem("Stop."), call("b"), output("b")]).input, [
      call("a"),
      call("b"),
      output("a", STUB),
      output("b", STUB),
      userItem("Stop."),
      call("b"),
      output("b"),
    ]);
  });

  it("gives an output the kind of its call", () => {
    assert.deepEqual(pairCalls([customCall("a"), output("a"), call("b"), customOutput("b")]).input, [
      customCall("a"),
      customOutput("a"),
      call("b"),
      output("b"),
    ]);
  });

  it("leaves a consistent input behind, touches nothing but calls and outputs, and loses no orphan's text", () => {
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 12 }), (input) => {
        const before = structuredClone(input);
        const paired = pairCalls(input);
        assert.deepEqual(input, before);
        assert.equal(pairCalls(paired.input).input, paired.input);
        const kept = new Set(paired.input);
        for (const item of input) {
          if (!String(item["type"]).endsWith("_output")) assert.ok(kept.has(item));
        }
        for (const orphan of input.filter((item) => paired.orphans.includes(String(item["call_id"])))) {
          if (typeof orphan["output"] !== "string" || kept.has(orphan)) continue;
          const told = paired.input.some((item) =>
            JSON.stringify(item).includes(JSON.stringify(orphan["output"]).slice(1, -1)),
          );
          assert.ok(told || paired.input.some((item) => answersCall(item, orphan)));
        }
        const count = (suffix: string) =>
          paired.input.filter((item) => typeof item["call_id"] === "string" && String(item["type"]).endsWith(suffix))
            .length;
        assert.equal(count("_call"), count("_output"));
      }),
      { numRuns: 1000 },
    );
  });
});

/** A duplicate of an answered call may go: the id was an orphan's once and a call's later. */
function answersCall(item: JsonObject, orphan: JsonObject): boolean {
  return item["call_id"] === orphan["call_id"] && String(item["type"]).endsWith("_output");
}
