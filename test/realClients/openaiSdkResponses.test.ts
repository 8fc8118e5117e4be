import assert from "node:assert/strict";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { Opened } from "../node/relayRig.ts";
import { openaiClient } from "./openaiSdk.ts";
import { startPatchbay } from "./patchbay.ts";

describe("OpenAI's SDK on responses", function () {
  this.timeout(15_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("gets an answer whose usage is the ledger's to the token", async () => {
    const patchbay = await startPatchbay(opened);
    const response = await openaiClient(patchbay).responses.create({
      model: "gpt-5.5",
      input: "[[say:whole]] [[cached:64]] [[reasoning:9]]",
    });
    assert.match(response.output_text, /whole/);
    const [row] = await patchbay.assertMetered(1);
    assert.deepEqual(
      [row?.tokens.output, row?.tokens.reasoning, row?.tokens.cachedInput, row?.responseId],
      [response.usage?.output_tokens, 9, 64, response.id],
    );
  });

  it("streams through its helper to the last event", async () => {
    const patchbay = await startPatchbay(opened);
    const stream = openaiClient(patchbay).responses.stream({ model: "gpt-5.5", input: "[[say:streamed]]" });
    const types = new Set<string>();
    for await (const event of stream) types.add(event.type);
    const response = await stream.finalResponse();
    assert.match(response.output_text, /streamed/);
    assert(types.has("response.output_text.delta") && types.has("response.completed"));
    const [row] = await patchbay.assertMetered(1);
    assert.equal(row?.tokens.output, response.usage?.output_tokens);
  });

  it("parses an answer by its schema", async () => {
    const patchbay = await startPatchbay(opened);
    const schema = z.object({ city: z.string(), degrees: z.number() });
    const response = await openaiClient(patchbay).responses.parse({
      model: "gpt-5.5",
      input: "the weather",
      text: { format: zodTextFormat(schema, "weather") },
    });
    assert(schema.safeParse(response.output_parsed).success);
    await patchbay.assertMetered(1);
  });

  it("hands a tool's result back by the previous response's id", async () => {
    const patchbay = await startPatchbay(opened);
    const client = openaiClient(patchbay);
    const tools = [
      { type: "function" as const, name: "weather", parameters: { type: "object" }, strict: false, description: "" },
    ];
    const asked = await client.responses.create({
      model: "gpt-5.5",
      input: `[[tool:weather {"city":"Oslo"}]]`,
      tools,
    });
    const call = asked.output.find((item) => item.type === "function_call");
    assert(call !== undefined);
    const answered = await client.responses.create({
      model: "gpt-5.5",
      previous_response_id: asked.id,
      input: [{ type: "function_call_output", call_id: call.call_id, output: "Rain" }],
      tools,
    });
    assert.match(answered.output_text, /Rain/);
    await patchbay.assertMetered(2);
  });

  it("is counted once for a background response, however often it asks for it", async () => {
    const patchbay = await startPatchbay(opened);
    const client = openaiClient(patchbay);
    const queued = await client.responses.create({ model: "gpt-5.5", input: "hello", background: true });
    assert.equal(queued.status, "queued");
    assert.equal((await patchbay.row()).usageSource, "none");
    let response = queued;
    for (let polls = 0; response.status !== "completed" && polls < 10; polls += 1)
      response = await client.responses.retrieve(queued.id);
    const [row] = await patchbay.assertMetered(1);
    assert.deepEqual([row?.tokens.output, row?.ending], [response.usage?.output_tokens, "complete"]);
    await client.responses.retrieve(queued.id);
    assert.deepEqual(await patchbay.rows(), [row]);
  });

  it("deletes, lists input items and counts input without a row", async () => {
    const patchbay = await startPatchbay(opened);
    const client = openaiClient(patchbay);
    const response = await client.responses.create({ model: "gpt-5.5", input: "hello" });
    const items = await client.responses.inputItems.list(response.id);
    assert.equal(items.data.length, 1);
    const counted = await client.responses.inputTokens.count({ model: "gpt-5.5", input: "hello" });
    assert.equal(counted.input_tokens, response.usage?.input_tokens);
    await client.responses.delete(response.id);
    assert.equal((await patchbay.rows()).length, 1);
  });

  it("is not disturbed by what bridges a silence", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--keep-alive", "50ms"] });
    const stream = openaiClient(patchbay).responses.stream({ model: "gpt-5.5", input: "[[tokens:2]] [[delay:300]]" });
    assert.equal((await stream.finalResponse()).output_text, "Hello from");
    await patchbay.assertMetered(1);
  });

  it("that leaves in the middle stops the upstream at once, and the row says so", async () => {
    const patchbay = await startPatchbay(opened);
    const stream = openaiClient(patchbay).responses.stream({
      model: "gpt-5.5",
      input: "[[tokens:5000]] [[delay:5]]",
    });
    stream.on("response.output_text.delta", () => stream.abort());
    await assert.rejects(stream.finalResponse(), /abort/i);
    const row = await patchbay.row();
    assert.deepEqual([row.ending, row.usageSource], ["client_left", "estimated"]);
  });
});
