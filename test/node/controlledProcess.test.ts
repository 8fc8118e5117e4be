import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AlreadyRunningError } from "../../src/node/controlClaim.ts";
import { controlPathOf } from "../../src/node/controlPlace.ts";
import { connectControl } from "../../src/node/controlClient.ts";
import type { TokenKeeper } from "../../src/codex/tokenKeeper.ts";
import type { ControlEvent } from "../../src/node/controlState.ts";
import { ListenError } from "../../src/node/listenOn.ts";
import { KEY_DEFAULTS } from "../../src/node/keyDraft.ts";
import { type ProcessSettings, startProxyProcess } from "../../src/node/proxyProcess.ts";
import { listeningLog } from "../ledger/temporaryLedger.ts";
import { httpUpstream, Opened, until, within } from "./relayRig.ts";

const DEADLINE_MS = 8_000;

const signedOut: TokenKeeper = {
  access: () => Promise.reject(new Error("nobody is signed in")),
  renew: () => Promise.reject(new Error("nobody is signed in")),
  status: () =>
    Promise.resolve({
      state: "signed_out",
      email: undefined,
      planType: undefined,
      accountId: undefined,
      expiresAt: undefined,
      notice: undefined,
    }),
};

describe("a proxy process under control", () => {
  let opened: Opened;
  let folder: string;
  beforeEach(() => {
    opened = new Opened();
    folder = mkdtempSync(join(tmpdir(), "patchbay-test-"));
    opened.add(() => rmSync(folder, { recursive: true, force: true }));
  });
  afterEach(() => opened.closeAll());

  function settings(changes: Partial<ProcessSettings> = {}, upstream = "http://127.0.0.1:9"): ProcessSettings {
    return {
      host: "127.0.0.1",
      port: 0,
      dataDirectory: folder,
      proxy: {
        upstreams: { openai: { name: "openai", baseUrl: `${upstream}/v1`, apiKey: "sk-test" } },
        routes: [],
        defaultModel: undefined,
        allowedHosts: [],
        allowedOrigins: [],
        allowAnyKey: true,
        unknownPrice: "refuse",
        maximumBodyBytes: 1_000_000,
        modelCacheMs: 0,
      },
      aliases: {},
      keyDefaults: KEY_DEFAULTS,
      openKeeper: () => Promise.resolve(signedOut),
      fixedKey: undefined,
      statsPath: undefined,
      retentionDays: 0,
      keepAliveAfterMs: 0,
      network: {},
      onAnswered: () => undefined,
      ...changes,
    };
  }

  async function start(changes: Partial<ProcessSettings> = {}, upstream?: string) {
    const process = await startProxyProcess(settings(changes, upstream), listeningLog());
    opened.add(() => process.stop(0));
    return process;
  }

  async function client() {
    const found = await connectControl(controlPathOf(folder, process.env));
    assert.ok(found !== undefined);
    return found;
  }

  /** An upstream that begins an answer and ends it when the test says so. */
  async function slowUpstream() {
    const answers: ServerResponse[] = [];
    const { url } = await httpUpstream(opened, (incoming, outgoing) => {
      incoming.resume();
      outgoing.writeHead(200, { "content-type": "application/json" });
      outgoing.write('{"id":"x","object":"chat.completion","model":"gpt-5.5","choices":[],');
      answers.push(outgoing);
    });
    const end = (): void =>
      answers.forEach((one) => one.end('"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}'));
    return { url, answers, end };
  }

  function ask(port: number): Promise<Response> {
    return fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: "Bearer pb_any", "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5.5", messages: [] }),
    });
  }

  it("tells where it listens, and refuses a second one of its data directory with that", async () => {
    const first = await start();
    const url = `http://127.0.0.1:${first.port}`;
    const state = await (await client()).state();
    assert.deepEqual(
      [state.url, state.pid, state.phase, state.inFlight, state.dataDirectory, state.upstreams],
      [url, process.pid, "running", 0, folder, [{ name: "openai", baseUrl: "http://127.0.0.1:9/v1", hasKey: true }]],
    );
    assert.ok(!JSON.stringify(state).includes("sk-test"));
    assert.equal((await (await client()).signIn())?.state, "signed_out");
    assert.equal(await (await client()).plan(), undefined);
    await assert.rejects(start(), (error) => error instanceof AlreadyRunningError && error.message.includes(url));
    assert.equal((await fetch(`${url}/health`)).status, 200);
    await first.stop(0);
    assert.equal(await connectControl(controlPathOf(folder, process.env)), undefined);
    await start();
  });

  it("has no control on its port", async () => {
    const { port } = await start();
    for (const path of ["/state", "/events", "/stop"])
      assert.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 404, path);
  });

  it("leaves directory and socket to the next when its port was taken", async () => {
    const other = mkdtempSync(join(tmpdir(), "patchbay-test-"));
    opened.add(() => rmSync(other, { recursive: true, force: true }));
    const { port } = await start({ dataDirectory: other });
    await assert.rejects(start({ port }), ListenError);
    assert.equal(await connectControl(controlPathOf(folder, process.env)), undefined);
    await start();
  });

  it("ends when it is told to, over the socket", async () => {
    const { ended, port } = await start();
    assert.equal((await (await client()).stop(0)).phase, "draining");
    await within(ended, "the end", DEADLINE_MS);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/health`));
  });

  it("hands port and directory to a newer one at once, finishes its answer, writes it down and ends", async () => {
    const upstream = await slowUpstream();
    const old = await start({}, upstream.url);
    const answer = await ask(old.port);
    const events: ControlEvent[] = [];
    const reading = (async () => {
      for await (const event of (await client()).events(new AbortController().signal)) events.push(event);
    })();
    await until(() => events.length > 0, "the first event", DEADLINE_MS);
    const state = await (await client()).drain("newer version");
    assert.deepEqual([state.phase, state.inFlight], ["draining", 1]);
    const newer = await start({ port: old.port }, upstream.url);
    assert.equal((await (await client()).state()).phase, "running");
    assert.equal((await fetch(`http://127.0.0.1:${newer.port}/health`)).status, 200);
    upstream.end();
    assert.equal(((await answer.json()) as { usage: { total_tokens: number } }).usage.total_tokens, 10);
    await within(old.ended, "the end of the old one", DEADLINE_MS);
    await within(reading, "the end of its events", DEADLINE_MS);
    assert.ok(events.some((event) => event.type === "state" && event.state.phase === "draining"));
    assert.ok(events.some((event) => event.type === "row" && event.row.output_tokens === 3));
    const [used] = await (await client()).usage({ by: "none" });
    assert.equal(used?.input_tokens, 7);
  });

  it("ends itself when its last window has gone and its last answer is over, where it was started so", async () => {
    const upstream = await slowUpstream();
    const { port, ended } = await start({ control: { exitWhenIdleMs: 1_500 } }, upstream.url);
    const visit = new AbortController();
    const visiting = (async () => {
      for await (const event of (await client()).events(visit.signal, "window"))
        if (event.type === "state") assert.equal(event.state.visitors <= 1, true);
    })();
    let over = false;
    void ended.then(() => (over = true));
    const answer = await ask(port);
    visit.abort();
    await visiting;
    await until(() => upstream.answers.length === 1, "the request", DEADLINE_MS);
    assert.equal((await (await client()).state()).inFlight, 1);
    assert.equal(over, false);
    upstream.end();
    await answer.text();
    await within(ended, "the end", DEADLINE_MS);
  });
});
