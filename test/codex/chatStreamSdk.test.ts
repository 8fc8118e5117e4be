import assert from "node:assert/strict";
import OpenAI, { APIError } from "openai";
import type { ChatCompletionStreamParams } from "openai/lib/ChatCompletionStream";
import { answerOptions, fixture, streamed } from "./answerRig.ts";

/** OpenAI's SDK whose every request is answered with this text. */
function clientOf(text: string): OpenAI {
  return new OpenAI({
    apiKey: "unused",
    baseURL: "http://127.0.0.1:9/v1",
    maxRetries: 0,
    organization: null,
    project: null,
    fetch: async () => new Response(text, { headers: { "content-type": "text/event-stream" } }),
  });
}

function stream(name: string, params: Partial<ChatCompletionStreamParams> = {}) {
  const { text } = streamed(fixture(name), answerOptions());
  return clientOf(text).chat.completions.stream({
    model: "gpt-5.5-high",
    messages: [{ role: "user", content: "hello" }],
    stream_options: { include_usage: true },
    ...params,
  });
}

describe("OpenAI's SDK on a translated stream", () => {
  it("reads the text, the usage and the end", async () => {
    const deltas: string[] = [];
    const completion = await stream("text")
      .on("content", (delta) => deltas.push(delta))
      .finalChatCompletion();
    const { choices, usage, model } = completion;
    assert.equal(choices[0]?.message.content, 'Hello, "wörld" 🌍\n');
    assert.equal(deltas.join(""), 'Hello, "wörld" 🌍\n');
    assert.equal(choices[0]?.finish_reason, "stop");
    assert.equal(model, "gpt-5.5-high");
    assert.deepEqual([usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens], [120, 25, 145]);
    assert.equal(usage?.prompt_tokens_details?.cached_tokens, 64);
    assert.equal(usage?.completion_tokens_details?.reasoning_tokens, 10);
  });

  it("puts parallel calls together", async () => {
    const { choices } = await stream("parallelCalls").finalChatCompletion();
    assert.equal(choices[0]?.finish_reason, "tool_calls");
    assert.deepEqual(
      choices[0]?.message.tool_calls?.map((call) => call.type === "function" && [call.id, call.function]),
      [
        ["call_a1", { name: "first", arguments: '{"a":1}' }],
        ["call_b2", { name: "second", arguments: '{"b":2}' }],
      ],
    );
  });

  it("reads a refusal, and no content besides it", async () => {
    const { choices } = await stream("refusal").finalChatCompletion();
    assert.equal(choices[0]?.message.refusal, "I can't help with that.");
    assert.equal(choices[0]?.message.content, null);
  });

  it("reads an answer that was cut at the token limit", async () => {
    const { choices } = await stream("incompleteTokens").finalChatCompletion();
    assert.equal(choices[0]?.finish_reason, "length");
  });

  for (const [name, code] of [
    ["failed", "rate_limit_exceeded"],
    ["failedMidway", "server_error"],
    ["errorFlat", "context_length_exceeded"],
    ["errorNested", "usage_limit_reached"],
    ["cut", "upstream_disconnected"],
  ] as const) {
    it(`throws where "${name}" ends`, async () => {
      await assert.rejects(stream(name).finalChatCompletion(), (error) => {
        const cause = error instanceof APIError ? error : (error as Error).cause;
        assert.ok(cause instanceof APIError);
        assert.equal(cause.code, code);
        return true;
      });
    });
  }

  it("reads the chunks of a custom call in OpenAI's own shape", async () => {
    const { text } = streamed(fixture("customToolCall"), answerOptions());
    const chunks = await clientOf(text).chat.completions.create({ model: "m", messages: [], stream: true });
    let input = "";
    let name: unknown;
    for await (const chunk of chunks) {
      const call = chunk.choices[0]?.delta.tool_calls?.[0] as
        | { custom?: { name?: string; input?: string }; type?: string }
        | undefined;
      name ??= call?.custom?.name;
      input += call?.custom?.input ?? "";
    }
    assert.deepEqual([name, input], ["apply_patch", "*** Begin Patch\n*** End Patch"]);
  });
});
