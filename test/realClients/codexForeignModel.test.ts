import assert from "node:assert/strict";
import { bundledModels } from "../../src/codex/bundledModels.ts";
import { readCatalogue } from "../../src/codex/catalogueModel.ts";
import { codexModelEntry, codexModels } from "../../src/codex/modelEntries.ts";
import { httpUpstream, Opened } from "../node/relayRig.ts";
import { codexProvider, runCodex } from "./codex.ts";

const WARNING = /Model metadata for/;
const FACTS = {
  slug: "vendor/thing",
  displayName: "Thing",
  contextWindow: 200_000,
  defaultEffort: "high",
  efforts: ["low", "high"],
  inputModalities: ["text", "image", "file"],
};

describe("Codex and a model that it does not know", function () {
  this.timeout(45_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  /** Runs one turn against a catalogue of these models. */
  async function turn(models: readonly object[], { model = FACTS.slug, isSignedIn = false } = {}) {
    let sent = "";
    let hasAccount = false;
    const { url } = await httpUpstream(opened, async (incoming, outgoing) => {
      const path = incoming.url ?? "";
      if (!path.startsWith("/v1/")) return outgoing.writeHead(404).end();
      if (incoming.method === "GET") {
        hasAccount = incoming.headers["chatgpt-account-id"] !== undefined;
        return outgoing.end(JSON.stringify({ object: "list", data: [], models }));
      }
      sent = "";
      for await (const chunk of incoming.setEncoding("utf8")) sent += chunk;
      outgoing.setHeader("content-type", "text/event-stream");
      return outgoing.end(answerText());
    });
    const lines = isSignedIn
      ? ["requires_openai_auth = true"]
      : ['experimental_bearer_token = "local"', `model_catalog_url = "${url}/v1/models"`];
    // Nothing in these tests may ask the real ChatGPT.
    const top = [`chatgpt_base_url = "${url}/nothing"`];
    const run = await runCodex(opened, {
      config: codexProvider(`${url}/v1`, lines, { model, top }),
      ...(isSignedIn ? { authJson: chatgptSignIn() } : {}),
      prompt: "Say hello.",
    });
    assert.equal(run.code, 0, run.shown);
    assert.deepEqual(run.messages, ["Hello."]);
    return { run, hasAccount, body: JSON.parse(sent) as SentBody };
  }

  it("warns where it is not listed", async () => {
    const { run } = await turn([]);
    assert.match(run.shown, WARNING);
  });

  it("takes our entry for it, without a warning and with our instructions", async () => {
    const { run, body } = await turn([codexModelEntry(FACTS)]);
    assert.doesNotMatch(run.shown, WARNING);
    assert.doesNotMatch(run.shown, /failed to decode/);
    assert.deepEqual(run.errors, []);
    assert.equal(body.reasoning.effort, "high");
    assert.equal(body.input[0]?.role, "developer");
    assert.equal(body.input[0]?.content[0]?.text, codexModelEntry(FACTS)["base_instructions"]);
  });

  it("takes an entry that says as little as it may", async () => {
    const facts = { ...FACTS, contextWindow: undefined, defaultEffort: undefined, efforts: [], inputModalities: [] };
    const { run } = await turn([codexModelEntry(facts, "Be brief.")]);
    assert.doesNotMatch(run.shown, WARNING);
  });

  it("says that it is signed in, and then forgets its own models for a list of foreign ones alone", async () => {
    const own = { model: "gpt-6.1-sol", isSignedIn: true };
    const alone = await turn([codexModelEntry(FACTS)], own);
    assert(alone.hasAccount);
    assert.match(alone.run.shown, WARNING);
    const ours = await turn(codexModels(bundledModels, { foreign: [codexModelEntry(FACTS)] }), own);
    assert.doesNotMatch(ours.run.shown, WARNING);
  });

  it("has a hidden entry count as one that it knows", async () => {
    const live = readCatalogue({ models: [{ ...codexModelEntry(FACTS), slug: "gpt-6.1-sol" }] });
    const hidden = { ...codexModelEntry(FACTS), visibility: "hide" };
    const { run } = await turn([...codexModels(live), hidden], { isSignedIn: true });
    assert.doesNotMatch(run.shown, WARNING);
  });

  it("keeps its own models beside it where the list has them too", async () => {
    const live = readCatalogue({ models: [{ ...codexModelEntry(FACTS), slug: "gpt-6.1-sol", visibility: "list" }] });
    const models = codexModels(live, { foreign: [codexModelEntry(FACTS)] });
    for (const model of ["gpt-6.1-sol", FACTS.slug]) {
      const { run } = await turn(models, { model, isSignedIn: true });
      assert.doesNotMatch(run.shown, WARNING);
    }
  });
});

/** A sign-in that was never signed: Codex looks into the tokens, and only a server would verify them. */
function chatgptSignIn(): object {
  const account = { chatgpt_plan_type: "pro", chatgpt_user_id: "user", chatgpt_account_id: "account" };
  const claims = { exp: 4_102_444_800, email: "nobody@example.com", "https://api.openai.com/auth": account };
  const token = ["e30", Buffer.from(JSON.stringify(claims)).toString("base64url"), "c2lnbmF0dXJl"].join(".");
  return {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: { id_token: token, access_token: token, refresh_token: "refresh", account_id: "account" },
    last_refresh: new Date().toISOString(),
  };
}

interface SentBody {
  readonly reasoning: { readonly effort?: string };
  readonly input: readonly { readonly role: string; readonly content: readonly { readonly text: string }[] }[];
}

function answerText(): string {
  const content = [{ type: "output_text", text: "Hello.", annotations: [] }];
  const item = { type: "message", id: "msg_1", role: "assistant", status: "completed", content };
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
  const response = { id: "resp_1", object: "response", created_at: 1, status: "completed", output: [item], usage };
  return [
    { type: "response.created", response: { ...response, status: "in_progress", output: [] } },
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response },
  ]
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
}
