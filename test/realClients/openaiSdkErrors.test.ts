import assert from "node:assert/strict";
import {
  APIConnectionError,
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from "openai";
import { Opened } from "../node/relayRig.ts";
import { openaiClient, saying } from "./openaiSdk.ts";
import { startPatchbay, WRONG_KEY } from "./patchbay.ts";

const HELLO = { model: "gpt-5.5", messages: saying("hello") };

describe("OpenAI's SDK, refused", function () {
  this.timeout(15_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("throws AuthenticationError for an unknown key", async () => {
    const patchbay = await startPatchbay(opened);
    const error = await rejection(openaiClient(patchbay, { apiKey: WRONG_KEY }).chat.completions.create(HELLO));
    assert(error instanceof AuthenticationError);
    assert.deepEqual([error.status, error.code, error.type], [401, "invalid_api_key", "authentication_error"]);
    assert.match(error.message, /This Patchbay key is not known here/);
    assert.equal(error.requestID, patchbay.answered[0]?.id);
  });

  it("throws BadRequestError with the upstream's own words", async () => {
    const patchbay = await startPatchbay(opened);
    const error = await rejection(
      openaiClient(patchbay).chat.completions.create({
        model: "gpt-5.5",
        messages: saying("[[error:400 context_length_exceeded Too long a text]]"),
      }),
    );
    assert(error instanceof BadRequestError);
    assert.deepEqual([error.code, error.message], ["context_length_exceeded", "400 Too long a text"]);
    assert.deepEqual([(await patchbay.row()).ending, (await patchbay.rows())[0]?.costMicros], ["failed", 0]);
  });

  it("throws NotFoundError for what the upstream does not have", async () => {
    const patchbay = await startPatchbay(opened);
    const error = await rejection(openaiClient(patchbay).get("/nothing/here"));
    assert(error instanceof NotFoundError);
    assert.equal(error.code, "unknown_url");
  });

  it("throws an APIError of status 413 for a body above the limit", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--max-body", "4KiB"] });
    const error = await rejection(
      openaiClient(patchbay).chat.completions.create({ model: "gpt-5.5", messages: saying("x".repeat(100_000)) }),
    );
    assert(error instanceof APIError);
    assert.deepEqual([error.status, error.code], [413, "request_too_large"]);
    assert.match(error.message, /limit of 4 KiB/);
  });

  it("waits out its rate as Retry-After says, by its own means", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--rate", "60/m", "--burst", "1"] });
    const client = openaiClient(patchbay, { maxRetries: 2 });
    await client.chat.completions.create(HELLO);
    const startedAt = performance.now();
    await client.chat.completions.create(HELLO);
    const waited = performance.now() - startedAt;
    assert.deepEqual(endings(patchbay), ["complete", "rate_limit_exceeded", "complete"]);
    assert(waited > 800 && waited < 3000, `waited ${waited} ms`);
    await patchbay.assertMetered(2);
  });

  it("throws RateLimitError when it may not wait", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--rate", "60/m", "--burst", "1"] });
    const client = openaiClient(patchbay);
    await client.chat.completions.create(HELLO);
    const error = await rejection(client.chat.completions.create(HELLO));
    assert(error instanceof RateLimitError);
    assert.equal(error.code, "rate_limit_exceeded");
    assert.equal(error.headers.get("retry-after"), "1");
  });

  it("is told once that its quota is used up, though it repeats other 429s", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--quota-tokens", "1"] });
    const client = openaiClient(patchbay, { maxRetries: 2 });
    await client.chat.completions.create(HELLO);
    const error = await rejection(client.chat.completions.create(HELLO));
    assert(error instanceof RateLimitError);
    assert.deepEqual([error.code, error.type], ["quota_exceeded", "insufficient_quota"]);
    assert.deepEqual(endings(patchbay), ["complete", "quota_exceeded"]);
  });

  it("gets a refusal on a Responses stream as a response that failed", async () => {
    const patchbay = await startPatchbay(opened, { words: ["--quota-tokens", "1"] });
    const client = openaiClient(patchbay);
    await client.responses.create({ model: "gpt-5.5", input: "hello" });
    const stream = await client.responses.create({ model: "gpt-5.5", input: "hello", stream: true });
    const failed: string[] = [];
    for await (const event of stream)
      if (event.type === "response.failed")
        failed.push(`${event.response.error?.code} ${event.response.error?.message}`);
    assert.equal(failed.length, 1);
    assert.match(failed[0] ?? "", /^invalid_prompt The key 'fixed' has used its token quota/);
  });

  it("obeys the Retry-After of an upstream", async () => {
    const patchbay = await startPatchbay(opened);
    const startedAt = performance.now();
    await openaiClient(patchbay, { maxRetries: 1 }).chat.completions.create({
      model: "gpt-5.5",
      messages: saying("[[status:429]] [[retry-after:1]] [[only-first:1]]"),
    });
    assert(performance.now() - startedAt > 900);
    const rows = await patchbay.assertMetered(2);
    assert.deepEqual(
      rows.map((row) => [row.status, row.ending, row.usageSource]),
      [
        [429, "failed", "none"],
        [200, "complete", "reported"],
      ],
    );
  });

  it("throws InternalServerError of status 502 when the upstream cannot be reached", async () => {
    const patchbay = await startPatchbay(opened);
    await patchbay.stopSandbox();
    const error = await rejection(openaiClient(patchbay).chat.completions.create(HELLO));
    assert(error instanceof InternalServerError);
    assert.deepEqual([error.status, error.code], [502, "upstream_unreachable"]);
  });

  it("is told which key is missing when its model's upstream has none", async () => {
    const patchbay = await startPatchbay(opened, { upstreamKey: "" });
    const error = await rejection(openaiClient(patchbay).chat.completions.create(HELLO));
    assert(error instanceof BadRequestError);
    assert.match(error.message, /set OPENAI_API_KEY/);
  });
});

describe("OpenAI's SDK on a stream that breaks", function () {
  this.timeout(15_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("throws the APIError that the upstream sent in the middle", async () => {
    const patchbay = await startPatchbay(opened);
    const error = await rejection(chatText(openaiClient(patchbay), "[[fail-after:3]]"));
    assert(error instanceof APIError);
    assert.match(error.message, /asked the Patchbay sandbox to fail/);
    assert.equal((await patchbay.row()).ending, "failed");
  });

  for (const [what, directive] of [
    ["whose connection is lost", "[[cut-after:3]]"],
    ["that ends early, cleanly", "[[eof-after:3]]"],
  ] as const) {
    it(`throws on a chat stream ${what}`, async () => {
      const patchbay = await startPatchbay(opened);
      const error = await rejection(chatText(openaiClient(patchbay), directive));
      assert(error instanceof APIError && !(error instanceof APIConnectionError), String(error));
      assert.match(error.message, /broke off before its answer was finished/);
      assert.deepEqual(await endingAndTokens(patchbay), ["upstream_cut", "estimated", 3]);
    });

    it(`throws on a Responses stream ${what}`, async () => {
      const patchbay = await startPatchbay(opened);
      const stream = openaiClient(patchbay).responses.stream({ model: "gpt-5.5", input: directive });
      await assert.rejects(stream.finalResponse());
      assert.deepEqual(await endingAndTokens(patchbay), ["upstream_cut", "estimated", 3]);
    });

    it(`throws on an answer in one piece ${what}`, async () => {
      const patchbay = await startPatchbay(opened);
      await assert.rejects(
        openaiClient(patchbay).chat.completions.create({ model: "gpt-5.5", messages: saying(directive) }),
      );
      assert.equal((await patchbay.rows()).length, 1);
    });
  }
});

type Started = Awaited<ReturnType<typeof startPatchbay>>;

async function endingAndTokens(patchbay: Started): Promise<unknown[]> {
  const row = await patchbay.row();
  return [row.ending, row.usageSource, row.tokens.output];
}

function endings(patchbay: Started): string[] {
  return patchbay.answered.map((one) => one.ending);
}

async function chatText(client: ReturnType<typeof openaiClient>, prompt: string): Promise<string> {
  const stream = await client.chat.completions.create({ model: "gpt-5.5", messages: saying(prompt), stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("it was answered");
}
