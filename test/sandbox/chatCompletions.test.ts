import assert from "node:assert/strict";
import { chat, events, json, post, pretendUpstreams } from "./pretend.ts";

const PATH = "/openai/v1/chat/completions";
const TOOLS = [
  {
    type: "function",
    function: { name: "look", parameters: { type: "object", properties: { at: { type: "string" } } } },
  },
  { type: "function", function: { name: "go" } },
];

describe("sandbox chat completions", () => {
  it("says that it is the sandbox and reports one token per streamed piece", async () => {
    const sandbox = pretendUpstreams();
    const response = await post(sandbox, PATH, chat("Hi"));
    const body = await json(response);
    assert.equal(response.headers.get("x-patchbay-sandbox"), "1");
    assert.equal(body.system_fingerprint, "patchbay_sandbox");
    assert.match(body.choices[0].message.content, /^Hello from the Patchbay sandbox\./);
    assert.equal(body.usage.total_tokens, body.usage.prompt_tokens + body.usage.completion_tokens);
    assert.equal(sandbox.served[0]?.tokens?.output, body.usage.completion_tokens);
    assert.equal(sandbox.served[0]?.sentTokens, body.usage.completion_tokens);
  });

  it("answers the same request with the same bytes", async () => {
    const body = chat("Hi [[tokens:9]]", { stream: true });
    const [one, two] = [await post(pretendUpstreams(), PATH, body), await post(pretendUpstreams(), PATH, body)];
    assert.equal(await one.text(), await two.text());
  });

  it("sends usage only in an extra last chunk, and only when asked", async () => {
    const without = events(await (await post(pretendUpstreams(), PATH, chat("Hi", { stream: true }))).text());
    assert.ok(without.every((event) => event === "[DONE]" || !("usage" in event)));
    const asked = chat("Hi", { stream: true, stream_options: { include_usage: true } });
    const withUsage = events(await (await post(pretendUpstreams(), PATH, asked)).text());
    assert.equal(withUsage.at(-1), "[DONE]");
    assert.deepEqual(withUsage.at(-2).choices, []);
    assert.ok(withUsage.at(-2).usage.completion_tokens > 0);
    assert.ok(withUsage.slice(0, -2).every((event) => event.usage === null));
  });

  it("streams exactly as many tokens as the prompt wants, in every choice", async () => {
    const body = chat("[[tokens:12]]", { stream: true, n: 2, stream_options: { include_usage: true } });
    const all = events(await (await post(pretendUpstreams(), PATH, body)).text());
    for (const index of [0, 1]) {
      const pieces = all.filter((event) => event.choices?.[0]?.index === index && event.choices[0].delta.content);
      assert.equal(pieces.length, 12);
    }
    assert.equal(all.at(-2).usage.completion_tokens, 24);
  });

  it("calls a tool once, quotes its result, then goes on with the rest", async () => {
    const sandbox = pretendUpstreams();
    const prompt = '[[tools:look {"at":"a"};go]] [[tool:go {"to":1}]] [[say:done]]';
    const messages: unknown[] = [{ role: "user", content: [{ type: "text", text: prompt }] }];
    const first = await json(await post(sandbox, PATH, { model: "m", messages, tools: TOOLS }));
    const calls = first.choices[0].message.tool_calls;
    assert.equal(first.choices[0].finish_reason, "tool_calls");
    assert.deepEqual(
      calls.map((call: { function: unknown }) => call.function),
      [
        { name: "look", arguments: '{"at":"a"}' },
        { name: "go", arguments: "{}" },
      ],
    );
    messages.push(first.choices[0].message);
    for (const call of calls) messages.push({ role: "tool", tool_call_id: call.id, content: "seen" });
    const second = await json(await post(sandbox, PATH, { model: "m", messages, tools: TOOLS }));
    assert.equal(second.choices[0].message.tool_calls.length, 1);
    assert.notEqual(second.choices[0].message.tool_calls[0].id, calls[0].id);
    messages.push(second.choices[0].message, { role: "tool", content: "x".repeat(500) });
    const third = await json(await post(sandbox, PATH, { model: "m", messages, tools: TOOLS }));
    assert.match(third.choices[0].message.content, /done The tool answered: x{200}$/);
  });

  it("calls one at a time without parallel_tool_calls, and none with tool_choice none", async () => {
    const body = chat("[[tools:look;go]]", { tools: TOOLS });
    const single = await json(await post(pretendUpstreams(), PATH, { ...body, parallel_tool_calls: false }));
    assert.equal(single.choices[0].message.tool_calls.length, 1);
    const none = await json(await post(pretendUpstreams(), PATH, { ...body, tool_choice: "none" }));
    assert.equal(none.choices[0].message.tool_calls, undefined);
  });

  it("calls a required tool with an example that fits its schema", async () => {
    const body = chat("Hi", { tools: TOOLS, tool_choice: { type: "function", function: { name: "look" } } });
    const [call] = (await json(await post(pretendUpstreams(), PATH, body))).choices[0].message.tool_calls;
    assert.equal(typeof JSON.parse(call.function.arguments).at, "string");
  });

  it("streams a tool call's arguments in several chunks under one index", async () => {
    const body = chat('[[tool:look {"at":"the far end of the garden"}]]', { tools: TOOLS, stream: true });
    const all = events(await (await post(pretendUpstreams(), PATH, body)).text());
    const deltas = all.flatMap((event) => event.choices?.[0]?.delta.tool_calls ?? []);
    assert.ok(deltas.length > 3);
    assert.equal(deltas.map((delta) => delta.function.arguments).join(""), '{"at":"the far end of the garden"}');
  });

  it("calls legacy functions in their own form", async () => {
    const body = chat("[[tool:old]]", { functions: [{ name: "old", parameters: {} }] });
    const answer = await json(await post(pretendUpstreams(), PATH, body));
    assert.equal(answer.choices[0].finish_reason, "function_call");
    assert.equal(answer.choices[0].message.function_call.name, "old");
  });

  it("obeys scripted usage, tier, refusal, length and output limits", async () => {
    const prompt = "[[cached:100]][[cache-write:20]][[reasoning:5]][[tier:priority]][[tokens:3]]";
    const body = await json(await post(pretendUpstreams(), PATH, chat(prompt)));
    assert.equal(body.usage.prompt_tokens, 120);
    assert.deepEqual(
      [body.usage.prompt_tokens_details.cached_tokens, body.usage.prompt_tokens_details.cache_write_tokens],
      [100, 20],
    );
    assert.deepEqual([body.usage.completion_tokens, body.service_tier], [8, "priority"]);
    const refused = await json(await post(pretendUpstreams(), PATH, chat("[[refuse]]")));
    assert.equal(refused.choices[0].message.content, null);
    assert.ok(refused.choices[0].message.refusal);
    const short = await json(await post(pretendUpstreams(), PATH, chat("[[tokens:9]]", { max_tokens: 4 })));
    assert.deepEqual([short.choices[0].finish_reason, short.usage.completion_tokens], ["length", 4]);
    const bare = await json(await post(pretendUpstreams(), PATH, chat("[[no-usage]]")));
    assert.equal(bare.usage, undefined);
  });

  it("gives a scripted error its status, code and Retry-After, as often as the prompt says", async () => {
    const sandbox = pretendUpstreams();
    const body = chat("[[error:429 rate_limit_exceeded Slower]] [[retry-after:3]] [[only-first:1]]");
    const first = await post(sandbox, PATH, body);
    assert.equal(first.status, 429);
    assert.equal(first.headers.get("retry-after"), "3");
    assert.equal((await json(first)).error.code, "rate_limit_exceeded");
    assert.equal((await post(sandbox, PATH, body)).status, 200);
  });

  it("fails in the middle with an error event and a dead connection", async () => {
    const sandbox = pretendUpstreams();
    const response = await post(sandbox, PATH, chat("[[fail-after:2]]", { stream: true }));
    let text = "";
    await assert.rejects(async () => {
      for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
    });
    assert.ok(events(text).at(-1).error.message);
    assert.deepEqual([sandbox.served[0]?.outcome, sandbox.served[0]?.sentTokens], ["failed", 2]);
  });

  it("cuts the connection, or ends early without finish reason and [DONE]", async () => {
    const sandbox = pretendUpstreams();
    const cut = await post(sandbox, PATH, chat("[[cut-after:2]]", { stream: true }));
    await assert.rejects(cut.text());
    const early = await post(sandbox, PATH, chat("[[eof-after:2]]", { stream: true }));
    const all = events(await early.text());
    assert.ok(all.every((event) => event !== "[DONE]" && event.choices[0].finish_reason === null));
    assert.deepEqual(
      sandbox.served.map((served) => [served.outcome, served.usage, served.billed?.output]),
      [
        ["cut", null, 2],
        ["ended-early", null, 2],
      ],
    );
    await assert.rejects((await post(sandbox, PATH, chat("[[cut-after:2]]"))).json());
  });

  it("can end lines with CR LF, put comments between events and leave out [DONE]", async () => {
    const body = chat("[[crlf]][[comments]][[no-done]]", { stream: true });
    const text = await (await post(pretendUpstreams(), PATH, body)).text();
    assert.ok(!/[^\r]\n/.test(text));
    assert.match(text, /^: OPENROUTER PROCESSING\r$/m);
    assert.ok(!text.includes("[DONE]"));
  });

  it("follows the last prompt with a directive among the latest user messages, not those of earlier turns", async () => {
    const messages = [
      { role: "user", content: "[[say:earlier]]" },
      { role: "assistant", content: "ok" },
      { role: "user", content: "[[say:now]]" },
      { role: "user", content: "<environment_context>" },
    ];
    const body = await json(await post(pretendUpstreams(), PATH, { model: "m", messages }));
    assert.match(body.choices[0].message.content, /now/);
    const plain = [...messages, { role: "assistant", content: "ok" }, { role: "user", content: "thanks" }];
    const next = await json(await post(pretendUpstreams(), PATH, { model: "m", messages: plain }));
    assert.match(next.choices[0].message.content, /thanks/);
  });

  it("completes text prompts, several at once", async () => {
    const sandbox = pretendUpstreams();
    const body = { model: "m", prompt: ["[[tokens:3]]", "[[tokens:3]]"] };
    const whole = await json(await post(sandbox, "/openai/v1/completions", body));
    assert.deepEqual([whole.object, whole.choices.length, whole.usage.completion_tokens], ["text_completion", 2, 6]);
    const stream = await post(sandbox, "/openai/v1/completions", { ...body, stream: true });
    assert.equal(events(await stream.text()).at(-1), "[DONE]");
  });
});
