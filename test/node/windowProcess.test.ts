import assert from "node:assert/strict";
import { createServer } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectControl, type ControlClient } from "../../src/node/controlClient.ts";
import { controlPathOf } from "../../src/node/controlPlace.ts";
import type { ControlEvent, ControlRefused } from "../../src/node/controlState.ts";
import { listenOn } from "../../src/node/listenOn.ts";
import { type WindowClient, windowClient } from "../../src/node/windowClient.ts";
import { startWindowProcess } from "../../src/node/windowProcess.ts";
import { INITIAL_SETTINGS } from "../../src/node/windowSettings.ts";
import type { WindowStart } from "../../src/node/windowStart.ts";
import { Opened, until, within } from "./relayRig.ts";

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

interface Running {
  readonly client: ControlClient;
  readonly extended: WindowClient;
  readonly url: string;
}

describe("the process that windows share", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  /** Starts a process, and hands it nothing, as a window does that keeps no secrets. */
  async function start(changes: Partial<WindowStart> = {}): Promise<Running> {
    const running = await startUnattended(changes);
    await running.extended.offerCredentials({});
    return running;
  }

  async function startUnattended(changes: Partial<WindowStart> = {}): Promise<Running> {
    const dataDirectory = mkdtempSync(join(tmpdir(), "patchbay-"));
    opened.add(() => rmSync(dataDirectory, { recursive: true, force: true }));
    const process_ = await startWindowProcess(
      {
        dataDirectory,
        port: 0,
        sandbox: true,
        exitWhenIdleMs: 60_000,
        retentionDays: 0,
        logRequests: false,
        ...changes,
      },
      {},
      QUIET,
    );
    opened.add(() => process_.stop(0));
    const client = await connectControl(controlPathOf(dataDirectory, process.env));
    assert.ok(client !== undefined);
    return { client, extended: windowClient(client), url: `http://${process_.host}:${process_.port}` };
  }

  async function ask(url: string, key: string, body: object, path = "/v1/chat/completions"): Promise<Response> {
    return fetch(`${url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content: "Say ok." }], ...body }),
    });
  }

  /** Attaches as a window does; gives the events that have come. */
  async function attach({ client }: Running): Promise<readonly ControlEvent[]> {
    const leaving = new AbortController();
    opened.add(() => leaving.abort());
    const events: ControlEvent[] = [];
    void (async () => {
      for await (const event of client.events(leaving.signal, "window")) events.push(event);
    })();
    await until(() => events.length > 0, "the first event");
    return events;
  }

  it("answers from the sandbox, and every figure comes from the ledger", async () => {
    const running = await start();
    const { key } = await running.client.addKey({ label: "test" });
    assert.equal((await ask(running.url, key, { model: "gpt-5.5" })).status, 200);
    const view = await running.extended.usageView({ range: "today", by: "model", key: null, model: null });
    const [total] = await running.client.usage({ by: "none" });
    assert.equal(view?.sums.today.requests, 1);
    assert.equal(view?.sums["30d"].cost_usd, total?.cost_usd);
    const tokens = view?.steps.flatMap(({ groups }) => groups).reduce((sum, group) => sum + group.tokens, 0);
    assert.equal(tokens, (total?.input_tokens ?? 0) + (total?.output_tokens ?? 0));
    assert.deepEqual(view?.models.length, 1);
  });

  it("takes the next port where another program has the wished one, and says which it wished for", async () => {
    const other = createServer();
    const { port } = await listenOn(other, "127.0.0.1", 0);
    opened.add(() => other.close());
    const running = await start({ port });
    assert.notEqual(new URL(running.url).port, String(port));
    assert.equal((await running.extended.settings())?.wishedPort, port);
  });

  it("takes up changed settings while it runs", async () => {
    const running = await start();
    const { key } = await running.client.addKey({ label: "test" });
    await running.extended.applySettings({ ...INITIAL_SETTINGS, defaultModel: "gpt-5.5-mini" });
    const answer = (await (await ask(running.url, key, {})).json()) as { readonly model?: string };
    assert.match(answer.model ?? "", /gpt-5\.5-mini/);
  });

  it("goes to its upstreams by the editor's proxy from the moment on that it is told of it, and not where the editor says so", async () => {
    const reached: string[] = [];
    const proxy = createServer();
    proxy.on("connect", (request, socket) => {
      reached.push(request.url ?? "");
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
    const { port } = await listenOn(proxy, "127.0.0.1", 0);
    opened.add(() => proxy.close());
    const { extended } = await start({ sandbox: false });
    const throughProxy = (noProxy: readonly string[]) =>
      extended.applySettings({
        ...INITIAL_SETTINGS,
        baseUrls: { openai: "https://upstream.invalid/v1" },
        network: { ...INITIAL_SETTINGS.network, proxy: `http://127.0.0.1:${port}`, noProxy: [...noProxy] },
      });
    await throughProxy([]);
    assert.equal((await extended.verifyKey("openai", "sk-something"))?.verdict, "unreachable");
    assert.deepEqual([...new Set(reached)], ["upstream.invalid:443"]);
    reached.length = 0;
    await throughProxy(["upstream.invalid"]);
    await extended.verifyKey("openai", "sk-something");
    assert.deepEqual(reached, []);
  });

  it("refuses settings that it cannot use, in a sentence, and never tells a password", async () => {
    const { extended } = await start();
    const network = { ...INITIAL_SETTINGS.network, proxy: "socks5://user:secret@proxy" };
    await assert.rejects(extended.applySettings({ ...INITIAL_SETTINGS, network }), (error: Error) => {
      assert.match(error.message, /http\.proxy/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    await assert.rejects(extended.applySettings({ ...INITIAL_SETTINGS, baseUrls: { openai: "ftp://x" } }), /openai/);
  });

  it("holds keys in memory, and tells which but never what", async () => {
    const { extended } = await start({ sandbox: false });
    assert.deepEqual(await extended.offerCredentials({ openai: "sk-secret-1" }), {
      openai: true,
      openrouter: false,
      codex: false,
    });
    assert.doesNotMatch(JSON.stringify(await extended.credentials()), /secret/);
    assert.equal((await extended.offerCredentials({ openai: null }))?.openai, false);
  });

  it("tries a key with its upstream", async () => {
    const { extended } = await start();
    assert.equal((await extended.verifyKey("openai", "sk-patchbay-sandbox"))?.verdict, "accepted");
    assert.equal((await extended.verifyKey("openrouter", "sk-bad"))?.verdict, "refused");
  });

  it("tells attached windows of each request that a limit refused: whose, for what, where to, and until when", async () => {
    const running = await start();
    const { client, url } = running;
    const events = await attach(running);
    const told = (): ControlRefused[] => events.flatMap((event) => (event.type === "refusal" ? [event.refusal] : []));
    const refusedFor = async (label: string, written: object, model: string, spend = 0): Promise<ControlRefused> => {
      const { id, key, expires_at: expiry } = await client.addKey({ label, ...written });
      for (let turn = 0; turn < spend; turn += 1) assert.equal((await ask(url, key, { model })).status, 200);
      const expired = expiry === null ? 0 : Date.parse(expiry);
      await until(() => Date.now() >= expired, "the key's expiry");
      const before = told().length;
      const answer = await ask(url, key, { model });
      assert.ok(answer.status >= 400);
      const wait = answer.headers.get("retry-after");
      await until(() => told().length > before, "the refusal");
      const refusal = told()[before];
      assert.ok(refusal !== undefined);
      assert.deepEqual([refusal.keyId, refusal.keyLabel], [id, label]);
      // What the caller is told to wait is what the window is told, to the second.
      if (refusal.until === null) assert.equal(wait, null);
      else {
        // It is told a moment later, in which a second may have begun.
        const seconds = Math.ceil((refusal.until - refusal.at) / 1000);
        assert.ok(seconds === Number(wait) || seconds === Number(wait) - 1, `${seconds} s, ${wait}`);
      }
      return refusal;
    };
    const facts = ({ code, model, upstream, until: then }: ControlRefused) => [code, model, upstream, then === null];
    assert.deepEqual(facts(await refusedFor("bound", { models: ["nothing"] }, "gpt-5.5")), [
      "model_not_allowed",
      "gpt-5.5",
      "openai",
      true,
    ]);
    assert.deepEqual(facts(await refusedFor("fast", { rate: "1/h", burst: "1" }, "gpt-5.5", 1)), [
      "rate_limit_exceeded",
      "gpt-5.5",
      "openai",
      false,
    ]);
    assert.deepEqual(facts(await refusedFor("daily", { quota: "1/day" }, "qwen/qwen3-coder", 1)), [
      "quota_exceeded",
      "qwen/qwen3-coder",
      "openrouter",
      false,
    ]);
    assert.deepEqual(facts(await refusedFor("lifelong", { quota: "1" }, "gpt-5.5", 1)), [
      "quota_exceeded",
      "gpt-5.5",
      "openai",
      true,
    ]);
    assert.deepEqual(facts(await refusedFor("poor", { credit: "0" }, "gpt-5.5")), [
      "insufficient_credit",
      "gpt-5.5",
      "openai",
      true,
    ]);
    // Its body is not even read.
    assert.deepEqual(facts(await refusedFor("old", { expires: "1s" }, "gpt-5.5")), ["key_expired", null, null, true]);
  });

  it("lets one window alone tell the user of an occasion that all of them hear of", async () => {
    const { extended } = await start();
    const occasion = "quota_exceeded key_1 1";
    const claims = await Promise.all([1, 2, 3].map(() => extended.claimNotice(occasion)));
    assert.equal(claims.filter((isFirst) => isFirst).length, 1);
    assert.equal(await extended.claimNotice("quota_exceeded key_1 2"), true);
    await assert.rejects(extended.claimNotice(""), /An occasion is a text/);
  });

  it("tells of a refusal once, however often its client asks again at once", async () => {
    const running = await start();
    const events = await attach(running);
    const { key } = await running.client.addKey({ label: "poor", credit: "0" });
    const { key: other } = await running.client.addKey({ label: "other", credit: "0" });
    await Promise.all(Array.from({ length: 30 }, () => ask(running.url, key, { model: "gpt-5.5" })));
    await ask(running.url, other, { model: "gpt-5.5" });
    const labels = (): string[] =>
      events.flatMap((event) => (event.type === "refusal" ? [event.refusal.keyLabel ?? ""] : []));
    await until(() => labels().includes("other"), "the refusal");
    assert.ok(labels().filter((label) => label === "poor").length <= 3, labels().join());
  });

  describe("with a ChatGPT sign-in", () => {
    /** Signs in at the sandbox's server by device code. */
    async function tokensOf({ extended }: Running) {
      const { createOauthIssuer } = await import("../../src/codex/oauthIssuer.ts");
      const { beginDeviceSignIn } = await import("../../src/codex/deviceSignIn.ts");
      const issuer = createOauthIssuer({
        baseUrl: (await extended.settings())?.authBaseUrl ?? "",
        fetch: (url, init) => fetch(url, init),
        userAgent: "test",
        now: () => Date.now(),
      });
      const device = await beginDeviceSignIn(issuer, {
        monotonic: () => performance.now(),
        wait: () => new Promise((resolve) => setTimeout(resolve, 20)),
      });
      await confirmDevice(device.url, device.userCode);
      return within(device.complete(new AbortController().signal), "the sign-in", 5_000);
    }

    it("is signed in with the tokens that a window hands over, and out when it takes them away", async () => {
      const running = await start();
      await running.extended.offerCredentials({ codex: await tokensOf(running) });
      assert.equal((await running.client.signIn())?.state, "signed_in");
      await running.extended.offerCredentials({ codex: null });
      assert.equal((await running.client.signIn())?.state, "signed_out");
    });

    it("goes by a window's tokens from its very next request on, and no longer once they are taken away", async () => {
      const running = await start();
      const { key } = await running.client.addKey({ label: "test" });
      const codex = await tokensOf(running);
      for (const offered of [undefined, { codex }, { codex: null }]) {
        if (offered !== undefined) await running.extended.offerCredentials(offered);
        assert.equal((await ask(running.url, key, { model: "gpt-5.5" })).status, 200);
      }
      const page = await running.extended.rows({ limit: 10 });
      assert.deepEqual(page?.rows.map(({ upstream }) => upstream).toReversed(), ["openai", "codex", "openai"]);
    });

    it("lets a request that comes before its first window wait for what that one hands over", async () => {
      const running = await startUnattended();
      const { key } = await running.client.addKey({ label: "early" });
      const codex = await tokensOf(running);
      const early = ask(running.url, key, { model: "gpt-5.5" });
      // A later request that is answered at once shows that the early one has arrived.
      assert.equal((await fetch(`${running.url}/health`)).status, 200);
      await running.extended.offerCredentials({ codex });
      assert.equal((await early).status, 200);
      const page = await running.extended.rows({ limit: 10 });
      assert.deepEqual(
        page?.rows.map(({ upstream }) => upstream),
        ["codex"],
      );
    });

    it("has refreshed tokens stored by a window before it relies on them", async () => {
      const running = await start();
      const tokens = await tokensOf(running);
      const events = await attach(running);
      // A token that is about to end is refreshed before its next use.
      const { key } = await running.client.addKey({ label: "test" });
      await running.extended.offerCredentials({ codex: { ...tokens, accessToken: endingSoon(tokens.accessToken) } });
      const answered = ask(running.url, key, { model: "gpt-5.5" }, "/api/proxy/codex/v1/chat/completions");
      await until(() => events.some(({ type }) => type === "credentials"), "the event");
      const id = events.find((event) => event.type === "credentials")?.pending ?? "";
      const pending = await running.extended.pendingCredentials(id);
      assert.ok(pending !== undefined && pending !== null && pending.accessToken !== tokens.accessToken);
      assert.doesNotMatch(JSON.stringify(events), new RegExp(pending.accessToken.slice(-20)));
      await running.extended.storedCredentials(id);
      assert.equal((await within(answered, "the answer", 5_000)).status, 200);
      assert.equal(await running.extended.pendingCredentials(id), undefined);
    });

    it("does not refresh while no window is attached, and says what to do", async () => {
      const running = await start();
      const tokens = await tokensOf(running);
      const { key } = await running.client.addKey({ label: "test" });
      await running.extended.offerCredentials({ codex: { ...tokens, accessToken: ended(tokens.accessToken) } });
      const answer = await ask(running.url, key, { model: "gpt-5.5" }, "/api/proxy/codex/v1/chat/completions");
      assert.ok(answer.status >= 400);
      assert.match(await answer.text(), /while a VS Code window is open/);
    });

    it("keeps newer tokens than those of a window that had read its store too early", async () => {
      const running = await start();
      const tokens = await tokensOf(running);
      const refreshedAt = tokens.refreshedAt ?? Date.now();
      await running.extended.offerCredentials({ codex: { ...tokens, refreshedAt } });
      const before = (await running.client.signIn())?.expiresAt;
      const older = { ...tokens, accessToken: ended(tokens.accessToken), refreshedAt: refreshedAt - 1 };
      await running.extended.offerCredentials({ codex: older });
      assert.equal((await running.client.signIn())?.expiresAt, before);
    });
  });
});

/** The same token with another end; nobody but its owner reads that. */
function withExpiry(token: string, seconds: number): string {
  const [head = "", claims = "", signature = ""] = token.split(".");
  const read = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, unknown>;
  const changed = { ...read, exp: Math.floor(Date.now() / 1000) + seconds };
  return [head, Buffer.from(JSON.stringify(changed)).toString("base64url"), signature].join(".");
}

function endingSoon(token: string): string {
  return withExpiry(token, 60);
}

function ended(token: string): string {
  return withExpiry(token, -60);
}

/** Types the code in on the sandbox's page. */
async function confirmDevice(url: string, userCode: string): Promise<void> {
  const answer = await fetch(url, { method: "POST", body: new URLSearchParams({ user_code: userCode }) });
  assert.equal(answer.status, 200);
}
