import assert from "node:assert/strict";
import { Opened } from "../node/relayRig.ts";
import { openaiClient, saying } from "./openaiSdk.ts";
import { LOCAL_KEY, startPatchbay, WRONG_KEY } from "./patchbay.ts";
import { type Recorder, startRecorder } from "./recorder.ts";

describe("OpenAI's SDK on the other endpoints", function () {
  this.timeout(15_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("gets the same embedding as floats and as base64", async () => {
    const patchbay = await startPatchbay(opened);
    const client = openaiClient(patchbay);
    const request = { model: "text-embedding-3-small", input: ["one", "two"] };
    // The SDK asks for base64 by itself and unpacks it, unless a format is named.
    const unpacked = await client.embeddings.create(request);
    const floats = await client.embeddings.create({ ...request, encoding_format: "float" });
    assert.deepEqual(unpacked.data[1]?.embedding.length, floats.data[1]?.embedding.length);
    for (const [index, value] of (floats.data[1]?.embedding ?? []).entries())
      assert(Math.abs(value - (unpacked.data[1]?.embedding[index] ?? 2)) < 1e-6);
    const rows = await patchbay.assertMetered(2);
    assert.deepEqual(
      rows.map((row) => [row.endpoint, row.tokens.output]),
      [
        ["embeddings", 0],
        ["embeddings", 0],
      ],
    );
  });

  it("generates images, which are metered", async () => {
    const patchbay = await startPatchbay(opened);
    const images = await openaiClient(patchbay).images.generate({ model: "gpt-image-1", prompt: "a cat", n: 2 });
    assert.equal(images.data?.length, 2);
    const [row] = await patchbay.assertMetered(1);
    assert.deepEqual([row?.endpoint, row?.tokens.output], ["images", images.usage?.output_tokens]);
  });

  it("lists the models of all upstreams and retrieves one whose id has a slash", async () => {
    const patchbay = await startPatchbay(opened);
    const client = openaiClient(patchbay);
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    const slashed = ids.find((id) => id.includes("/"));
    assert(ids.includes("gpt-5.5") && slashed !== undefined);
    assert.equal((await client.models.retrieve(slashed)).id, slashed);
    assert.equal((await client.models.retrieve("gpt-5.5")).object, "model");
    await assert.rejects(client.models.retrieve("vendor/none"), { status: 404, code: "model_not_found" });
    assert.deepEqual(await patchbay.rows(), []);
  });

  it("reaches an endpoint that the proxy does not know", async () => {
    const patchbay = await startPatchbay(opened);
    const moderation = await openaiClient(patchbay).moderations.create({ input: "hello" });
    assert.equal(moderation.results.length, 1);
    assert.deepEqual(await patchbay.rows(), []);
  });
});

describe("The local key of OpenAI's SDK", function () {
  this.timeout(15_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());
  const ask = { model: "gpt-5.5", messages: saying("hello") };

  it("may stand in the base URL's path, where it is not logged", async () => {
    const patchbay = await startPatchbay(opened);
    const client = openaiClient(patchbay, { baseURL: `${patchbay.origin}/k/${LOCAL_KEY}/v1`, apiKey: "unused" });
    await client.chat.completions.create(ask);
    assert.equal((await patchbay.row()).keyId, "fixed");
    assert.deepEqual(
      patchbay.answered.map((one) => one.path),
      ["/v1/chat/completions"],
    );
    assert(!JSON.stringify(patchbay.logLines).includes(LOCAL_KEY));
  });

  it("may stand in X-Daemon-Token beside a bearer of the caller's, and neither goes upstream", async () => {
    let recorder: Recorder | undefined;
    const patchbay = await startPatchbay(opened, {
      between: async (origin) => (recorder = await startRecorder(opened, origin)).origin,
    });
    const client = openaiClient(patchbay, { apiKey: "sk-callers", defaultHeaders: { "X-Daemon-Token": LOCAL_KEY } });
    await client.chat.completions.create(ask);
    await patchbay.assertMetered(1);
    const [sent] = recorder?.requests ?? [];
    assert.equal(sent?.headers.authorization, "Bearer sk-upstream");
    assert(!JSON.stringify(sent).includes(LOCAL_KEY) && !JSON.stringify(sent).includes("sk-callers"));
  });

  it("is not asked for on the transparent route, which passes the caller's own key and body on as they are", async () => {
    let recorder: Recorder | undefined;
    const patchbay = await startPatchbay(opened, {
      between: async (origin) => (recorder = await startRecorder(opened, origin)).origin,
    });
    const client = openaiClient(patchbay, { baseURL: patchbay.origin, apiKey: "sk-callers-own" });
    const completion = await client.chat.completions.create(ask);
    assert.match(completion.choices[0]?.message.content ?? "", /sandbox/);
    const [row] = await patchbay.assertMetered(1);
    assert.equal(row?.keyId, "transparent");
    const [sent] = recorder?.requests ?? [];
    assert.equal(sent?.headers.authorization, "Bearer sk-callers-own");
    assert.equal(sent?.body, JSON.stringify(ask));
    assert(!JSON.stringify([patchbay.logLines, patchbay.answered]).includes("sk-callers-own"));
  });

  it("is refused on the transparent route, so that it cannot leak", async () => {
    const patchbay = await startPatchbay(opened);
    const client = openaiClient(patchbay, { baseURL: patchbay.origin, apiKey: WRONG_KEY });
    await assert.rejects(client.chat.completions.create(ask), { status: 401, code: "invalid_api_key" });
    assert.deepEqual(await patchbay.served(), []);
  });
});
