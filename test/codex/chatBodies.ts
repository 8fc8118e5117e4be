import assert from "node:assert/strict";
import * as fc from "fast-check";
import { type ChatTranslation, translateChatRequest } from "../../src/codex/chatRequest.ts";
import { ApiError } from "../../src/wire/errors.ts";
import type { JsonObject } from "../../src/wire/json.ts";

/** Translates a request that asks nothing but what is given. */
export function translate(fields: JsonObject): ChatTranslation {
  return translateChatRequest({ messages: [{ role: "user", content: "Hi" }], ...fields });
}

/** The input items of a history. */
export function inputOf(messages: readonly unknown[], fields: JsonObject = {}): readonly JsonObject[] {
  return translate({ ...fields, messages }).input;
}

/** Asserts that a request is refused for a field, in a sentence without digits that could read like a status. */
export function assertRefused(fields: JsonObject, param: string): void {
  assert.throws(
    () => translate(fields),
    (error: unknown) => {
      assert.ok(error instanceof ApiError, String(error));
      assert.equal(error.code, "invalid_request");
      assert.equal(error.param, param);
      assert.match(error.message, /^[^\d]+( 1: [^\d]+)?\.$/);
      return true;
    },
  );
}

/** A user message's item. */
export function userItem(text: string): JsonObject {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] };
}

/** An assistant message's item. */
export function assistantItem(text: string): JsonObject {
  return { type: "message", role: "assistant", content: [{ type: "output_text", text }] };
}

/** A developer message's item. */
export function developerItem(text: string): JsonObject {
  return { type: "message", role: "developer", content: [{ type: "input_text", text }] };
}

const text = fc.oneof(fc.string(), fc.constantFrom("", "json", '{"amount":1.50}'));
const toolName = fc.oneof(
  fc.constantFrom("bash", "edit", "mcp.read", "a".repeat(80), "a".repeat(81)),
  fc.string({ minLength: 1 }),
);
const callId = fc.oneof(fc.constantFrom("call_1", "call_2", "c".repeat(90)), fc.string({ minLength: 1 }));

const part = fc.oneof(
  fc.record({ type: fc.constant("text"), text }),
  fc.record({ type: fc.constant("image_url"), image_url: fc.constantFrom("data:,", { url: "data:,", detail: "low" }) }),
  fc.record({ type: fc.constant("file"), file: fc.constant({ filename: "a.pdf", file_data: "data:," }) }),
);
const userMessage = fc.record({
  role: fc.constant("user"),
  content: fc.oneof(text, fc.array(part, { minLength: 1, maxLength: 3 })),
});
const systemMessage = fc.record({ role: fc.constantFrom("system", "developer"), content: text });
const call = fc.oneof(
  fc.record({
    id: callId,
    type: fc.constant("function"),
    function: fc.record({ name: toolName, arguments: text }),
  }),
  fc.record({ id: callId, type: fc.constant("custom"), custom: fc.record({ name: toolName, input: text }) }),
);
const assistantMessage = fc.record(
  {
    role: fc.constant("assistant"),
    content: fc.option(text),
    tool_calls: fc.array(call, { maxLength: 3 }),
    function_call: fc.record({ name: toolName, arguments: text }),
    reasoning_content: text,
    refusal: fc.option(text),
  },
  { requiredKeys: ["role"] },
);
const resultMessage = fc.oneof(
  fc.record({ role: fc.constant("tool"), tool_call_id: callId, content: fc.oneof(text, fc.array(part)) }),
  fc.record({ role: fc.constant("function"), name: toolName, content: text }),
);

/** One turn: what the caller adds, and all that came between. It ends where the caller asks the backend to go on. */
const turn = fc
  .tuple(
    fc.array(fc.oneof(assistantMessage, resultMessage, systemMessage), { maxLength: 4 }),
    fc.oneof(userMessage, resultMessage),
  )
  .map(([between, last]) => [...between, last]);

/** The turns of a conversation, each a list of messages; the first one begins with system messages. */
export const turns = fc
  .tuple(fc.array(systemMessage, { maxLength: 2 }), fc.array(turn, { minLength: 1, maxLength: 4 }))
  .map(([system, [first = [], ...later]]) => [[...system, ...first], ...later]);

const tool = fc.oneof(
  fc.record({
    type: fc.constant("function"),
    function: fc.record(
      { name: toolName, description: text, parameters: fc.constantFrom({}, { type: "object" }), strict: fc.boolean() },
      { requiredKeys: ["name"] },
    ),
  }),
  fc.record({ type: fc.constant("custom"), custom: fc.record({ name: toolName }) }),
  fc.constant({ type: "web_search_preview" }),
);

/** The settings of valid requests, without their messages. */
export const settings = fc.record(
  {
    model: fc.string(),
    tools: fc.array(tool, { maxLength: 4 }),
    tool_choice: fc.oneof(
      fc.constantFrom("auto", "none", "required"),
      fc.record({ type: fc.constant("function"), function: fc.record({ name: toolName }) }),
    ),
    parallel_tool_calls: fc.boolean(),
    response_format: fc.constantFrom(
      { type: "text" },
      { type: "json_object" },
      { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } },
    ),
    verbosity: fc.constantFrom("low", "high"),
    stream: fc.boolean(),
    stream_options: fc.constant({ include_usage: true }),
    reasoning: fc.record({ effort: fc.string() }),
    prompt_cache_key: fc.string(),
    service_tier: fc.constantFrom("auto", "priority", "flex"),
    web_search_options: fc.constant({ user_location: { type: "approximate", approximate: { city: "Bern" } } }),
    temperature: fc.double(),
  },
  { requiredKeys: [] },
);

/** A valid request in which one value, anywhere, may be any JSON at all. */
export const damagedBody = fc
  .tuple(settings, turns, fc.nat(), fc.jsonValue())
  .map(([fields, list, place, value]): JsonObject => {
    const body: unknown = JSON.parse(JSON.stringify({ ...fields, messages: list.flat() }));
    const places: (() => void)[] = [];
    collectPlaces(body, value, places);
    places[place % places.length]?.();
    return body as JsonObject;
  });

function collectPlaces(node: unknown, value: unknown, places: (() => void)[]): void {
  if (typeof node !== "object" || node === null) return;
  const fields = node as Record<string, unknown>;
  for (const key of Object.keys(fields)) {
    places.push(() => {
      fields[key] = value;
    });
    collectPlaces(fields[key], value, places);
  }
}
