import assert from "node:assert/strict";
import OpenAI, {
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { pretendUpstreams } from "./pretend.ts";

function client(sandbox: Sandbox, apiKey = "sk-test"): OpenAI {
  return new OpenAI({
    apiKey,
    baseURL: "http://sandbox/openai/v1",
    fetch: sandbox.fetch,
    maxRetries: 0,
  });
}

const Answer = z.object({
  title: z.string(),
  size: z.enum(["small", "large"]),
  tags: z.array(z.string()),
  parent: z.nullable(z.object({ id: z.number().int() })),
});

describe("sandbox with the OpenAI SDK", () => {
  it("streams a chat completion with usage", async () => {
    const sandbox = pretendUpstreams();
    const stream = client(sandbox).chat.completions.stream({
      model: "gpt-5.5",
      messages: [{ role: "user", content: "[[say:streamed]]" }],
      stream_options: { include_usage: true },
    });
    const completion = await stream.finalChatCompletion();
    assert.match(completion.choices[0]?.message.content ?? "", /streamed/);
    assert.equal(completion.usage?.completion_tokens, sandbox.served[0]?.tokens?.output);
  });

  it("runs tools until the answer is there", async () => {
    const asked: string[] = [];
    const runner = client(pretendUpstreams()).chat.completions.runTools({
      model: "gpt-5.5",
      stream: true,
      messages: [{ role: "user", content: '[[tool:weather {"city":"Bern"}]]' }],
      tools: [
        {
          type: "function",
          function: {
            name: "weather",
            description: "Tells the weather",
            parameters: { type: "object", properties: { city: { type: "string" } } },
            parse: JSON.parse,
            function: (input: { city: string }) => {
              asked.push(input.city);
              return "sunny";
            },
          },
        },
      ],
    });
    assert.match((await runner.finalContent()) ?? "", /The tool answered: sunny/);
    assert.deepEqual(asked, ["Bern"]);
  });

  it("parses structured outputs of chat and Responses", async () => {
    const openai = client(pretendUpstreams());
    const completion = await openai.chat.completions.parse({
      model: "gpt-5.5",
      messages: [{ role: "user", content: "Hi" }],
      response_format: zodResponseFormat(Answer, "answer"),
    });
    assert.doesNotThrow(() => Answer.parse(completion.choices[0]?.message.parsed));
    const response = await openai.responses.parse({
      model: "gpt-5.5",
      input: "Hi",
      text: { format: zodTextFormat(Answer, "answer") },
    });
    assert.doesNotThrow(() => Answer.parse(response.output_parsed));
  });

  it("streams a response to its end", async () => {
    const stream = client(pretendUpstreams()).responses.stream({ model: "gpt-5.5", input: "[[tokens:5]]" });
    const response = await stream.finalResponse();
    assert.equal(response.output_text, "Hello from the Patchbay sandbox.");
    assert.equal(response.usage?.output_tokens, 5);
  });

  it("cancels a stream that is left", async () => {
    const sandbox = pretendUpstreams();
    const messages = [{ role: "user" as const, content: "[[tokens:100000]]" }];
    const stream = await client(sandbox).chat.completions.create({ model: "m", messages, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    assert.equal(sandbox.served[0]?.outcome, "left");
  });

  it("raises the SDK's error classes", async () => {
    const ask = async (content: string, key?: string): Promise<unknown> =>
      await client(pretendUpstreams(), key).chat.completions.create({
        model: "m",
        messages: [{ role: "user", content }],
      });
    await assert.rejects(ask("Hi", "sk-bad"), AuthenticationError);
    await assert.rejects(ask("[[status:429]]"), RateLimitError);
    await assert.rejects(ask("[[status:404]]"), NotFoundError);
    await assert.rejects(ask("[[error:400 bad No]]"), BadRequestError);
    await assert.rejects(ask("[[status:503]]"), InternalServerError);
  });

  it("makes the same embedding in both encodings", async () => {
    const { embeddings } = client(pretendUpstreams());
    const binary = await embeddings.create({ model: "text-embedding-3-small", input: ["one", "two"], dimensions: 8 });
    const plain = await embeddings.create({
      model: "text-embedding-3-small",
      input: ["one", "two"],
      dimensions: 8,
      encoding_format: "float",
    });
    assert.deepEqual(binary.data, plain.data);
    assert.equal(binary.data[0]?.embedding.length, 8);
    assert.ok(binary.usage.prompt_tokens > 0);
  });

  it("draws, moderates and lists models", async () => {
    const openai = client(pretendUpstreams());
    const image = await openai.images.generate({ model: "gpt-image-1", prompt: "A cable", n: 2 });
    assert.equal(image.data?.length, 2);
    assert.match(atob(image.data[0]?.b64_json ?? ""), /^\u0089PNG/);
    assert.equal(image.usage?.output_tokens, 544);
    const moderation = await openai.moderations.create({ input: ["a", "b"] });
    assert.equal(moderation.results.length, 2);
    const ids: string[] = [];
    for await (const model of openai.models.list()) ids.push(model.id);
    assert.ok(ids.includes("gpt-5.5"));
    assert.equal((await openai.models.retrieve("any/thing")).id, "any/thing");
  });

  it("polls a background response until it is done", async () => {
    const { responses } = client(pretendUpstreams());
    let response = await responses.create({ model: "m", input: "Hi", background: true });
    const seen = [response.status];
    while (response.status !== "completed") {
      response = await responses.retrieve(response.id);
      seen.push(response.status);
    }
    assert.deepEqual(seen, ["queued", "in_progress", "completed"]);
  });
});
