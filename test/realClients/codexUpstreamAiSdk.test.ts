import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, isStepCount, type ModelMessage, Output, streamText, tool } from "ai";
import { z } from "zod";
import { Opened } from "../node/relayRig.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay } from "./patchbay.ts";
import { type Recorder, startRecorder } from "./recorder.ts";

const WEATHER = tool({
  description: "Tells the weather.",
  inputSchema: z.object({ city: z.string() }),
  execute: ({ city }) => `Rain in ${city}`,
});
const CITIES = ["Oslo", "Lima", "Rome", "Bern"];
const FOUR_CITIES = `${CITIES.map((city) => `[[tool:weather {"city":"${city}"}]]`).join(" ")} [[reasoning:5]]`;

function compatible(baseURL: string) {
  const provider = createOpenAICompatible({
    name: "patchbay",
    baseURL,
    apiKey: LOCAL_KEY,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  return provider("gpt-5.5");
}

function responses(baseURL: string) {
  return createOpenAI({ baseURL, apiKey: LOCAL_KEY }).responses("gpt-5.5");
}

for (const [name, modelOf, endpoint] of [
  ["@ai-sdk/openai-compatible", compatible, "chat"],
  ["@ai-sdk/openai", responses, "responses"],
] as const) {
  describe(`An agent of the AI SDK with ${name}, on our sign-in with ChatGPT,`, function () {
    this.timeout(20_000);
    const opened = new Opened();
    let patchbay: Patchbay;
    let front: Recorder;
    beforeEach(async () => {
      patchbay = await startPatchbay(opened, { signedIn: true });
      front = await startRecorder(opened, patchbay.origin);
    });
    afterEach(() => opened.closeAll());

    const agent = () => ({
      model: modelOf(`${front.origin}/v1`),
      tools: { weather: WEATHER },
      stopWhen: isStepCount(10),
      maxRetries: 0,
    });

    async function assertConversation(requests: number): Promise<void> {
      const rows = await patchbay.assertMetered(requests);
      assert(rows.every((row) => row.upstream === "codex" && row.endpoint === endpoint));
      assert.deepEqual(
        (await patchbay.served()).map((one) => one.codex?.continuity),
        ["first", ...Array.from({ length: requests - 1 }, () => "extended")],
      );
    }

    it("takes several steps with tools, each with a row of its own", async () => {
      const result = await generateText({ ...agent(), prompt: FOUR_CITIES });
      assert.match(result.text, /Rain in Bern/);
      await assertConversation(5);
      const rows = await patchbay.rows();
      assert.equal(
        result.totalUsage.outputTokens,
        rows.reduce((sum, row) => sum + row.tokens.output, 0),
      );
    });

    it("takes several streamed steps with tools, and goes on in a second turn", async () => {
      const messages: ModelMessage[] = [];
      for (const [prompt, last] of [
        [FOUR_CITIES, /Rain in Bern/],
        [`And now? [[tool:weather {"city":"Cork"}]]`, /Rain in Cork/],
      ] as const) {
        messages.push({ role: "user", content: prompt });
        const errors: unknown[] = [];
        const result = streamText({ ...agent(), messages, onError: ({ error }) => void errors.push(error) });
        await result.consumeStream();
        assert.deepEqual(errors, []);
        assert.match((await result.steps).at(-1)?.text ?? "", last);
        messages.push(...(await result.responseMessages));
      }
      await assertConversation(7);
      if (endpoint === "responses") assert.match(front.requests.at(-1)?.body ?? "", /"item_reference"/);
    });

    it("streams text whose usage is the ledger's to the token", async () => {
      const result = streamText({ ...agent(), prompt: "[[say:streamed]] [[cached:64]] [[reasoning:9]]" });
      assert.match(await result.text, /streamed$/);
      const usage = await result.usage;
      const [row] = await patchbay.assertMetered(1);
      assert.deepEqual(
        [usage.outputTokens, usage.inputTokenDetails.cacheReadTokens, usage.outputTokenDetails.reasoningTokens],
        [row?.tokens.output, 64, 9],
      );
    });

    it("generates an object by its schema", async () => {
      const schema = z.object({ title: z.string(), size: z.enum(["small", "large"]) });
      const { output } = await generateText({ ...agent(), output: Output.object({ schema }), prompt: "a parcel" });
      assert(schema.safeParse(output).success);
      await patchbay.assertMetered(1);
    });

    for (const directive of ["[[fail-after:3]]", "[[cut-after:3]]", "[[usage-limit:60]]"]) {
      it(`reports an error for ${directive}`, async () => {
        const errors: unknown[] = [];
        const result = streamText({ ...agent(), prompt: directive, onError: ({ error }) => void errors.push(error) });
        await result.consumeStream();
        assert(errors.length > 0);
        assert.notEqual((await patchbay.row()).ending, "complete");
      });
    }
  });
}
