import assert from "node:assert/strict";
import { zodFunction, zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import type { ResponseInputItem } from "openai/resources/responses/responses";
import { z } from "zod";
import type { UsageRow } from "../../src/ledger/usageRow.ts";
import { Opened } from "../node/relayRig.ts";
import { openaiClient, saying } from "./openaiSdk.ts";
import { type Patchbay, startPatchbay } from "./patchbay.ts";

const PARCEL = z.object({ title: z.string(), size: z.enum(["small", "large"]), tags: z.array(z.string()) });
const TWO_CITIES = `[[tool:weather {"city":"Oslo"}]] [[tool:weather {"city":"Lima"}]]`;
const WEATHER = {
  type: "function" as const,
  name: "weather",
  description: "Tells the weather.",
  strict: true,
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
};

describe("OpenAI's SDK on our sign-in with ChatGPT", function () {
  this.timeout(15_000);
  const opened = new Opened();
  let patchbay: Patchbay;
  beforeEach(async () => {
    patchbay = await startPatchbay(opened, { signedIn: true });
  });
  afterEach(() => opened.closeAll());

  async function codexRows(count: number, endpoint: UsageRow["endpoint"]): Promise<readonly UsageRow[]> {
    const rows = await patchbay.assertMetered(count);
    for (const row of rows) {
      assert.deepEqual([row.upstream, row.endpoint, row.usageSource], ["codex", endpoint, "reported"]);
    }
    return rows;
  }

  describe("over chat completions", () => {
    it("creates an answer, with what the backend refuses left out", async () => {
      const answer = await openaiClient(patchbay).chat.completions.create({
        model: "gpt-5.5-high",
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "[[say:whole]] [[cached:64]] [[reasoning:9]]" },
        ],
        temperature: 0.2,
        top_p: 0.9,
        max_tokens: 500,
        seed: 7,
      });
      assert.match(answer.choices[0]?.message.content ?? "", /whole$/);
      assert.equal(answer.model, "gpt-5.5");
      const [row] = await codexRows(1, "chat");
      assert.deepEqual(
        [
          answer.usage?.prompt_tokens,
          answer.usage?.prompt_tokens_details?.cached_tokens,
          answer.usage?.completion_tokens,
          answer.usage?.completion_tokens_details?.reasoning_tokens,
        ],
        [(row?.tokens.uncachedInput ?? 0) + 64, 64, row?.tokens.output, 9],
      );
      const [served] = await patchbay.served();
      assert.deepEqual([served?.codex?.effort, served?.codex?.instructionsSent], ["high", true]);
      assert(patchbay.logLines.some((line) => line.includes("temperature")));
    });

    it("streams through its helper, with the usage that it asked for", async () => {
      const stream = openaiClient(patchbay).chat.completions.stream({
        model: "gpt-6.1-sol",
        messages: saying("[[say:streamed]] [[reasoning:3]]"),
        stream_options: { include_usage: true },
      });
      const contents: string[] = [];
      stream.on("content", (delta) => contents.push(delta));
      const completion = await stream.finalChatCompletion();
      assert.match(completion.choices[0]?.message.content ?? "", /streamed$/);
      assert.equal(contents.join(""), completion.choices[0]?.message.content);
      const [row] = await codexRows(1, "chat");
      assert.equal(row?.tokens.output, completion.usage?.completion_tokens);
    });

    it("streams without usage where it asked for none, and is metered all the same", async () => {
      const stream = await openaiClient(patchbay).chat.completions.create({
        model: "gpt-5.5",
        messages: saying("hello"),
        stream: true,
      });
      for await (const chunk of stream) assert(chunk.usage === undefined || chunk.usage === null);
      await codexRows(1, "chat");
    });

    it("runs tools over several requests, each an extension of the last", async () => {
      const cities: string[] = [];
      const runner = openaiClient(patchbay).chat.completions.runTools({
        model: "gpt-5.5",
        messages: saying(`${TWO_CITIES} [[reasoning:5]]`),
        tools: [
          zodFunction({
            name: "weather",
            parameters: z.object({ city: z.string() }),
            function: ({ city }) => `Rain in ${cities[cities.push(city) - 1]}`,
          }),
        ],
      });
      assert.match((await runner.finalContent()) ?? "", /Rain in Lima/);
      assert.deepEqual(cities, ["Oslo", "Lima"]);
      await codexRows(3, "chat");
      assert.deepEqual(await continuity(patchbay), ["first", "extended", "extended"]);
    });

    it("runs parallel tools in a stream", async () => {
      const runner = openaiClient(patchbay).chat.completions.runTools({
        model: "gpt-5.5",
        stream: true,
        messages: saying(`[[tools:weather {"city":"Oslo"};weather {"city":"Lima"}]]`),
        tools: [
          zodFunction({
            name: "weather",
            parameters: z.object({ city: z.string() }),
            function: ({ city }) => `Rain in ${city}`,
          }),
        ],
      });
      assert.match((await runner.finalContent()) ?? "", /Rain in/);
      await codexRows(2, "chat");
      assert.deepEqual(await continuity(patchbay), ["first", "extended"]);
    });

    it("parses an answer by its schema", async () => {
      const completion = await openaiClient(patchbay).chat.completions.parse({
        model: "gpt-5.5",
        messages: saying("a parcel"),
        response_format: zodResponseFormat(PARCEL, "parcel"),
      });
      assert(PARCEL.safeParse(completion.choices[0]?.message.parsed).success);
      await codexRows(1, "chat");
    });
  });

  describe("over responses", () => {
    it("creates a whole answer, though the backend only streams", async () => {
      const response = await openaiClient(patchbay).responses.create({
        model: "gpt-5.5",
        input: "[[say:whole]] [[cached:64]] [[reasoning:9]]",
        max_output_tokens: 500,
      });
      assert.match(response.output_text, /whole$/);
      assert.deepEqual(
        response.output.map((item) => item.type),
        ["reasoning", "message"],
      );
      const [row] = await codexRows(1, "responses");
      assert.deepEqual(
        [row?.tokens.output, row?.tokens.reasoning, row?.tokens.cachedInput, row?.responseId],
        [response.usage?.output_tokens, 9, 64, response.id],
      );
    });

    it("streams through its helper to the last event, whose output is whole", async () => {
      const stream = openaiClient(patchbay).responses.stream({
        model: "gpt-6.1-sol",
        instructions: "Be brief.",
        input: [{ role: "system", content: "In English." }, ...saying("[[say:streamed]] [[reasoning:4]]")],
      });
      const types = new Set<string>();
      for await (const event of stream) types.add(event.type);
      const response = await stream.finalResponse();
      assert.match(response.output_text, /streamed$/);
      assert(types.has("response.output_text.delta") && types.has("response.completed"));
      const [row] = await codexRows(1, "responses");
      assert.equal(row?.tokens.output, response.usage?.output_tokens);
    });

    it("parses an answer by its schema", async () => {
      const response = await openaiClient(patchbay).responses.parse({
        model: "gpt-5.5",
        input: "a parcel",
        text: { format: zodTextFormat(PARCEL, "parcel") },
      });
      assert(PARCEL.safeParse(response.output_parsed).success);
      await codexRows(1, "responses");
    });

    it("takes several rounds with a tool, its whole history in each", async () => {
      const client = openaiClient(patchbay);
      const input: ResponseInputItem[] = saying(`${TWO_CITIES} [[reasoning:5]]`);
      let text = "";
      for (let round = 0; round < 3; round += 1) {
        const response = await client.responses.create({ model: "gpt-5.5", input, tools: [WEATHER], user: "somebody" });
        input.push(...(response.output as ResponseInputItem[]));
        for (const item of response.output) {
          if (item.type !== "function_call") continue;
          const { city } = JSON.parse(item.arguments) as { city: string };
          input.push({ type: "function_call_output", call_id: item.call_id, output: `Rain in ${city}` });
        }
        text = response.output_text;
      }
      assert.match(text, /Rain in Lima/);
      await codexRows(3, "responses");
      assert.deepEqual(await continuity(patchbay), ["first", "extended", "extended"]);
    });

    it("sends only a tool's result, and gets the rest of the conversation's memory added", async () => {
      const client = openaiClient(patchbay);
      const shared = { model: "gpt-5.5", tools: [WEATHER], prompt_cache_key: "conversation-1" };
      const asked = await client.responses.create({ ...shared, input: TWO_CITIES });
      const call = asked.output.find((item) => item.type === "function_call");
      assert(call !== undefined);
      const answered = await client.responses.create({
        ...shared,
        input: [{ type: "function_call_output", call_id: call.call_id, output: "Rain" }],
      });
      assert.match(answered.output_text, /Rain/);
      await codexRows(2, "responses");
    });
  });

  it("lists the plan's models with their efforts", async () => {
    const ids: string[] = [];
    for await (const model of openaiClient(patchbay).models.list()) ids.push(model.id);
    for (const id of ["gpt-5.5", "gpt-6.1-sol", "gpt-6.1-sol-high"]) assert(ids.includes(id), id);
    assert.equal(new Set(ids).size, ids.length);
  });
});

async function continuity(patchbay: Patchbay): Promise<unknown[]> {
  return (await patchbay.served()).map((one) => one.codex?.continuity);
}
