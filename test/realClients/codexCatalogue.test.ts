import assert from "node:assert/strict";
import { Opened } from "../node/relayRig.ts";
import { codexProvider, runCodex } from "./codex.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay, WRONG_KEY } from "./patchbay.ts";
import { type Recorder, startRecorder } from "./recorder.ts";

const BEARER = `experimental_bearer_token = "${LOCAL_KEY}"`;

describe("Codex and the list of models", function () {
  this.timeout(45_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  async function ask(lines: (baseUrl: string) => readonly string[]) {
    let recorder: Recorder | undefined;
    const patchbay = await startPatchbay(opened, {
      between: async (origin) => (recorder = await startRecorder(opened, origin)).origin,
    });
    const run = await runCodex(opened, {
      config: codexProvider(patchbay.baseUrl, lines(patchbay.baseUrl)),
      prompt: "Say hello.",
    });
    assert.equal(run.code, 0, run.shown);
    const sent = recorder?.requests.find((one) => one.method === "POST")?.body ?? "{}";
    return { patchbay, run, body: JSON.parse(sent) as CodexBody };
  }

  it("does not ask for it with a key of its own", async () => {
    const { patchbay } = await ask(() => [BEARER]);
    assert.deepEqual(listed(patchbay), []);
  });

  it("understands it, and keeps what it knows of its own models", async () => {
    const plain = await ask(() => [BEARER]);
    const told = await ask(() => [`auth = { command = "echo", args = ["${LOCAL_KEY}"] }`]);
    assert(listed(told.patchbay).length > 0 && listed(told.patchbay).every((status) => status === 200));
    assert(!told.run.shown.includes("failed to decode"), told.run.shown);
    assert.deepEqual(told.run.errors, []);
    assert.deepEqual(traits(told.body), traits(plain.body));
  });

  it("understands it as the document of model_catalog_url", async () => {
    const { patchbay, run } = await ask((baseUrl) => [BEARER, `model_catalog_url = "${baseUrl}/models"`]);
    assert.deepEqual(listed(patchbay), [200]);
    assert(!run.shown.includes("failed to decode"), run.shown);
  });
});

describe("Codex, asking for the list of models with an unknown key", function () {
  this.timeout(45_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("is not answered with a 401, at which it would renew its sign-in", async () => {
    const patchbay = await startPatchbay(opened);
    const run = await runCodex(opened, {
      config: codexProvider(patchbay.baseUrl, [`auth = { command = "echo", args = ["${WRONG_KEY}"] }`]),
      prompt: "Say hello.",
    });
    assert.match(run.errors.at(-1) ?? "", /^This Patchbay key is not known here/);
    assert(listed(patchbay).length > 0 && listed(patchbay).every((status) => status === 400));
  });
});

interface CodexBody {
  readonly tools: readonly { readonly type: string; readonly name?: string }[];
  readonly reasoning: object;
  readonly text: object;
}

function traits(body: CodexBody): object {
  return { tools: body.tools.map((tool) => tool.name ?? tool.type), reasoning: body.reasoning, text: body.text };
}

function listed(patchbay: Patchbay): number[] {
  return patchbay.answered.filter((one) => one.path === "/v1/models").map((one) => one.status);
}
