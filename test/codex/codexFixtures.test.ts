import assert from "node:assert/strict";
import {
  type Assembled,
  answerOptions,
  assemble,
  assembledResult,
  completed,
  fixture,
  fixtureNames,
  readChunks,
  recorded,
  recordedNames,
  streamed,
} from "./answerRig.ts";

const call = (id: string, name: string, input: string, type = "function") => ({ id, type, name, input });

const USAGE = {
  prompt_tokens: 120,
  completion_tokens: 25,
  total_tokens: 145,
  prompt_tokens_details: { cached_tokens: 64, cache_write_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 10 },
};

/** What a caller gets of each stream; with usage as above unless said. */
const FINISHED: Record<string, Partial<Assembled> & { readonly finish: string }> = {
  text: { content: 'Hello, "wörld" 🌍\n', finish: "stop" },
  reasoning: { reasoning: "**Looking**\n\nThen answering", content: "Done.", finish: "stop" },
  rawReasoning: { reasoning: "think hard", content: "Ok", finish: "stop" },
  phases: { content: "Let me look. Found it.", finish: "stop" },
  refusal: { refusal: "I can't help with that.", finish: "stop" },
  functionCall: { calls: [call("call_a1", "get_weather", '{"city":"Köln","days":1.50}')], finish: "tool_calls" },
  parallelCalls: {
    content: "Both.",
    calls: [call("call_a1", "first", '{"a":1}'), call("call_b2", "second", '{"b":2}')],
    finish: "tool_calls",
  },
  argumentsOnlyDone: { calls: [call("call_a1", "get_weather", '{"city":"Bonn"}')], finish: "tool_calls" },
  customToolCall: {
    calls: [call("call_c3", "apply_patch", "*** Begin Patch\n*** End Patch", "custom")],
    finish: "tool_calls",
  },
  webSearch: {
    content: "Searching. See Example.",
    annotations: [
      {
        type: "url_citation",
        // The upstream counts within its own message, which is the second of this answer.
        url_citation: { start_index: 15, end_index: 22, url: "https://example.com/", title: "Example" },
      },
    ],
    finish: "stop",
  },
  image: {
    content: "A dot.",
    images: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==" } }],
    finish: "stop",
  },
  hostedCalls: { content: "Done.", finish: "stop" },
  notices: { content: "Quiet.", finish: "stop" },
  incompleteTokens: { calls: [call("call_a1", "get_weather", '{"ci')], finish: "length" },
  incompleteFilter: { content: "Well", finish: "content_filter" },
  bareItems: {
    content: "one two",
    calls: [call("c1", "shell", "{}")],
    usages: [{ prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }],
    finish: "tool_calls",
  },
  onlyCompleted: { content: "All at once.", calls: [call("call_a1", "get_weather", "{}")], finish: "tool_calls" },
  responseDone: { content: "Socket.", finish: "stop" },
  carriageReturns: { content: "ab", finish: "stop" },
};

/** The streams that fail, with what the caller got before, the status for one who got nothing, and the error. */
const FAILED: Record<string, { content: string; status: number; type: string; code: string; retryAfter?: number }> = {
  failed: { content: "", status: 429, type: "rate_limit_exceeded", code: "rate_limit_exceeded", retryAfter: 12 },
  failedMidway: { content: "Half an ", status: 502, type: "server_error", code: "server_error" },
  errorFlat: { content: "", status: 400, type: "invalid_request_error", code: "context_length_exceeded" },
  errorNested: { content: "", status: 429, type: "usage_limit_reached", code: "usage_limit_reached", retryAfter: 9300 },
  cut: { content: "Half an ", status: 502, type: "server_error", code: "upstream_disconnected" },
};

/** Every event that the backend, or OpenAI's Responses API, is known to send, by type. */
const EVENT_TYPES = `
  response.created response.in_progress response.queued response.completed response.incomplete response.failed response.done error
  response.output_item.added response.output_item.done response.content_part.added response.content_part.done
  response.output_text.delta response.output_text.done response.output_text.annotation.added response.refusal.delta response.refusal.done
  response.reasoning_summary_part.added response.reasoning_summary_part.done
  response.reasoning_summary_text.delta response.reasoning_summary_text.done response.reasoning_text.delta response.reasoning_text.done
  response.function_call_arguments.delta response.function_call_arguments.done
  response.custom_tool_call_input.delta response.custom_tool_call_input.done
  response.web_search_call.in_progress response.web_search_call.searching response.web_search_call.completed
  response.file_search_call.in_progress response.file_search_call.searching response.file_search_call.completed
  response.code_interpreter_call.in_progress response.code_interpreter_call.interpreting response.code_interpreter_call.completed
  response.code_interpreter_call_code.delta response.code_interpreter_call_code.done
  response.mcp_list_tools.in_progress response.mcp_list_tools.completed response.mcp_list_tools.failed
  response.mcp_call.in_progress response.mcp_call.completed response.mcp_call.failed
  response.mcp_call_arguments.delta response.mcp_call_arguments.done
  response.shell_call_command.added response.shell_call_command.delta response.shell_call_command.done
  response.shell_call_output_content.delta response.shell_call_output_content.done
  response.apply_patch_call_operation_diff.delta response.apply_patch_call_operation_diff.done
  response.image_generation_call.in_progress response.image_generation_call.generating
  response.image_generation_call.partial_image response.image_generation_call.completed response.compaction.compacting
  response.metadata codex.response.metadata codex.rate_limits responsesapi.websocket_timing keepalive`
  .trim()
  .split(/\s+/);

describe("Codex answers as chat completions", () => {
  it("have a stream for every event of the backend, and every stream its expectation", () => {
    const streams = [...fixtureNames.map(fixture), ...recordedNames.map(recorded)];
    const all = streams.map((stream) => new TextDecoder().decode(stream)).join("");
    assert.deepEqual(
      EVENT_TYPES.filter((type) => !all.includes(`"type":"${type}"`)),
      [],
    );
    assert.deepEqual(fixtureNames.toSorted(), [...Object.keys(FINISHED), ...Object.keys(FAILED)].toSorted());
  });

  for (const [name, { finish, ...expected }] of Object.entries(FINISHED)) {
    it(`give of "${name}" all that it says, once, streamed and in one piece`, () => {
      const { text, progress } = streamed(fixture(name));
      const nothing = { content: "", refusal: "", reasoning: "", calls: [], annotations: [], images: [], errors: [] };
      const whole = { ...nothing, usages: [USAGE], finishReasons: [finish], ...expected };
      const { chunks, done } = readChunks(text);
      assert.deepEqual(assemble(text), whole);
      assert.deepEqual(assembledResult(completed(fixture(name))), whole);
      assert.equal(done, true);
      assert.equal(progress, name.startsWith("incomplete") ? "incomplete" : "complete");
      const chunkOf = chunks[0]!;
      assert.deepEqual(
        [chunkOf.id, chunkOf.object, chunkOf.created, chunkOf.model],
        ["chatcmpl-test", "chat.completion.chunk", 1_763_640_000, "gpt-5.5-high"],
      );
      assert.equal(chunkOf.choices?.[0]?.delta.role, "assistant");
      for (const chunk of chunks) {
        assert.deepEqual([chunk.id, chunk.object, chunk.created, chunk.model], Object.values(identity(chunkOf)));
        for (const choice of chunk.choices!) assert.deepEqual([choice.index, choice.logprobs], [0, null]);
      }
      for (const chunk of chunks.slice(1)) assert.equal(chunk.choices?.[0]?.delta.role, undefined);
    });
  }

  for (const [name, expected] of Object.entries(FAILED)) {
    it(`give of "${name}" what was said and an error, never an end`, () => {
      const { text, progress, failure, begun } = streamed(fixture(name));
      const whole = assemble(text);
      assert.equal(progress, "failed");
      assert.equal(begun, expected.content !== "");
      assert.equal(whole.content, expected.content);
      assert.deepEqual([whole.finishReasons, whole.usages, readChunks(text).done], [[], [], false]);
      assert.deepEqual(
        whole.errors.map(({ type, code }) => ({ type, code })),
        [{ type: expected.type, code: expected.code }],
      );
      assert.deepEqual([failure?.status, failure?.retryAfterSeconds], [expected.status, expected.retryAfter]);
      const completion = completed(fixture(name));
      assert.deepEqual(completion.failure, failure);
      assert.throws(() => completion.result(), /not come to its end/);
    });
  }

  it("carry usage only where it was asked for, and then `usage: null` in every other chunk", () => {
    const without = readChunks(streamed(fixture("text"), answerOptions({ includeUsage: false })).text);
    assert.deepEqual(
      without.chunks.filter((chunk) => "usage" in chunk || chunk.choices?.length === 0),
      [],
    );
    const { chunks } = readChunks(streamed(fixture("text")).text);
    assert.deepEqual(chunks.at(-1)?.choices, []);
    assert.deepEqual(
      chunks.slice(0, -1).map((chunk) => chunk.usage),
      chunks.slice(0, -1).map(() => null),
    );
  });

  it("say reasoning under both names that clients know", () => {
    const { chunks } = readChunks(streamed(fixture("reasoning")).text);
    const deltas = chunks.flatMap((chunk) => chunk.choices?.map(({ delta }) => delta) ?? []);
    const thoughts = deltas.filter((delta) => delta.reasoning_content !== undefined);
    assert.ok(thoughts.length > 2);
    for (const delta of thoughts) assert.equal(delta.reasoning, delta.reasoning_content);
  });

  it("hold the required fields of a completion, null where there is nothing to say", () => {
    const calls = completed(fixture("functionCall")).result() as { choices: [{ message: object; logprobs: null }] };
    assert.equal(calls.choices[0].logprobs, null);
    assert.deepEqual(
      { ...calls.choices[0].message, tool_calls: 0 },
      {
        role: "assistant",
        content: null,
        refusal: null,
        tool_calls: 0,
      },
    );
    const text = completed(fixture("text")).result() as { choices: [{ message: object }]; service_tier: string };
    assert.deepEqual(text.choices[0].message, { role: "assistant", content: 'Hello, "wörld" 🌍\n', refusal: null });
    assert.equal(text.service_tier, "default");
  });

  it("name the upstream's model where none is given", () => {
    const options = answerOptions({ model: undefined });
    assert.equal(readChunks(streamed(fixture("text"), options).text).chunks[0]?.model, "gpt-5.5");
    assert.equal(completed(fixture("text"), options).result()["model"], "gpt-5.5");
    assert.equal(completed(fixture("bareItems"), options).result()["model"], "unknown");
  });

  it("give tools the names that their caller knows", () => {
    const options = answerOptions({ toCaller: (name) => `long_${name}` });
    assert.equal(assemble(streamed(fixture("functionCall"), options).text).calls[0]?.name, "long_get_weather");
    assert.equal(assembledResult(completed(fixture("customToolCall"), options)).calls[0]?.name, "long_apply_patch");
  });
});

function identity({ id, object, created, model }: { id?: string; object?: string; created?: number; model?: string }) {
  return { id, object, created, model };
}
