import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import type { NewKeyView } from "../../src/node/keyKeeping.ts";
import { httpUpstream, Opened, until } from "../node/relayRig.ts";
import { addKey, bearing, runKeysIn, showKey } from "./keysRig.ts";
import { newFolder, postJson, type ServeProcess, startServe, startTestSandbox } from "./serveProcess.ts";

/** Long enough for a client to leave in the midst of an answer. */
const TOKEN_DELAY_MS = 100;
const GRANTED_USD = 1;
/** Money in dollars, to the micro-dollar. */
const micros = (dollars: number | null): number => Math.round((dollars ?? Number.NaN) * 1e6);

describe("a response in the background of a key with credit", function () {
  this.timeout(60_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  async function started(
    upstream?: readonly string[],
  ): Promise<{ folder: string; restart: () => Promise<ServeProcess>; key: NewKeyView }> {
    const sandbox = await startTestSandbox(opened, TOKEN_DELAY_MS);
    const folder = newFolder(opened);
    const restart = (): Promise<ServeProcess> =>
      startServe(opened, ["--data-dir", folder, ...sandbox.words, ...(upstream ?? [])], sandbox.environment);
    const key = await addKey(folder, `--rate 0 --credit ${GRANTED_USD}`);
    return { folder, restart, key };
  }

  async function begin(serve: ServeProcess, key: NewKeyView, changes: object = {}): Promise<Response> {
    const body = { model: "gpt-5.5", input: "[[tokens:5]]", background: true, max_output_tokens: 100, ...changes };
    return postJson(`${serve.url}/v1/responses`, body, bearing(key));
  }

  async function begun(serve: ServeProcess, key: NewKeyView): Promise<string> {
    const answer = await begin(serve, key);
    assert.equal(answer.status, 200);
    return ((await answer.json()) as { id: string }).id;
  }

  /** Asks for it, as its client would; the sandbox has it done at the second reading. */
  async function read(serve: ServeProcess, key: NewKeyView, id: string): Promise<string> {
    const answer = await fetch(`${serve.url}/v1/responses/${id}`, { headers: bearing(key) });
    assert.equal(answer.status, 200);
    return ((await answer.json()) as { status: string }).status;
  }

  function countIn(folder: string, table: "usage" | "credit_hold"): number {
    const database = new DatabaseSync(join(folder, "ledger.db"), { readOnly: true });
    try {
      return Number(database.prepare("SELECT count(*) AS count FROM " + table).get()?.["count"]);
    } finally {
      database.close();
    }
  }

  /** An upstream whose responses go on until they are told to end. */
  async function slowUpstream(): Promise<{ readonly words: readonly string[]; end(): void }> {
    let hasEnded = false;
    let count = 0;
    const { url } = await httpUpstream(opened, (request, answer) => {
      request.resume();
      const isNew = request.method === "POST";
      const id = isNew ? `resp_${(count += 1)}` : String(request.url?.split("/").at(-1));
      const state =
        hasEnded && !isNew
          ? { status: "completed", usage: { input_tokens: 20, output_tokens: 30, total_tokens: 50 } }
          : { status: isNew ? "queued" : "in_progress", usage: null };
      answer.setHeader("content-type", "application/json");
      answer.end(JSON.stringify({ id, object: "response", model: "gpt-5.5", background: true, ...state }));
    });
    return {
      words: ["--openai-base-url", `${url}/v1`],
      end() {
        hasEnded = true;
      },
    };
  }

  it("holds its estimate until its use is known, also over a kill, so that several at once cannot overspend", async () => {
    const upstream = await slowUpstream();
    const { folder, restart, key } = await started(upstream.words);
    let serve = await restart();
    const first = await begun(serve, key);
    const held = micros(GRANTED_USD) - micros((await showKey(folder, key.id)).credit_usd);
    assert.ok(held > 0, "it is held when the answer has come");
    // Enough for two and a half.
    const granted = Math.floor(held * 2.5);
    assert.equal((await runKeysIn(folder, ["credit", key.id, `=${granted / 1e6}`])).code, 0);
    await begun(serve, key);
    assert.equal((await begin(serve, key)).status, 402);
    assert.equal(countIn(folder, "credit_hold"), 2, "what is held is on the disk before the answers end");

    await serve.kill();
    serve = await restart();
    assert.equal(micros((await showKey(folder, key.id)).credit_usd), granted - 2 * held);
    assert.equal((await begin(serve, key)).status, 402);

    assert.equal(await read(serve, key, first), "in_progress");
    assert.equal(micros((await showKey(folder, key.id)).credit_usd), granted - 2 * held);
    upstream.end();
    assert.equal(await read(serve, key, first), "completed");
    const left = micros((await showKey(folder, key.id)).credit_usd);
    assert.ok(left > granted - 2 * held, "nothing is held for it any more");
    assert.ok(left < granted, "it is charged");
    assert.equal((await begin(serve, key)).status, 200);
  });

  it("gives its hold back when it was cancelled, for nothing", async () => {
    const { folder, restart, key } = await started();
    const serve = await restart();
    const id = await begun(serve, key);
    assert.ok(micros((await showKey(folder, key.id)).credit_usd) < micros(GRANTED_USD));
    const cancelled = await postJson(`${serve.url}/v1/responses/${id}/cancel`, {}, bearing(key));
    assert.equal(cancelled.status, 200, await cancelled.text());
    assert.equal(micros((await showKey(folder, key.id)).credit_usd), micros(GRANTED_USD));
    const deleted = await fetch(`${serve.url}/v1/responses/${id}`, { method: "DELETE", headers: bearing(key) });
    assert.equal(deleted.status, 200);
  });

  it("is charged in full though its stream is left at once", async () => {
    const { folder, restart, key } = await started();
    const serve = await restart();
    const leaving = new AbortController();
    const body = { model: "gpt-5.5", input: "[[tokens:50]]", background: true, stream: true, max_output_tokens: 100 };
    const answer = await fetch(`${serve.url}/v1/responses`, {
      method: "POST",
      headers: { "content-type": "application/json", ...bearing(key) },
      body: JSON.stringify(body),
      signal: leaving.signal,
    });
    const text = new TextDecoder().decode((await answer.body!.getReader().read()).value);
    const id = /"id":"(resp_[^"]+)"/.exec(text)?.[1];
    assert.ok(id, text);
    leaving.abort();
    await until(() => countIn(folder, "usage") === 1, "the row");
    assert.equal(countIn(folder, "credit_hold"), 1, "what was held for it is held on");
    const before = micros((await showKey(folder, key.id)).credit_usd);
    assert.ok(before < micros(GRANTED_USD));
    // It was at its second token.
    await read(serve, key, id);
    assert.equal(await read(serve, key, id), "completed");
    const view = await showKey(folder, key.id);
    assert.ok(view.used.quota_tokens > 40, `${view.used.quota_tokens} tokens`);
    assert.ok(micros(view.credit_usd) < micros(GRANTED_USD) && micros(view.credit_usd) !== before, "it is charged");
  });
});
