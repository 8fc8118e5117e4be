import assert from "node:assert/strict";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import type { ChatCompletionChunk, ChatCompletionTool } from "openai/resources/chat/completions";
import { z } from "zod";
import { Opened } from "../node/relayRig.ts";
import { openaiClient, saying } from "./openaiSdk.ts";
import { startPatchbay } from "./patchbay.ts";

const WEATHER: ChatCompletionTool = {
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

describe("OpenAI's SDK on chat completions", function () {
  this.timeout(15_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("gets an answer whose usage is the ledger's to the token", async () => {
    const patchbay = await startPatchbay(opened);
    const answer = await openaiClient(patchbay).chat.completions.create({
      model: "gpt-5.5",
      messages: saying("[[say:whole]] [[cached:64]] [[cache-write:16]] [[reasoning:9]]"),
    });
    assert.match(answer.choices[0]?.message.content ?? "", /whole/);
    const [row] = await patchbay.assertMetered(1);
    assert.equal(row?.tokens.output, answer.usage?.completion_tokens);
    assert.equal(row?.tokens.reasoning, 9);
    assert.deepEqual([row?.tokens.cachedInput, row?.tokens.cacheWrite], [64, 16]);
    assert.deepEqual([row?.endpoint, row?.ending, row?.client], ["chat", "complete", "OpenAI"]);
  });

  it("streams, and gets the usage chunk that it asked for", async () => {
    const patchbay = await startPatchbay(opened);
    const stream = openaiClient(patchbay).chat.completions.stream({
      model: "gpt-5.5",
      messages: saying("[[say:streamed]] [[comments]] [[crlf]]"),
      stream_options: { include_usage: true },
    });
    const completion = await stream.finalChatCompletion();
    assert.match(completion.choices[0]?.message.content ?? "", /streamed/);
    const [row] = await patchbay.assertMetered(1);
    assert.equal(row?.tokens.output, completion.usage?.completion_tokens);
  });

  it("streams without a usage chunk when it asked for none", async () => {
    const patchbay = await startPatchbay(opened);
    const chunks = await chunksOf(
      await openaiClient(patchbay).chat.completions.create({
        model: "gpt-5.5",
        messages: saying("hello"),
        stream: true,
      }),
    );
    assert(chunks.every((chunk) => chunk.usage === undefined || chunk.usage === null));
    assert.equal((await patchbay.row()).usageSource, "estimated");
  });

  it("is metered to the token on a key with a quota though it asked for no usage, and sees none", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--quota-tokens", "100000"] });
    const chunks = await chunksOf(
      await openaiClient(patchbay).chat.completions.create({
        model: "gpt-5.5",
        messages: saying("hello [[cached:32]]"),
        stream: true,
      }),
    );
    assert(chunks.every((chunk) => !("usage" in chunk) && chunk.choices.length > 0));
    const [row] = await patchbay.assertMetered(1);
    assert.equal(row?.usageSource, "reported");
  });

  it("puts streamed tool calls together, in parallel too", async () => {
    const patchbay = await startPatchbay(opened);
    const stream = openaiClient(patchbay).chat.completions.stream({
      model: "gpt-5.5",
      messages: saying(`[[tools:weather {"city":"Oslo"};weather {"city":"Lima"}]]`),
      tools: [WEATHER],
      stream_options: { include_usage: true },
    });
    const { choices } = await stream.finalChatCompletion();
    assert.equal(choices[0]?.finish_reason, "tool_calls");
    assert.deepEqual(
      choices[0]?.message.tool_calls?.map((call) => ("function" in call ? call.function.arguments : "")),
      ['{"city":"Oslo"}', '{"city":"Lima"}'],
    );
    await patchbay.assertMetered(1);
  });

  it("runs tools over several requests, each with a row of its own", async () => {
    const patchbay = await startPatchbay(opened);
    const cities: string[] = [];
    const runner = openaiClient(patchbay).chat.completions.runTools({
      model: "gpt-5.5",
      messages: saying(`[[tool:weather {"city":"Oslo"}]] [[tool:weather {"city":"Lima"}]]`),
      tools: [
        zodFunction({
          name: "weather",
          parameters: z.object({ city: z.string() }),
          function: ({ city }) => {
            cities.push(city);
            return `Rain in ${city}`;
          },
        }),
      ],
    });
    assert.match((await runner.finalContent()) ?? "", /Rain in Lima/);
    assert.deepEqual(cities, ["Oslo", "Lima"]);
    await patchbay.assertMetered(3);
  });

  it("parses an answer by its schema", async () => {
    const patchbay = await startPatchbay(opened);
    const schema = z.object({ title: z.string(), size: z.enum(["small", "large"]), tags: z.array(z.string()) });
    const completion = await openaiClient(patchbay).chat.completions.parse({
      model: "gpt-5.5",
      messages: saying("a parcel"),
      response_format: zodResponseFormat(schema, "parcel"),
    });
    assert(schema.safeParse(completion.choices[0]?.message.parsed).success);
    await patchbay.assertMetered(1);
  });

  it("asks OpenRouter for an id with a slash, and the row bears the cost that OpenRouter charged", async () => {
    const patchbay = await startPatchbay(opened);
    const answer = await openaiClient(patchbay).chat.completions.create({
      model: "x-ai/grok-code-fast-1",
      messages: saying("hello"),
    });
    assert.match(answer.choices[0]?.message.content ?? "", /sandbox/);
    const [row] = await patchbay.assertMetered(1);
    const [served] = await patchbay.served();
    assert.deepEqual([row?.upstream, row?.costSource, row?.costMicros], ["openrouter", "upstream", served?.costMicros]);
  });

  it("is not disturbed by what bridges a silence", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--keep-alive", "50ms"] });
    const chunks = await chunksOf(
      await openaiClient(patchbay).chat.completions.create({
        model: "gpt-5.5",
        messages: saying("[[tokens:2]] [[delay:300]]"),
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), "Hello from");
    await patchbay.assertMetered(1);
  });

  it("that leaves in the middle stops the upstream at once, and the row says so", async () => {
    const patchbay = await startPatchbay(opened);
    const leaving = new AbortController();
    const stream = await openaiClient(patchbay).chat.completions.create(
      { model: "gpt-5.5", messages: saying("[[tokens:5000]] [[delay:5]]"), stream: true },
      { signal: leaving.signal },
    );
    let leftAt = 0;
    try {
      for await (const chunk of stream) {
        if (leftAt !== 0 || !chunk.choices[0]?.delta.content) continue;
        leftAt = Date.now();
        leaving.abort();
      }
    } catch (error) {
      assert.match(String(error), /abort/i);
    }
    const row = await patchbay.row();
    assert.deepEqual([row.ending, row.usageSource], ["client_left", "estimated"]);
    const served = await patchbay.servedWhen((one) => one.outcome !== "open");
    assert.equal(served.outcome, "left");
    const latency = (served.endedAt ?? Infinity) - leftAt;
    assert(latency < 500, `the upstream heard of it after ${latency} ms`);
    assert(row.tokens.output > 0 && row.tokens.output <= served.sentTokens);
  });
});

async function chunksOf(stream: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> {
  const chunks: ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}
