import assert from "node:assert/strict";
import { APIError, BadRequestError, PermissionDeniedError, RateLimitError } from "openai";
import { Opened } from "../node/relayRig.ts";
import { openaiClient, saying } from "./openaiSdk.ts";
import { type Patchbay, startPatchbay } from "./patchbay.ts";

type Ask = (patchbay: Patchbay, prompt: string) => Promise<unknown>;

const MODEL = "gpt-5.5";

const chatObject: Ask = (patchbay, prompt) =>
  openaiClient(patchbay).chat.completions.create({ model: MODEL, messages: saying(prompt) });

const chatStream: Ask = async (patchbay, prompt) => {
  const stream = await openaiClient(patchbay).chat.completions.create({
    model: MODEL,
    messages: saying(prompt),
    stream: true,
  });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  return text;
};

const responsesObject: Ask = (patchbay, prompt) =>
  openaiClient(patchbay).responses.create({ model: MODEL, input: prompt });

const responsesStream: Ask = async (patchbay, prompt) => {
  const { status, error } = await openaiClient(patchbay)
    .responses.stream({ model: MODEL, input: prompt })
    .finalResponse();
  // The SDK hands a `response.failed` over as an ordinary response.
  if (status !== "completed") throw new Error(`${status}: ${error?.message}`);
};

for (const [way, ask] of [
  ["a chat completion", chatObject],
  ["a streamed chat completion", chatStream],
  ["a response", responsesObject],
  ["a streamed response", responsesStream],
] as const) {
  describe(`OpenAI's SDK on our sign-in with ChatGPT, refused ${way},`, function () {
    this.timeout(15_000);
    const opened = new Opened();
    let patchbay: Patchbay;
    beforeEach(async () => {
      patchbay = await startPatchbay(opened, { signedIn: true });
    });
    afterEach(() => opened.closeAll());

    it("throws RateLimitError when the plan is used up, with the time until it is not", async () => {
      const error = await rejection(ask(patchbay, "[[usage-limit:120]]"));
      assert(error instanceof RateLimitError, String(error));
      assert.deepEqual([error.status, error.type], [429, "usage_limit_reached"]);
      const wait = Number(error.headers.get("retry-after"));
      assert(wait > 110 && wait <= 121, `Retry-After: ${wait}`);
      assert.equal((await patchbay.row()).status, 429);
    });

    it("explains a challenge page in one sentence", async () => {
      const error = await rejection(ask(patchbay, "[[challenge]]"));
      assert(error instanceof PermissionDeniedError, String(error));
      assert.equal(error.code, "upstream_blocked");
      assert.match(error.message, /blocked the request from this network/);
      assert.doesNotMatch(error.message, /<html|<head/i);
      assert.equal((await patchbay.row()).status, 403);
    });

    it("throws BadRequestError with the backend's own words", async () => {
      const error = await rejection(ask(patchbay, "[[error:400 context_length_exceeded Too long a text]]"));
      assert(error instanceof BadRequestError, String(error));
      assert.equal(error.code, "context_length_exceeded");
    });

    it("throws when the answer fails in the middle", async () => {
      const error = await rejection(ask(patchbay, "[[fail-after:3]]"));
      assert(error instanceof Error);
      assert.equal((await patchbay.row()).ending, "failed");
    });

    it("throws when the plan is used up in the middle", async () => {
      const error = await rejection(ask(patchbay, "[[fail-after:3]] [[error-event:usage_limit_reached Used up]]"));
      assert(error instanceof Error);
      assert.equal((await patchbay.row()).ending, "failed");
    });

    for (const [what, directive] of [
      ["loses its connection", "[[cut-after:3]]"],
      ["ends early, cleanly", "[[eof-after:3]]"],
    ] as const) {
      it(`throws when the answer ${what}`, async () => {
        await rejection(ask(patchbay, directive));
        assert.equal((await patchbay.row()).ending, "upstream_cut");
      });
    }
  });
}

describe("OpenAI's SDK on our sign-in with ChatGPT, asking for what cannot be had,", function () {
  this.timeout(15_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("throws BadRequestError that names it, and nothing goes upstream", async () => {
    const patchbay = await startPatchbay(opened, { signedIn: true });
    const client = openaiClient(patchbay);
    const messages = saying("hello");
    const asked: readonly [Promise<unknown>, string][] = [
      [client.chat.completions.create({ model: MODEL, messages, n: 2 }), "n"],
      [client.chat.completions.create({ model: MODEL, messages, modalities: ["audio"] }), "modalities"],
      [
        client.responses.create({ model: MODEL, input: "hello", previous_response_id: "resp_1" }),
        "previous_response_id",
      ],
    ];
    for (const [answer, field] of asked) {
      const error = await rejection(answer);
      assert(error instanceof BadRequestError, String(error));
      assert.equal(error.param, field);
    }
    assert.deepEqual(await patchbay.served(), []);
  });

  it("throws APIError with what to do where nobody is signed in", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--route", "gpt-5.5=codex"] });
    const error = await rejection(chatObject(patchbay, "hello"));
    assert(error instanceof APIError);
    assert.match(error.message, /patchbay login/);
    assert.deepEqual(await patchbay.served(), []);
  });
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("it was answered");
}
