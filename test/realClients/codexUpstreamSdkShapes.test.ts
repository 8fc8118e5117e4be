import assert from "node:assert/strict";
import type { ChatCompletionContentPart } from "openai/resources/chat/completions";
import { Opened } from "../node/relayRig.ts";
import { openaiClient, saying } from "./openaiSdk.ts";
import { type Patchbay, startPatchbay } from "./patchbay.ts";

const MODEL = "gpt-5.5";
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";
const LOOK = { name: "look", parameters: { type: "object", properties: { at: { type: "string" } } } };

/** What a caller has of an answer, however it asked. */
interface Got {
  readonly text: string;
  readonly refusal: string;
  readonly ending: string | null | undefined;
}

type Ask = (patchbay: Patchbay, prompt: string) => Promise<Got>;

const chatObject: Ask = async (patchbay, prompt) => {
  const { choices } = await openaiClient(patchbay).chat.completions.create({ model: MODEL, messages: saying(prompt) });
  return ofChat(choices[0]);
};

const chatStream: Ask = async (patchbay, prompt) => {
  const stream = openaiClient(patchbay).chat.completions.stream({ model: MODEL, messages: saying(prompt) });
  return ofChat((await stream.finalChatCompletion()).choices[0]);
};

const responsesObject: Ask = async (patchbay, prompt) =>
  ofResponse(await openaiClient(patchbay).responses.create({ model: MODEL, input: prompt }));

const responsesStream: Ask = async (patchbay, prompt) =>
  ofResponse(await openaiClient(patchbay).responses.stream({ model: MODEL, input: prompt }).finalResponse());

const WAYS = { chatObject, chatStream, responsesObject, responsesStream };

describe("OpenAI's SDK on our sign-in with ChatGPT, whatever the form of the backend's answer,", function () {
  this.timeout(15_000);
  const opened = new Opened();
  let patchbay: Patchbay;
  beforeEach(async () => {
    patchbay = await startPatchbay(opened, { signedIn: true });
  });
  afterEach(() => opened.closeAll());

  // The SDK's own helper for Responses streams wants every event of an item, and those pass as they come.
  const gathered = Object.keys(WAYS).filter((way) => way !== "responsesStream");
  for (const [directive, ways] of [
    ["[[no-deltas]]", gathered],
    ["[[no-ids]]", gathered],
    ["[[no-deltas]] [[no-ids]]", gathered],
    ["[[reasoning:9]] [[summaries:3]]", Object.keys(WAYS)],
    ["[[phases]]", Object.keys(WAYS)],
    ["[[search:cats]]", Object.keys(WAYS)],
    ["[[crlf]] [[comments]]", Object.keys(WAYS)],
  ] as const) {
    it(`has the same whole text in every way of asking (${directive})`, async () => {
      for (const way of ways) {
        const got = await WAYS[way as keyof typeof WAYS](patchbay, `[[say:ä whole answer 🙂]] ${directive}`);
        assert.match(
          got.text,
          /Hello from the Patchbay sandbox\. ä whole answer 🙂$/,
          `${way}: ${JSON.stringify(got)}`,
        );
        assert.deepEqual([way, got.refusal, got.ending], [way, "", way.startsWith("chat") ? "stop" : "completed"]);
      }
      await patchbay.assertMetered(ways.length);
    });
  }

  it("sees a refusal as one", async () => {
    for (const [way, ask] of Object.entries(WAYS)) {
      const got = await ask(patchbay, "[[refuse]]");
      assert.deepEqual([way, got.text], [way, ""]);
      assert.match(got.refusal, /It refuses/);
    }
  });

  it("sees that an answer is incomplete", async () => {
    const endings = { chatObject: "length", responsesObject: "incomplete", responsesStream: "incomplete" };
    for (const [way, ending] of Object.entries(endings)) {
      const got = await WAYS[way as keyof typeof WAYS](patchbay, "[[incomplete]]");
      assert.deepEqual([way, got.ending], [way, ending]);
      assert.notEqual(got.text, "");
    }
  });

  it("gets a generated picture, over chat as a data URL", async () => {
    const client = openaiClient(patchbay);
    const chat = await client.chat.completions.create({ model: MODEL, messages: saying("[[image]]") });
    const { images } = { ...chat.choices[0]?.message } as { images?: { image_url: { url: string } }[] };
    assert.match(images?.[0]?.image_url.url ?? "", /^data:image\/\w+;base64,/);
    const response = await client.responses.create({ model: MODEL, input: "[[image]]" });
    assert(response.output.some((item) => item.type === "image_generation_call" && item.result !== null));
  });

  it("finds the reasoning's summary under both names that clients read", async () => {
    const { choices } = await openaiClient(patchbay).chat.completions.create({
      model: MODEL,
      messages: saying("[[reasoning:9]] [[summaries:2]]"),
    });
    const message = { ...choices[0]?.message } as Record<string, unknown>;
    assert.equal(typeof message["reasoning_content"], "string");
    assert.notEqual(message["reasoning_content"], "");
    assert.equal(message["reasoning"], message["reasoning_content"]);
  });

  it("sends pictures and files, over chat and over responses", async () => {
    const client = openaiClient(patchbay);
    const parts: ChatCompletionContentPart[] = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: PIXEL, detail: "high" } },
    ];
    const chat = await client.chat.completions.create({ model: MODEL, messages: [{ role: "user", content: parts }] });
    assert.match(chat.choices[0]?.message.content ?? "", /Hello/);
    const response = await client.responses.create({
      model: MODEL,
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: "What is this?" },
            { type: "input_image", image_url: PIXEL, detail: "low" },
          ],
        },
      ],
    });
    assert.match(response.output_text, /Hello/);
    await patchbay.assertMetered(2);
  });

  it("chooses tools in every form", async () => {
    const client = openaiClient(patchbay);
    const messages = saying("Look.");
    const tools = [{ type: "function" as const, function: LOOK }];
    for (const choice of ["required", { type: "function", function: { name: "look" } }] as const) {
      const { choices } = await client.chat.completions.create({ model: MODEL, messages, tools, tool_choice: choice });
      const [call] = choices[0]?.message.tool_calls ?? [];
      assert(call?.type === "function" && call.function.name === "look");
      assert.equal(choices[0]?.finish_reason, "tool_calls");
    }
    const none = await client.chat.completions.create({ model: MODEL, messages, tools, tool_choice: "none" });
    assert.equal(none.choices[0]?.message.tool_calls, undefined);
  });

  it("calls legacy functions over several requests, streamed and not", async () => {
    const client = openaiClient(patchbay);
    const asked = {
      model: MODEL,
      messages: saying('[[tools:look {"at":"one"};look {"at":"two"}]]'),
      functions: [LOOK],
    };
    const whole = await client.chat.completions.create(asked);
    const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      const [choice] = choices;
      assert.deepEqual(choice?.message.function_call, { name: "look", arguments: '{"at":"one"}' });
      assert.deepEqual([choice.finish_reason, choice.message.tool_calls], ["function_call", undefined]);
    }
    const again = await client.chat.completions.create({
      ...asked,
      messages: [
        ...asked.messages,
        { role: "assistant", content: null, function_call: { name: "look", arguments: '{"at":"one"}' } },
        { role: "function", name: "look", content: "Nothing" },
      ],
    });
    assert.equal(again.choices[0]?.message.function_call?.arguments, '{"at":"two"}');
  });

  it("goes on with a history of the legacy functions", async () => {
    const { choices } = await openaiClient(patchbay).chat.completions.create({
      model: MODEL,
      messages: [
        ...saying("Look."),
        { role: "assistant", content: null, function_call: { name: "look", arguments: '{"at":"it"}' } },
        { role: "function", name: "look", content: "Nothing there" },
      ],
      functions: [LOOK],
    });
    assert.match(choices[0]?.message.content ?? "", /The tool answered: Nothing there/);
  });

  it("calls a custom tool over chat, and takes its result", async () => {
    const client = openaiClient(patchbay);
    const messages = saying("Work. [[tool:apply print one]]");
    const tools = [{ type: "custom" as const, custom: { name: "apply", description: "Runs it." } }];
    const { choices } = await client.chat.completions.create({ model: MODEL, messages, tools });
    const [call] = choices[0]?.message.tool_calls ?? [];
    assert(call?.type === "custom", JSON.stringify(choices));
    assert.deepEqual(call.custom, { name: "apply", input: "print one" });
    const answered = await client.chat.completions.create({
      model: MODEL,
      tools,
      messages: [
        ...messages,
        { role: "assistant", tool_calls: [call] },
        { role: "tool", tool_call_id: call.id, content: "one" },
      ],
    });
    assert.match(answered.choices[0]?.message.content ?? "", /The tool answered: one/);
    const turns = (await patchbay.served()).map((one) => one.codex?.continuity);
    assert.deepEqual(turns, ["first", "extended"]);
  });
});

function ofChat(
  choice: { message: { content: string | null; refusal: string | null }; finish_reason: string | null } | undefined,
): Got {
  return {
    text: choice?.message.content ?? "",
    refusal: choice?.message.refusal ?? "",
    ending: choice?.finish_reason,
  };
}

function ofResponse(response: {
  readonly status?: string;
  readonly output_text: string;
  readonly output: readonly object[];
}): Got {
  const parts = response.output.flatMap((item) =>
    "content" in item && Array.isArray(item.content) ? item.content : [],
  );
  const refusal = (parts as { type: string; refusal?: string }[]).map((part) => part.refusal ?? "").join("");
  return { text: response.output_text, refusal, ending: response.status };
}
