import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, isStepCount, Output, streamText, tool } from "ai";
import { z } from "zod";
import { Opened } from "../node/relayRig.ts";
import { spendOne } from "./openaiSdk.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay, WRONG_KEY } from "./patchbay.ts";

const WEATHER = tool({
  description: "Tells the weather.",
  inputSchema: z.object({ city: z.string() }),
  execute: ({ city }) => `Rain in ${city}`,
});
const TWO_CITIES = `[[tool:weather {"city":"Oslo"}]] [[tool:weather {"city":"Lima"}]]`;

function compatible(patchbay: Patchbay) {
  const provider = createOpenAICompatible({
    name: "patchbay",
    baseURL: patchbay.baseUrl,
    headers: { "X-Daemon-Token": LOCAL_KEY },
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  return provider("gpt-5.5");
}

function responses(patchbay: Patchbay, apiKey = LOCAL_KEY) {
  return createOpenAI({ baseURL: patchbay.baseUrl, apiKey }).responses("gpt-5.5");
}

for (const [name, modelOf] of [
  ["@ai-sdk/openai-compatible", compatible],
  ["@ai-sdk/openai", responses],
] as const) {
  describe(`The AI SDK with ${name}`, function () {
    this.timeout(20_000);
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    it("streams text whose usage is the ledger's to the token", async () => {
      const patchbay = await startPatchbay(opened);
      const result = streamText({
        model: modelOf(patchbay),
        prompt: "[[say:streamed]] [[cached:64]] [[reasoning:9]]",
        maxRetries: 0,
      });
      assert.match(await result.text, /streamed$/);
      const usage = await result.usage;
      const [row] = await patchbay.assertMetered(1);
      assert.deepEqual(
        [usage.outputTokens, usage.inputTokenDetails.cacheReadTokens, usage.outputTokenDetails.reasoningTokens],
        [row?.tokens.output, 64, 9],
      );
      assert.equal(usage.inputTokens, (row?.tokens.uncachedInput ?? 0) + 64);
    });

    it("takes several steps with tools, each with a row of its own", async () => {
      const patchbay = await startPatchbay(opened);
      const result = await generateText({
        model: modelOf(patchbay),
        prompt: TWO_CITIES,
        tools: { weather: WEATHER },
        stopWhen: isStepCount(5),
        maxRetries: 0,
      });
      assert.match(result.text, /Rain in Lima/);
      const rows = await patchbay.assertMetered(3);
      assert.equal(
        result.totalUsage.outputTokens,
        rows.reduce((sum, row) => sum + row.tokens.output, 0),
      );
    });

    it("takes several streamed steps with tools", async () => {
      const patchbay = await startPatchbay(opened);
      const result = streamText({
        model: modelOf(patchbay),
        prompt: TWO_CITIES,
        tools: { weather: WEATHER },
        stopWhen: isStepCount(5),
        maxRetries: 0,
      });
      assert.match((await result.steps).at(-1)?.text ?? "", /Rain in Lima/);
      await patchbay.assertMetered(3);
    });

    it("generates an object by its schema", async () => {
      const patchbay = await startPatchbay(opened);
      const schema = z.object({ title: z.string(), size: z.enum(["small", "large"]) });
      const { output } = await generateText({
        model: modelOf(patchbay),
        output: Output.object({ schema }),
        prompt: "a parcel",
        maxRetries: 0,
      });
      assert(schema.safeParse(output).success);
      await patchbay.assertMetered(1);
    });

    for (const [what, directive] of [
      ["fails by its own account", "[[fail-after:3]]"],
      ["loses its connection", "[[cut-after:3]]"],
      ["ends early, cleanly", "[[eof-after:3]]"],
    ] as const) {
      it(`reports an error when a stream ${what}`, async () => {
        const patchbay = await startPatchbay(opened);
        const errors: unknown[] = [];
        const result = streamText({
          model: modelOf(patchbay),
          prompt: directive,
          maxRetries: 0,
          onError: ({ error }) => void errors.push(error),
        });
        await result.consumeStream();
        assert(errors.length > 0);
        assert.notEqual((await patchbay.row()).ending, "complete");
      });
    }

    it("is not disturbed by what bridges a silence", async () => {
      const patchbay = await startPatchbay(opened, { words: ["--keep-alive", "50ms"] });
      const result = streamText({ model: modelOf(patchbay), prompt: "[[tokens:2]] [[delay:300]]", maxRetries: 0 });
      assert.equal(await result.text, "Hello from");
      await patchbay.assertMetered(1);
    });
  });
}

describe("The AI SDK, refused", function () {
  this.timeout(20_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("throws our sentence for an unknown key and does not repeat the request", async () => {
    const patchbay = await startPatchbay(opened);
    await assert.rejects(generateText({ model: responses(patchbay, WRONG_KEY), prompt: "hello" }), (error) => {
      assert(APICallError.isInstance(error));
      assert.equal(error.statusCode, 401);
      assert.match(error.message, /^This Patchbay key is not known here/);
      return true;
    });
    assert.equal(patchbay.answered.length, 1);
  });

  it("reports a quota on a Responses stream once, in our words", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--quota-tokens", "1"] });
    await spendOne(patchbay);
    const errors: unknown[] = [];
    await streamText({
      model: responses(patchbay),
      prompt: "hello",
      onError: ({ error }) => void errors.push(error),
    }).consumeStream();
    assert.equal(patchbay.answered.length, 2);
    assert.match(
      JSON.stringify(errors.map((error) => (error instanceof Error ? error.message : error))),
      /token quota/,
    );
  });
});
