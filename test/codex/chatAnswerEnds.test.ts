import assert from "node:assert/strict";
import { createChatByteStream } from "../../src/codex/chatByteStream.ts";
import { createChatCompletion } from "../../src/codex/chatCompletion.ts";
import { createChatStream } from "../../src/codex/chatStream.ts";
import { BROKEN_OFF } from "../../src/codex/codexFailure.ts";
import { answerOptions, assemble, completed, fixture, readChunks, sse, streamed } from "./answerRig.ts";

const delta = (text: string) => ({ type: "response.output_text.delta", item_id: "m", output_index: 0, delta: text });
const end = (usage: object | null) => ({ type: "response.completed", response: { output: [], usage } });
const COUNTED = { input_tokens: 3, output_tokens: 2 };

describe("the end of a chat answer", () => {
  it("comes with the final event: nothing behind it is read, and no silence is waited for", () => {
    const stream = createChatByteStream(answerOptions());
    const late = { type: "error", message: "late" };
    const text = new TextDecoder().decode(stream.push(sse([delta("a"), end(COUNTED), delta("b"), late])));
    assert.equal(readChunks(text).done, true);
    assert.equal(assemble(text).content, "a");
    const behind = [stream.push(sse([delta("c"), end(COUNTED)])), stream.finish(), stream.cut(BROKEN_OFF)];
    assert.deepEqual(
      behind.map((bytes) => bytes.length),
      [0, 0, 0],
    );
    assert.equal(stream.progress, "complete");
  });

  it("leaves an early failure to become an HTTP status: nothing has begun before the first word", () => {
    const stream = createChatStream(answerOptions());
    assert.equal(stream.push({ type: "response.created", response: { model: "gpt-5.5" } }), "");
    assert.equal(stream.begun, false);
    assert.equal(stream.push(delta("")), "");
    assert.equal(stream.begun, false);
    stream.push(delta("a"));
    assert.equal(stream.begun, true);
  });

  it("tells of a cut once", () => {
    const stream = createChatStream(answerOptions());
    stream.push(delta("a"));
    assert.equal(assemble(stream.cut(BROKEN_OFF)).errors[0]?.code, "upstream_disconnected");
    assert.equal(stream.cut(BROKEN_OFF), "");
  });

  it("is a failure where nothing was said and nothing counted, and an empty answer where output was counted", () => {
    for (const usage of [null, { input_tokens: 0, output_tokens: 0 }]) {
      const { failure, text } = streamed(sse([end(usage)]));
      assert.equal(failure?.code, "upstream_empty_answer");
      assert.deepEqual(assemble(text).finishReasons, []);
    }
    const { choices } = completed(sse([end(COUNTED)])).result() as { choices: [{ message: object }] };
    assert.deepEqual(choices[0].message, { role: "assistant", content: "", refusal: null });
    assert.deepEqual(assemble(streamed(sse([end(COUNTED)])).text).finishReasons, ["stop"]);
  });

  it("leaves usage out where the upstream reported none", () => {
    const { text } = streamed(sse([delta("a"), end(null)]));
    assert.deepEqual([assemble(text).usages, readChunks(text).done], [[], true]);
    assert.equal("usage" in completed(sse([delta("a"), end(null)])).result(), false);
  });

  it("is a failure where the answer is larger than is held for one", () => {
    const completion = createChatCompletion(answerOptions(), 10);
    for (const text of ["12345", "67890"]) completion.push(delta(text));
    assert.equal(completion.progress, "open");
    completion.push(delta("x"));
    completion.push(end(COUNTED));
    assert.equal(completion.failure?.code, "upstream_answer_too_large");
    assert.throws(() => completion.result());
    const whole = createChatCompletion(answerOptions(), 10);
    const content = [{ type: "output_text", text: "x".repeat(11) }];
    whole.push({ type: "response.completed", response: { output: [{ type: "message", content }], usage: COUNTED } });
    assert.equal(whole.progress, "failed");
  });

  it("is a failure where there are more calls than any answer has", () => {
    const stream = createChatStream(answerOptions());
    for (let index = 0; index <= 10_000 && stream.progress === "open"; index += 1)
      stream.push({ type: "response.output_item.added", item: { type: "function_call", call_id: `c${index}` } });
    assert.equal(stream.failure?.code, "upstream_answer_too_large");
  });

  it("holds an answer's whole text, however many pieces it came in", () => {
    const pieces = Array.from({ length: 5000 }, (_, index) => `piece ${index} of a long answer. `);
    const { choices } = completed(sse([...pieces.map(delta), end(COUNTED)])).result() as {
      choices: [{ message: { content: string } }];
    };
    assert.equal(choices[0].message.content, pieces.join(""));
  });

  it("counts no usage of a stream that was cut", () => {
    assert.deepEqual(assemble(streamed(fixture("cut")).text).usages, []);
  });
});
