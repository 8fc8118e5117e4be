import assert from "node:assert/strict";
import { assertRefused, assistantItem, developerItem, inputOf, translate, userItem } from "./chatBodies.ts";

const IMAGE = "data:image/png;base64,AAAA";

function functionCall(id: string, name: string, text: string) {
  return { id, type: "function", function: { name, arguments: text } };
}

describe("chat messages", () => {
  it("become instructions as long as they are the system's, and developer messages later on", () => {
    const { instructions, input } = translate({
      messages: [
        { role: "system", content: "One." },
        {
          role: "developer",
          content: [
            { type: "text", text: "Two." },
            { type: "text", text: "Three." },
          ],
        },
        { role: "system", content: "" },
        { role: "user", content: "Hi" },
        { role: "system", content: "Four." },
        { role: "developer", content: "" },
      ],
    });
    assert.equal(instructions, "One.\n\nTwo.\n\nThree.");
    assert.deepEqual(input, [userItem("Hi"), developerItem("Four.")]);
  });

  it("leave no instructions where the system says nothing", () => {
    assert.equal(translate({}).instructions, undefined);
    assert.equal(
      translate({
        messages: [
          { role: "system", content: "" },
          { role: "user", content: "Hi" },
        ],
      }).instructions,
      undefined,
    );
  });

  it("leave something to answer where there are only the system's", () => {
    const { instructions, input } = translate({
      messages: [
        { role: "system", content: "One." },
        { role: "system", content: "Two." },
      ],
    });
    assert.equal(instructions, "One.");
    assert.deepEqual(input, [developerItem("Two.")]);
  });

  it("keep a user's text, images and files, without what the backend does not know", () => {
    assert.deepEqual(
      inputOf([
        {
          role: "user",
          name: "Ann",
          content: [
            { type: "text", text: "Look:", cache_control: { type: "ephemeral" } },
            { type: "image_url", image_url: { url: IMAGE, detail: "high" } },
            { type: "image_url", image_url: { url: IMAGE } },
            { type: "image_url", image_url: IMAGE },
            { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } },
            { type: "file", file: { file_id: "file-1" } },
          ],
        },
      ]),
      [
        {
          type: "message",
          role: "user",
          content: [
            { type: "input_text", text: "Look:" },
            { type: "input_image", image_url: IMAGE, detail: "high" },
            { type: "input_image", image_url: IMAGE },
            { type: "input_image", image_url: IMAGE },
            { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" },
            { type: "input_file", file_id: "file-1" },
          ],
        },
      ],
    );
  });

  it("are refused where content could only be lost", () => {
    const refused = (part: unknown, param: string) => {
      assertRefused({ messages: [{ role: "user", content: [part] }] }, `messages[0].content[0]${param}`);
    };
    refused({ type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }, "");
    refused({ type: "video_url", video_url: { url: "https://example.com" } }, ".type");
    refused({ type: "refusal", refusal: "No." }, ".type");
    refused("Hi", "");
    refused({ type: "text" }, ".text");
    refused({ type: "image_url", image_url: { url: "" } }, ".image_url.url");
    refused({ type: "image_url", image_url: 5 }, ".image_url");
    refused({ type: "file", file: { file_data: "AAAA" } }, ".file.file_data");
    refused({ type: "file", file: { filename: "a.pdf" } }, ".file");
    for (const content of [null, undefined, 5, [], {}]) {
      assertRefused({ messages: [{ role: "user", content }] }, "messages[0].content");
    }
    const image = { type: "image_url", image_url: IMAGE };
    assertRefused(
      {
        messages: [
          { role: "system", content: [image] },
          { role: "user", content: "Hi" },
        ],
      },
      "messages[0].content[0].type",
    );
    assertRefused({ messages: [{ role: "assistant", content: [image] }] }, "messages[0].content[0].type");
    assertRefused({ messages: [{ role: "assistant", content: "Hi", audio: { id: "audio_1" } }] }, "messages[0].audio");
  });

  it("keep what the assistant said and refused, but not its thoughts", () => {
    assert.deepEqual(
      inputOf([
        {
          role: "assistant",
          content: "One.",
          reasoning_content: "Hm.",
          reasoning: "Hm.",
          reasoning_details: [{}],
          audio: null,
        },
        { role: "assistant", content: null, refusal: "No." },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Hm." },
            { type: "text", text: "Two." },
            { type: "text", text: "" },
            { type: "refusal", refusal: "No." },
          ],
        },
      ]),
      [
        assistantItem("One."),
        { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
        {
          type: "message",
          role: "assistant",
          content: [
            { type: "output_text", text: "Two." },
            { type: "refusal", refusal: "No." },
          ],
        },
      ],
    );
    assert.deepEqual(translate({ messages: [{ role: "assistant", content: "One.", reasoning: "Hm." }] }).dropped, []);
  });

  it("make no message of an assistant that only calls", () => {
    for (const content of [null, "", [], [{ type: "text", text: "" }], undefined]) {
      const input = inputOf([{ role: "assistant", content, tool_calls: [functionCall("call_1", "bash", "{}")] }]);
      assert.deepEqual(input, [{ type: "function_call", call_id: "call_1", name: "bash", arguments: "{}" }]);
    }
  });

  it("are refused without an index that reads like a status", () => {
    const messages = Array.from({ length: 430 }, (_, index) => ({ role: "user", content: index === 429 ? 5 : "Hi" }));
    assertRefused({ messages }, "messages[].content");
  });
});
