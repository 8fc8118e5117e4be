import assert from "node:assert/strict";
import {
  AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  type ToolMessage,
  type UsageMetadata,
} from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";
import { Opened } from "../node/relayRig.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay } from "./patchbay.ts";

const WEATHER = tool(({ city }) => `Rain in ${city}`, {
  name: "weather",
  description: "Tells the weather.",
  schema: z.object({ city: z.string() }),
});
const PARCEL = z.object({ title: z.string(), size: z.enum(["small", "large"]) });

for (const [way, useResponsesApi, endpoint] of [
  ["chat completions", false, "chat"],
  ["responses", true, "responses"],
] as const) {
  describe(`LangChain over ${way}, on our sign-in with ChatGPT,`, function () {
    this.timeout(15_000);
    const opened = new Opened();
    let patchbay: Patchbay;
    beforeEach(async () => {
      patchbay = await startPatchbay(opened, { signedIn: true });
    });
    afterEach(() => opened.closeAll());

    const model = (): ChatOpenAI =>
      new ChatOpenAI({
        model: "gpt-5.5",
        apiKey: LOCAL_KEY,
        configuration: { baseURL: patchbay.baseUrl },
        maxRetries: 0,
        useResponsesApi,
      });

    async function assertMetered(requests: number): Promise<void> {
      const rows = await patchbay.assertMetered(requests);
      assert(rows.every((row) => row.upstream === "codex" && row.endpoint === endpoint));
    }

    it("invokes, with the ledger's usage", async () => {
      const answer = await model().invoke([
        new SystemMessage("Be brief."),
        new HumanMessage("[[say:whole]] [[cached:64]] [[reasoning:9]]"),
      ]);
      assert.match(answer.text, /whole$/);
      const usage = usageOf(answer);
      const [row] = await patchbay.assertMetered(1);
      assert.deepEqual(
        [usage?.output_tokens, usage?.input_token_details?.cache_read, usage?.output_token_details?.reasoning],
        [row?.tokens.output, 64, 9],
      );
    });

    it("streams chunks that add up to the answer and its usage", async () => {
      let whole: AIMessageChunk | undefined;
      let chunks = 0;
      for await (const chunk of await model().stream("[[say:streamed]] [[reasoning:9]]")) {
        whole = whole === undefined ? chunk : whole.concat(chunk);
        chunks += 1;
      }
      assert(chunks > 3);
      assert.match(whole?.text ?? "", /streamed$/);
      const [row] = await patchbay.assertMetered(1);
      assert.equal(usageOf(whole)?.output_tokens, row?.tokens.output);
    });

    it("takes several rounds with a bound tool, each an extension of the last", async () => {
      const bound = model().bindTools([WEATHER]);
      const messages: BaseMessage[] = [
        new HumanMessage(
          `[[tools:weather {"city":"Oslo"};weather {"city":"Lima"}]] [[tool:weather {"city":"Rome"}]] [[reasoning:5]]`,
        ),
      ];
      let answer = await bound.invoke(messages);
      const rounds: number[] = [];
      while ((answer.tool_calls ?? []).length > 0) {
        rounds.push(answer.tool_calls?.length ?? 0);
        messages.push(answer);
        for (const call of answer.tool_calls ?? []) messages.push(await WEATHER.invoke<typeof call, ToolMessage>(call));
        answer = await bound.invoke(messages);
      }
      assert.deepEqual(rounds, [2, 1]);
      assert.match(answer.text, /Rain in Rome/);
      await assertMetered(3);
      const turns = (await patchbay.served()).map((one) => one.codex);
      assert.deepEqual(
        turns.map((one) => one?.continuity),
        ["first", "extended", "extended"],
      );
    });

    it("gives structured output by a schema, by a function too", async () => {
      for (const method of ["jsonSchema", "functionCalling"] as const) {
        const parcel: unknown = await model()
          .withStructuredOutput(PARCEL, { method, name: "parcel" })
          .invoke("a parcel");
        assert(PARCEL.safeParse(parcel).success, JSON.stringify(parcel));
      }
      await assertMetered(2);
    });

    it("throws when the plan is used up", async () => {
      await assert.rejects(model().invoke("[[usage-limit:60]]"), /usage limit/i);
      assert.equal((await patchbay.row()).status, 429);
    });

    it("throws when a stream fails in the middle", async () => {
      await assert.rejects(async () => {
        for await (const chunk of await model().stream("[[cut-after:3]]")) assert(chunk instanceof AIMessageChunk);
      });
      assert.equal((await patchbay.row()).ending, "upstream_cut");
    });
  });
}

/** The class says of it, by its type parameters, that it is never there. */
function usageOf(message: unknown): UsageMetadata | undefined {
  return (message as { readonly usage_metadata?: UsageMetadata } | undefined)?.usage_metadata;
}
