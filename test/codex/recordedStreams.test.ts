import assert from "node:assert/strict";
import { createEventReader } from "../../src/codex/eventReader.ts";
import { createResponsesStream } from "../../src/codex/responsesStream.ts";
import { joinBytes } from "../../src/wire/joinBytes.ts";
import type { JsonObject } from "../../src/wire/json.ts";
import {
  assemble,
  assembledResult,
  completed,
  cut,
  readChunks,
  recorded,
  recordedNames,
  streamed,
} from "./answerRig.ts";

const FAILED = "failed";
const SIZES = [[1], [7, 190, 2], [64], [65_536]];

function eventsOf(bytes: Uint8Array): JsonObject[] {
  const events: JsonObject[] = [];
  const reader = createEventReader((event) => events.push(event));
  reader.push(bytes);
  reader.finish();
  return events;
}

interface Item {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** What the final event itself says of the answer. */
function outputOf(bytes: Uint8Array): readonly Item[] {
  const response = eventsOf(bytes).at(-1)?.["response"] as { readonly output: readonly Item[] } | undefined;
  return response?.output ?? [];
}

function textOf(items: readonly Item[], type: string, parts: string): string[] {
  return items
    .filter((item) => item.type === type)
    .map((item) =>
      (item[parts] as readonly { text: string }[]).map(({ text }) => text).join(parts === "summary" ? "\n\n" : ""),
    );
}

describe("A stream that OpenAI's Responses API was recorded with", () => {
  for (const name of recordedNames.filter((one) => one !== FAILED)) {
    it(`("${name}") becomes chat chunks that say what its final event says, however it is cut`, () => {
      const bytes = recorded(name);
      const output = outputOf(bytes);
      const { text, progress } = streamed(bytes);
      const whole = assemble(text);
      assert.equal(progress, "complete");
      assert.equal(whole.content, textOf(output, "message", "content").join(""));
      assert.equal(
        whole.reasoning,
        textOf(output, "reasoning", "summary")
          .filter((part) => part !== "")
          .join("\n\n"),
      );
      const calls = output.filter(({ type }) => type === "function_call" || type === "custom_tool_call");
      assert.deepEqual(
        whole.calls.map(({ id, name: called, input }) => ({ id, called, input })),
        calls.map((call) => ({ id: call["call_id"], called: call["name"], input: call["arguments"] ?? call["input"] })),
      );
      assert.equal(whole.images.length, output.filter(({ type }) => type === "image_generation_call").length);
      assert.deepEqual(whole.finishReasons, [calls.length > 0 ? "tool_calls" : "stop"]);
      assert.equal(whole.usages.length, 1);
      assert.equal(readChunks(text).done, true);
      assert.deepEqual(assembledResult(completed(bytes)), whole);
      for (const sizes of SIZES) assert.equal(streamed(bytes, undefined, sizes).text, text);
    });

    it(`("${name}") passes to Responses callers as it came, and whole where its final event lists nothing`, () => {
      const bytes = recorded(name);
      const output = outputOf(bytes);
      const text = new TextDecoder().decode(bytes);
      const final = text.lastIndexOf("data: ");
      const event = JSON.parse(text.slice(final + 6)) as { readonly response: object };
      const emptied = { ...event, response: { ...event.response, output: [] } };
      const barren = new TextEncoder().encode(`${text.slice(0, final)}data: ${JSON.stringify(emptied)}\n\n`);
      for (const sizes of SIZES) {
        assert.deepEqual(passed(bytes, sizes), { bytes: text, output });
        const filled = passed(barren, sizes);
        assert.equal(filled.bytes.slice(0, final), text.slice(0, final));
        assert.deepEqual(withoutIds(filled.output), withoutIds(output));
      }
    });
  }

  it("fails where it failed", () => {
    const { failure, text } = streamed(recorded(FAILED));
    assert.equal(assemble(text).errors.length, 1);
    assert.equal(readChunks(text).done, false);
    assert.ok(failure !== undefined && failure.status >= 400);
  });
});

function passed(
  bytes: Uint8Array,
  sizes: readonly number[],
): { readonly bytes: string; readonly output: readonly Item[] } {
  const responses = createResponsesStream();
  const pieces = cut(bytes, sizes).map((piece) => responses.push(piece) ?? piece);
  const response = responses.terminal?.["response"] as { readonly output: readonly Item[] };
  return { bytes: new TextDecoder().decode(joinBytes([...pieces, responses.rest()])), output: response.output };
}

/** GitHub's gateway gives an item another id in each event. */
function withoutIds(items: readonly Item[]): object[] {
  return items.map(({ id: _id, ...rest }) => rest);
}
