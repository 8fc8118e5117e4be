import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import { openLedgerFile } from "../../src/node/ledgerFile.ts";
import { listeningLog, row } from "../ledger/temporaryLedger.ts";
import { Opened, until, within } from "../node/relayRig.ts";
import { untilCommitted } from "../node/untilCommitted.ts";
import {
  askChat,
  askResponses,
  type Exit,
  LOCAL_KEY,
  newFolder,
  postJson,
  runCli,
  type ServeProcess,
  startServe,
  startTestSandbox,
  type TestSandbox,
} from "./serveProcess.ts";

const CLIENTS = 24;
const DAY_MS = 86_400_000;

interface LedgerRow {
  readonly id: string;
  readonly ending: string;
  readonly usage_source: string;
}

describe("The ledger of patchbay serve", function () {
  this.timeout(60_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  const wordsFor = (sandbox: TestSandbox, folder: string): string[] => [
    "--data-dir",
    folder,
    "--api-key",
    LOCAL_KEY,
    ...sandbox.words,
  ];

  /** What stands in the ledger's file, read as it lies there. */
  function rowsIn(folder: string): LedgerRow[] {
    const database = new DatabaseSync(join(folder, "ledger.db"));
    try {
      assert.deepEqual(
        database
          .prepare("PRAGMA integrity_check")
          .all()
          .map((found) => Object.values(found)[0]),
        ["ok"],
      );
      return database.prepare("SELECT id, ending, usage_source FROM usage").all() as unknown as LedgerRow[];
    } finally {
      database.close();
    }
  }

  function sourcesIn(folder: string): string[] {
    return rowsIn(folder).map((found) => found.usage_source);
  }

  async function requests(folder: string): Promise<number> {
    const { code, out, error }: Exit = await runCli(opened, ["usage", "list", "--json", "--data-dir", folder]);
    assert.equal(code, 0, error);
    return (JSON.parse(out) as { requests: number }[]).reduce((sum, group) => sum + group.requests, 0);
  }

  it("has a row for each answer that a client saw finished, whenever the process is killed", async () => {
    const sandbox = await startTestSandbox(opened, 1);
    const folder = newFolder(opened);
    const finished: string[] = [];

    /** Asks again and again, and notes the ids of the answers that ended. Ends when the proxy is gone. */
    async function client(serve: ServeProcess, number: number): Promise<void> {
      for (let turn = 0; ; turn += 1) {
        const prompt = `[[tokens:${4 + ((number * 7 + turn) % 12)}]] ${number} ${turn}`;
        try {
          const kind = (number + turn) % 4;
          const stream = kind !== 0;
          const ask = kind >= 2 ? askResponses : askChat;
          const answer = await ask(serve.url, { prompt, stream });
          const end = kind >= 2 ? '"type":"response.completed"' : "data: [DONE]";
          let text = "";
          for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
            text += piece;
            // A reader that knows the format is done here, whatever becomes of the connection.
            if (stream && text.includes(end)) break;
          }
          if (stream ? text.includes(end) : answer.status === 200 && JSON.parse(text).usage !== undefined)
            finished.push(String(answer.headers.get("x-request-id")));
        } catch {
          if (serve.child.exitCode !== null || serve.child.signalCode !== null || serve.child.killed) return;
        }
      }
    }

    for (let round = 0; round < 4; round += 1) {
      const serve = await startServe(opened, wordsFor(sandbox, folder), sandbox.environment);
      assert.doesNotMatch(serve.error, /damaged/);
      const before = finished.length;
      const clients = Array.from({ length: CLIENTS }, (_, number) => client(serve, number));
      await until(() => finished.length > before + 60 + round * 35, "the load", 20_000);
      await serve.kill();
      await within(Promise.all(clients), "the clients", 20_000);
    }
    const serve = await startServe(opened, wordsFor(sandbox, folder), sandbox.environment);
    assert.equal(serve.error.includes("damaged"), false, serve.error);
    const ids = rowsIn(folder).map(({ id }) => id);
    const known = new Set(ids);
    assert.equal(known.size, ids.length, "no row twice");
    assert.deepEqual(
      finished.filter((id) => !known.has(id)),
      [],
      "no finished answer without a row",
    );
    assert.ok(finished.length > 400);
    assert.equal(await requests(folder), ids.length);
  });

  it("shows each finished answer to patchbay usage at once, also after a kill and before the next start", async () => {
    const sandbox = await startTestSandbox(opened);
    const folder = newFolder(opened);
    const serve = await startServe(opened, wordsFor(sandbox, folder), sandbox.environment);
    const other = new DatabaseSync(join(folder, "ledger.db"));
    opened.add(() => other.close());
    // Nothing can be committed any more, and who reads is not held up.
    other.exec("BEGIN IMMEDIATE");
    await (await askChat(serve.url, { prompt: "hello" })).text();
    assert.equal(await requests(folder), 1);
    await serve.kill();
    other.exec("ROLLBACK");
    assert.equal(rowsIn(folder).length, 0);
    assert.equal(await requests(folder), 1);
    await startServe(opened, wordsFor(sandbox, folder), sandbox.environment);
    assert.equal(rowsIn(folder).length, 1);
    assert.equal(await requests(folder), 1);
  });

  it("counts a row towards its key at once, also while the file is locked, and still after a kill", async () => {
    const sandbox = await startTestSandbox(opened);
    const folder = newFolder(opened);
    const words = [...wordsFor(sandbox, folder), "--quota-tokens", "1000000"];

    async function askedTokens(serve: ServeProcess): Promise<number> {
      const answer = await askChat(serve.url, { prompt: "hello" });
      return ((await answer.json()) as { usage: { total_tokens: number } }).usage.total_tokens;
    }
    async function usedTokens(serve: ServeProcess): Promise<number> {
      const answer = await fetch(`${serve.url}/v1/key`, { headers: { authorization: `Bearer ${LOCAL_KEY}` } });
      return ((await answer.json()) as { used: { tokens: number } }).used.tokens;
    }

    const serve = await startServe(opened, words, sandbox.environment);
    let tokens = await askedTokens(serve);
    assert.ok(tokens > 0);
    assert.equal(await usedTokens(serve), tokens);
    // What follows cannot be committed any more.
    const other = new DatabaseSync(join(folder, "ledger.db"));
    opened.add(() => other.close());
    await untilCommitted(folder);
    other.exec("BEGIN EXCLUSIVE");
    tokens += await askedTokens(serve);
    assert.equal(await usedTokens(serve), tokens);
    await serve.kill();
    other.exec("ROLLBACK");
    assert.equal(rowsIn(folder).length, 1);
    const next = await startServe(opened, words, sandbox.environment);
    assert.equal(rowsIn(folder).length, 2);
    assert.equal(await usedTokens(next), tokens);
  });

  it("has the row of a client that left, though no other request follows", async () => {
    const sandbox = await startTestSandbox(opened);
    const folder = newFolder(opened);
    const serve = await startServe(opened, wordsFor(sandbox, folder), sandbox.environment);
    const abort = new AbortController();
    const answer = await askChat(serve.url, { prompt: "[[hang-after:3]]", stream: true, signal: abort.signal });
    await answer.body!.getReader().read();
    abort.abort();
    await until(() => rowsIn(folder).length === 1, "the row");
    await serve.kill();
    assert.equal(rowsIn(folder)[0]?.ending, "client_left");
  });

  it("learns after a kill what an OpenRouter stream cost that its client left, and how a background response ended", async () => {
    const sandbox = await startTestSandbox(opened);
    const folder = newFolder(opened);
    const words = wordsFor(sandbox, folder);
    const first = await startServe(opened, words, sandbox.environment);
    const abort = new AbortController();
    const answer = await askChat(first.url, {
      model: "qwen/qwen3-coder",
      prompt: "[[hang-after:3]]",
      stream: true,
      signal: abort.signal,
    });
    await answer.body!.getReader().read();
    abort.abort();
    const body = { model: "gpt-5.5", input: "[[tokens:5]]", background: true };
    const begun = (await (await postJson(`${first.url}/v1/responses`, body)).json()) as { id: string };
    // The sandbox has it done at the second reading.
    const headers = { authorization: `Bearer ${LOCAL_KEY}` };
    assert.equal((await fetch(`${first.url}/v1/responses/${begun.id}`, { headers })).status, 200);
    await until(() => rowsIn(folder).length === 2, "the rows");
    // Before anybody has asked: the first question comes two seconds after the answer.
    await first.kill();
    assert.deepEqual(sourcesIn(folder), ["estimated", "none"]);
    const second = await startServe(opened, words, sandbox.environment);
    await until(() => sourcesIn(folder).every((source) => source === "reported"), "the settled rows", 15_000);
    await second.kill();
    assert.deepEqual(
      rowsIn(folder).map(({ ending }) => ending),
      ["client_left", "complete"],
    );
  });

  it("is set aside with a clear message where it is damaged, and the proxy serves", async () => {
    const sandbox = await startTestSandbox(opened);
    const folder = newFolder(opened);
    writeFileSync(join(folder, "ledger.db"), "this is no database ".repeat(5_000));
    const serve = await startServe(opened, wordsFor(sandbox, folder), sandbox.environment);
    assert.match(
      serve.error,
      / error The usage ledger was damaged\. It was set aside as \S+ and a new one was started\./,
    );
    assert.ok(readdirSync(folder).some((name) => /^ledger\.damaged-.*\.db$/.test(name)));
    assert.equal((await askChat(serve.url, { prompt: "hello" })).status, 200);
    await until(() => rowsIn(folder).length === 1, "the row");
  });

  it("loses no row and no request while another program holds its file, and stalls no stream", async () => {
    const sandbox = await startTestSandbox(opened, 1);
    const folder = newFolder(opened);
    const serve = await startServe(opened, wordsFor(sandbox, folder), sandbox.environment);
    await (await askChat(serve.url, { prompt: "before" })).text();
    await untilCommitted(folder);
    const other = new DatabaseSync(join(folder, "ledger.db"));
    opened.add(() => other.close());
    other.exec("BEGIN EXCLUSIVE");
    const began = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        const answer = await askChat(serve.url, { prompt: `[[tokens:${100 + number}]]`, stream: number % 2 === 0 });
        return { status: answer.status, text: await answer.text() };
      }),
    );
    const took = performance.now() - began;
    for (const { status, text } of answers) {
      assert.equal(status, 200);
      assert.match(text, /data: \[DONE\]|"usage"/);
    }
    assert.ok(took < 4_000, `streams stalled: ${took} ms`);
    assert.match(serve.error, / error Usage could not be written; it is kept in memory and written later\./);
    other.exec("ROLLBACK");
    // Without a request that would take the rows along.
    await until(() => rowsIn(folder).length === 21, "the rows", 8_000);
    await until(() => serve.error.includes("Usage is being written again."), "the good news");
    assert.equal(await requests(folder), 21);
  });

  it("loses no row when it is locked while the proxy is stopped", async () => {
    const sandbox = await startTestSandbox(opened);
    const folder = newFolder(opened);
    const serve = await startServe(opened, wordsFor(sandbox, folder), sandbox.environment);
    const other = new DatabaseSync(join(folder, "ledger.db"));
    opened.add(() => other.close());
    other.exec("BEGIN EXCLUSIVE");
    await (await askChat(serve.url, { prompt: "hello" })).text();
    serve.child.kill("SIGTERM");
    await until(() => serve.error.includes("could not be written"), "the failed write");
    other.exec("ROLLBACK");
    assert.equal((await serve.exit()).code, 0);
    assert.equal(rowsIn(folder).length, 1);
  });

  it("forgets what is older than --retention-days soon after the start", async () => {
    const sandbox = await startTestSandbox(opened);
    const folder = newFolder(opened);
    const now = Date.now();
    const file = openLedgerFile(folder, listeningLog(), now);
    const ledger = createUsageLedger(file, listeningLog());
    ledger.record(row({ id: "old", startedAt: now - 9 * DAY_MS }));
    ledger.record(row({ id: "new", startedAt: now - 5 * DAY_MS }));
    ledger.flush();
    file.close();
    const words = [...wordsFor(sandbox, folder), "--retention-days", "7"];
    await startServe(opened, words, sandbox.environment);
    await until(() => rowsIn(folder).length === 1, "the upkeep", 10_000);
    assert.deepEqual(
      rowsIn(folder).map(({ id }) => id),
      ["new"],
    );
    assert.equal(await requests(folder), 1);
  });
});
