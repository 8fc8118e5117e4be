import assert from "node:assert/strict";
import * as fc from "fast-check";
import { readResponsesRequest } from "../../src/codex/responsesRequest.ts";
import { upstreamBody } from "../../src/codex/upstreamBody.ts";
import { ApiError } from "../../src/wire/errors.ts";

const read = (body: Record<string, unknown>, isNative = false) =>
  readResponsesRequest({ model: "gpt-6-sol", ...body }, isNative);

describe("a Responses request for the Codex backend", () => {
  it("is what the backend demands: never stored, always streamed, with encrypted reasoning", () => {
    const { input, rest, instructions } = read({
      input: "Hi",
      store: true,
      stream: false,
      include: ["web_search_call.results"],
    });
    const body = upstreamBody({ model: "m", effort: "low", instructions, input, rest, promptCacheKey: "key" });
    assert.equal(body["store"], false);
    assert.equal(body["stream"], true);
    assert.deepEqual(body["include"], ["web_search_call.results", "reasoning.encrypted_content"]);
    assert.deepEqual(body["input"], [{ type: "message", role: "user", content: [{ type: "input_text", text: "Hi" }] }]);
  });

  it("takes its effort from reasoning_effort, else from reasoning.effort", () => {
    assert.equal(read({ input: "Hi", reasoning_effort: "low", reasoning: { effort: "high" } }).effort, "low");
    assert.equal(read({ input: "Hi", reasoning: { effort: "high" } }).effort, "high");
    assert.equal(read({ input: "Hi", reasoning_effort: "", reasoning: { effort: "high" } }).effort, "high");
    assert.equal(read({ input: "Hi" }).effort, undefined);
  });

  it("makes leading system messages instructions and later ones developer messages", () => {
    const { instructions, input } = read({
      instructions: "First.",
      input: [
        { role: "system", content: "Second." },
        { role: "user", content: "Hi" },
        { type: "message", role: "system", content: [{ type: "input_text", text: "Third." }] },
      ],
    });
    assert.equal(instructions, "First.\n\nSecond.");
    assert.deepEqual(
      input.map((item) => item["role"]),
      ["user", "developer"],
    );
  });

  it("drops what the backend refuses and names it, unless it says nothing", () => {
    const { dropped, rest } = read({
      input: "Hi",
      temperature: 1,
      max_output_tokens: 10,
      truncation: "disabled",
      metadata: {},
      service_tier: "auto",
      user: "me",
      background: false,
      parallel_tool_calls: false,
    });
    assert.deepEqual(dropped, ["max_output_tokens", "temperature"]);
    assert.deepEqual(rest, { parallel_tool_calls: false });
  });

  it("takes out ids and states of another store, keeps what is sealed, and passes unknown items", () => {
    const sealed = { type: "reasoning", id: "rs_1", status: null, summary: [], encrypted_content: "x" };
    const odd = { type: "configuration_update", id: "cu_1", reasoning: { effort: "low" } };
    const { input } = read({
      input: [
        sealed,
        { type: "reasoning", id: "rs_2", summary: [] },
        { type: "function_call", id: "fc_1", status: "completed", call_id: "c", name: "f", arguments: "1.50" },
        { type: "function_call_output", call_id: "c", output: { ok: true } },
        { role: "assistant", content: [{ type: "input_text", text: "x", cache_control: {} }] },
        odd,
      ],
    });
    assert.deepEqual(input, [
      { type: "reasoning", summary: [], encrypted_content: "x" },
      { type: "function_call", call_id: "c", name: "f", arguments: "1.50" },
      { type: "function_call_output", call_id: "c", output: '{"ok":true}' },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "x" }] },
      odd,
    ]);
  });

  it("refuses with a clear sentence what depends on a store", () => {
    for (const field of ["previous_response_id", "conversation", "prompt"]) {
      assert.throws(
        () => read({ input: "Hi", [field]: "x" }),
        (error) => error instanceof ApiError && error.param === field,
      );
    }
  });

  it("leaves Codex's own request as it is, but for system messages", () => {
    const tools = [{ type: "namespace", name: "functions", tools: [{ type: "custom", name: "exec" }] }];
    const items = [
      { type: "additional_tools", id: "at_1", role: "developer", tools },
      { type: "message", id: "msg_1", role: "user", content: [{ type: "input_text", text: "Hi" }] },
    ];
    const { input, rest } = read(
      { input: items, stream_options: { reasoning_summary_delivery: "sequential_cutoff" } },
      true,
    );
    assert.deepEqual(input, items);
    assert.deepEqual(rest, { stream_options: { reasoning_summary_delivery: "sequential_cutoff" } });
  });

  it("takes an empty name for none, so that nobody shares a conversation by it", () => {
    const { model, user, promptCacheKey } = read({ input: "Hi", model: "", user: "", prompt_cache_key: "" });
    assert.deepEqual([model, user, promptCacheKey], [null, undefined, undefined]);
  });

  it("tells of a dropped field by its name only where that is a plain one", () => {
    const { dropped } = read({ input: "Hi", temperature: 0.5, "a\nb": 1, ["x".repeat(5000)]: 1 });
    assert.deepEqual(dropped, ["(other)", "temperature"]);
  });

  it("gives a reading or a refusal for whatever is sent", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom("model", "input", "tools", "tool_choice", "reasoning", "include", "instructions"),
          fc.jsonValue(),
        ),
        (body) => {
          try {
            const reading = readResponsesRequest(body, false);
            upstreamBody({ ...reading, model: "m", promptCacheKey: "k" });
          } catch (error) {
            assert.ok(error instanceof ApiError);
          }
        },
      ),
    );
  });
});
