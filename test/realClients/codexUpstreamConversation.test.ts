import assert from "node:assert/strict";
import type {
  ChatCompletionMessage,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from "openai/resources/chat/completions";
import type { CodexServed } from "../../src/sandbox/served.ts";
import { Opened } from "../node/relayRig.ts";
import { openaiClient } from "./openaiSdk.ts";
import { type Patchbay, startPatchbay } from "./patchbay.ts";

const TURNS = 10;
const WEATHER: ChatCompletionTool = {
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

interface Manner {
  readonly stream?: boolean;
  readonly user?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

describe("A conversation of ten turns with tools over chat completions, on our sign-in with ChatGPT,", function () {
  this.timeout(30_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  /** Two requests a turn: one is answered with a call, the other one with a text. */
  async function converse(patchbay: Patchbay, manner: Manner, opening = "Hello."): Promise<void> {
    const client = openaiClient(patchbay, { defaultHeaders: manner.headers ?? {} });
    const messages: ChatCompletionMessageParam[] = [{ role: "system", content: "Be brief." }];

    async function answer(): Promise<ChatCompletionMessage> {
      const request = {
        model: "gpt-5.5",
        messages,
        tools: [WEATHER],
        ...(manner.user === undefined ? {} : { user: manner.user }),
      };
      const completion =
        manner.stream === true
          ? await client.chat.completions.stream(request).finalChatCompletion()
          : await client.chat.completions.create(request);
      const message = completion.choices[0]?.message;
      assert(message !== undefined);
      // As most agents do: the role, the text and the calls go back, and nothing of the reasoning.
      messages.push({
        role: "assistant",
        content: message.content,
        ...(message.tool_calls?.length ? { tool_calls: message.tool_calls } : {}),
      });
      return message;
    }

    for (let turn = 1; turn <= TURNS; turn += 1) {
      messages.push({
        role: "user",
        content: `${opening} Turn ${turn}. [[tool:weather {"city":"City ${turn}"}]] [[reasoning:5]] [[say:end of turn ${turn}]]`,
      });
      const called = await answer();
      for (const call of called.tool_calls ?? []) {
        messages.push({ role: "tool", tool_call_id: call.id, content: `Rain, says ${call.id}` });
      }
      const said = await answer();
      assert.match(said.content ?? "", new RegExp(`end of turn ${turn} The tool answered: Rain`));
    }
  }

  function assertExtended(turns: readonly (CodexServed | null)[]): void {
    assert.equal(turns.length, 2 * TURNS);
    for (const [index, turn] of turns.entries()) {
      assert.deepEqual(
        [index, turn?.continuity, turn?.cacheKeyMatches, turn?.turnState],
        // The state belongs to one turn: the request with the tool's result gives it back, the next user message does not.
        [index, index === 0 ? "first" : "extended", true, index % 2 === 1 ? "echoed" : "none"],
      );
    }
    assert.equal(new Set(turns.map((turn) => turn?.sessionId)).size, 1);
  }

  for (const [what, manner] of [
    ["that nothing names", {}],
    ["that nothing names, streamed", { stream: true }],
    ["that the field 'user' names", { user: "somebody@example.com" }],
    ["that a header names", { headers: { "x-session-id": "session-of-an-agent" } }],
  ] as const) {
    it(`${what}, extends its prompt each time, and finds it in the cache`, async () => {
      const patchbay = await startPatchbay(opened, { signedIn: true });
      await converse(patchbay, manner);
      const rows = await patchbay.assertMetered(2 * TURNS);
      const served = await patchbay.served();
      assertExtended(served.map((one) => one.codex));
      const cached = served.map((one) => one.tokens?.cachedInput ?? 0);
      assert.deepEqual(
        cached.map((tokens, index) => tokens > (cached[index - 1] ?? -1)),
        cached.map(() => true),
        `cached: ${cached.join(" ")}`,
      );
      assert.deepEqual(
        rows.map((row) => row.tokens.cachedInput),
        cached,
      );
    });
  }

  it("is not disturbed by others that run at the same time and say the same", async () => {
    const patchbay = await startPatchbay(opened, { signedIn: true });
    await Promise.all([
      converse(patchbay, { user: "one" }),
      converse(patchbay, { user: "another" }),
      converse(patchbay, { headers: { "session-id": "session-number-3" } }),
      converse(patchbay, {}, "Good morning."),
      converse(patchbay, { stream: true }, "Good night."),
    ]);
    await patchbay.assertMetered(5 * 2 * TURNS);
    const served = (await patchbay.served()).map((one) => one.codex);
    const sessions = Map.groupBy(served, (one) => one?.sessionId);
    assert.equal(sessions.size, 5);
    assert(sessions.has("session-number-3"));
    for (const turns of sessions.values()) assertExtended(turns);
  });
});
