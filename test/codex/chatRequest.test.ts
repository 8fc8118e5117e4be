import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { pairCalls } from "../../src/codex/callPairing.ts";
import { translateChatRequest } from "../../src/codex/chatRequest.ts";
import { ApiError } from "../../src/wire/errors.ts";
import type { JsonObject } from "../../src/wire/json.ts";
import { assertRefused, damagedBody, settings, translate, turns, userItem } from "./chatBodies.ts";

function recorded(name: string): JsonObject {
  return JSON.parse(readFileSync(new URL(`../fixtures/opencode/${name}.json`, import.meta.url), "utf8"));
}

const REST_KEYS = ["tools", "tool_choice", "parallel_tool_calls", "text", "prompt_cache_key", "service_tier"];

describe("the translation of a chat request", () => {
  it("is made of what the backend takes, for what opencode sends", () => {
    const first = translateChatRequest(recorded("chatTurn"));
    const second = translateChatRequest(recorded("chatTurnWithResult"));
    assert.equal(second.model, "x-ai/grok-code-fast-1");
    assert.equal(second.stream, true);
    assert.equal(second.includeUsage, true);
    assert.equal(second.instructions, "You are a coding agent.");
    assert.deepEqual(second.dropped, ["max_tokens"]);
    assert.deepEqual(second.input, [
      userItem("Hi"),
      {
        type: "function_call",
        call_id: "call_1",
        name: "bash",
        arguments: '{"command":"echo hi","description":"say hi"}',
      },
      { type: "function_call_output", call_id: "call_1", output: "hi\n" },
    ]);
    assert.deepEqual(first.input, second.input.slice(0, 1));
    assert.equal(JSON.stringify(first.rest), JSON.stringify(second.rest));
    assert.deepEqual(Object.keys(second.rest), ["tools", "tool_choice"]);
    assert.deepEqual(
      (second.rest["tools"] as JsonObject[]).map((tool) => [tool["type"], tool["name"], tool["strict"]]),
      [
        ["function", "bash", false],
        ["function", "edit", false],
        ["function", "glob", false],
      ],
    );
  });

  it("names what it leaves out, sorted and without values", () => {
    assert.deepEqual(translateChatRequest(recorded("chatTurnForOpenrouter")).dropped, [
      "max_tokens",
      "reasoningEffort",
      "usage",
    ]);
    const { dropped } = translate({
      top_p: 0.5,
      temperature: 0,
      stop: ["secret"],
      logit_bias: { 50256: -100 },
      store: true,
      safety_identifier: "someone",
      reasoning: { effort: "low", max_tokens: 5 },
      service_tier: "flex",
      parallel_tool_calls: false,
      tool_choice: "required",
      "a\nline": 1,
      messages: [{ role: "user", name: "Ann", content: "Hi" }],
    });
    assert.deepEqual(dropped, [
      "(other)",
      "logit_bias",
      "messages[].name",
      "parallel_tool_calls",
      "reasoning.max_tokens",
      "safety_identifier",
      "service_tier",
      "stop",
      "store",
      "temperature",
      "tool_choice",
      "top_p",
    ]);
  });

  it("does not name fields that are null, empty or say what goes without saying", () => {
    const { dropped, rest } = translate({
      n: 1,
      temperature: 1,
      top_p: 1,
      frequency_penalty: 0,
      presence_penalty: 0,
      store: false,
      stop: [],
      metadata: {},
      seed: null,
      max_tokens: null,
      logprobs: false,
      top_logprobs: 0,
      modalities: ["text"],
      audio: null,
      tools: [],
      tool_choice: "auto",
      parallel_tool_calls: true,
      response_format: { type: "text" },
      service_tier: "auto",
      user: "someone",
    });
    assert.deepEqual(dropped, []);
    assert.deepEqual(rest, {});
  });

  it("refuses what it could only half do", () => {
    assertRefused({ n: 2 }, "n");
    assertRefused({ n: "1" }, "n");
    assertRefused({ audio: { voice: "alloy" } }, "audio");
    assertRefused({ modalities: ["text", "audio"] }, "modalities");
    assertRefused({ logprobs: true }, "logprobs");
  });

  it("refuses messages that are none", () => {
    for (const messages of [undefined, null, "Hi", {}, []]) assertRefused({ messages }, "messages");
    assertRefused({ messages: [{ role: "assistant", content: "" }] }, "messages");
    assertRefused({ messages: [{ role: "system", content: "" }] }, "messages");
    assertRefused({ messages: ["Hi"] }, "messages[0]");
    assertRefused({ messages: [{ content: "Hi" }] }, "messages[0].role");
    assertRefused({ messages: [{ role: "robot", content: "Hi" }] }, "messages[0].role");
  });

  it("refuses wrong types by name", () => {
    assertRefused({ model: 5 }, "model");
    assertRefused({ stream: "yes" }, "stream");
    assertRefused({ stream_options: true }, "stream_options");
    assertRefused({ stream_options: { include_usage: 1 } }, "stream_options.include_usage");
    assertRefused({ user: 7 }, "user");
    assertRefused({ verbosity: 1 }, "verbosity");
    assertRefused({ prompt_cache_key: {} }, "prompt_cache_key");
    assertRefused({ service_tier: 1 }, "service_tier");
    assertRefused({ parallel_tool_calls: "no" }, "parallel_tool_calls");
    assertRefused({ reasoning_effort: 3 }, "reasoning_effort");
    assertRefused({ reasoning: "high" }, "reasoning");
    assertRefused({ logprobs: 1 }, "logprobs");
  });

  it("takes the effort from either field and leaves its spelling alone", () => {
    assert.equal(translate({ reasoning_effort: "xHigh", reasoning: { effort: "low" } }).effort, "xHigh");
    assert.equal(translate({ reasoning: { effort: "low" } }).effort, "low");
    assert.equal(translate({ reasoning_effort: null, reasoning: {} }).effort, undefined);
  });

  it("keeps the user as a hint, never in what goes upstream", () => {
    const { user, rest, input } = translate({ user: "session-7" });
    assert.equal(user, "session-7");
    assert.ok(!JSON.stringify([rest, input]).includes("session-7"));
  });

  it("passes on the priority tier and no other", () => {
    assert.deepEqual(translate({ service_tier: "priority" }).rest, { service_tier: "priority" });
    assert.deepEqual(translate({ service_tier: "flex" }).rest, {});
  });

  it("shortens a prompt cache key that is too long, always to the same", () => {
    assert.deepEqual(translate({ prompt_cache_key: "k".repeat(64) }).rest, { prompt_cache_key: "k".repeat(64) });
    const key = translate({ prompt_cache_key: "k".repeat(65) }).rest["prompt_cache_key"];
    assert.match(String(key), /^[\da-z]{14}$/);
    assert.equal(translate({ prompt_cache_key: "k".repeat(65) }).rest["prompt_cache_key"], key);
    assert.notEqual(translate({ prompt_cache_key: "k".repeat(66) }).rest["prompt_cache_key"], key);
  });

  it("keeps its keys in one order", () => {
    const { rest } = translate({
      service_tier: "priority",
      verbosity: "low",
      prompt_cache_key: "k",
      parallel_tool_calls: false,
      tool_choice: "auto",
      tools: [{ type: "web_search" }],
    });
    assert.deepEqual(Object.keys(rest), REST_KEYS);
  });

  it("is a translation or a refusal for any JSON", () => {
    const outcome = (body: JsonObject) => {
      try {
        const { input, rest } = translateChatRequest(body);
        assert.ok(Object.keys(rest).every((key) => REST_KEYS.includes(key)));
        assert.ok(input.length > 0);
        pairCalls(input);
        return "translated";
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        assert.notEqual(error.param, null);
        return "refused";
      }
    };
    const seen = new Set<string>();
    const any = fc.oneof(damagedBody, fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(any, (body) => {
        seen.add(outcome(body));
      }),
      { numRuns: 1000 },
    );
    assert.deepEqual([...seen].sort(), ["refused", "translated"]);
  });

  it("extends the translation of the turn before and changes nothing in it", () => {
    fc.assert(
      fc.property(settings, turns, (fields, list) => {
        const translations = list.map((_, index) =>
          translateChatRequest({ ...fields, messages: list.slice(0, index + 1).flat() }),
        );
        for (const [index, later] of translations.entries()) {
          const earlier = translations[index - 1] ?? later;
          assert.equal(later.instructions, earlier.instructions);
          assert.equal(JSON.stringify(later.rest), JSON.stringify(earlier.rest));
          assert.equal(JSON.stringify(later.input.slice(0, earlier.input.length)), JSON.stringify(earlier.input));
        }
      }),
      { numRuns: 500 },
    );
  });
});
