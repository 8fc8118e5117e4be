import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { CodexTokens } from "../../src/codex/credentialStore.ts";
import { createOauthIssuer } from "../../src/codex/oauthIssuer.ts";
import { SignInError } from "../../src/codex/signInError.ts";
import { signInOverLoopback } from "../../src/node/loopbackSignIn.ts";
import { BASE_URL, createPretendIssuer } from "../codex/pretendIssuer.ts";
import { Opened, portOf, until, within } from "./relayRig.ts";

describe("a sign-in over a port of this machine", function () {
  this.timeout(20_000);
  let opened: Opened;
  let pretend: ReturnType<typeof createPretendIssuer>;

  beforeEach(() => {
    opened = new Opened();
    pretend = createPretendIssuer();
  });

  afterEach(() => opened.closeAll());

  /** A port that was free a moment ago. */
  async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const port = portOf(server);
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  async function start(options: { ports?: number[]; keep?: (tokens: CodexTokens) => Promise<void> } = {}) {
    const kept: CodexTokens[] = [];
    const cancelling = new AbortController();
    let url = "";
    const ended = signInOverLoopback({
      issuer: createOauthIssuer({ baseUrl: BASE_URL, fetch: pretend.fetch, now: Date.now, userAgent: "test" }),
      ports: options.ports ?? [await freePort()],
      show: async (shown) => void (url = shown),
      keep: options.keep ?? (async (tokens) => void kept.push(tokens)),
      signal: cancelling.signal,
    });
    const watched = within(ended, "the end of the sign-in", 10_000);
    watched.catch(() => undefined);
    opened.add(() => cancelling.abort());
    await until(() => url !== "", "the sign-in page", 10_000);
    const back = new URL(new URL(url).searchParams.get("redirect_uri")!);
    return { url, back, kept, cancelling, ended: watched };
  }

  /** The browser, which here finds `localhost` at 127.0.0.1. */
  async function visit(
    address: URL,
    init: RequestInit = {},
  ): Promise<{ status: number; text: string; headers: Headers }> {
    const response = await fetch(address.href.replace("localhost", "127.0.0.1"), { redirect: "manual", ...init });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  it("keeps the tokens before it tells the browser, on a page without script that sends nothing on", async () => {
    const order: string[] = [];
    const { url, back, ended } = await start({ keep: async () => void order.push("kept") });
    assert.match(back.href, /^http:\/\/localhost:\d+\/auth\/callback$/);
    const answer = await visit(pretend.agree(url));
    order.push("shown");
    await ended;
    assert.deepEqual(order, ["kept", "shown"]);
    assert.equal(answer.status, 200);
    assert.match(answer.text, /Signed in/);
    assert.doesNotMatch(answer.text, /<script|eyJ|rt_/);
    assert.match(answer.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.equal(answer.headers.get("location"), null);
    await assert.rejects(visit(back));
  });

  it("answers 400 to another state and 404 to other paths, and keeps waiting", async () => {
    const { url, back, kept, ended } = await start();
    const right = pretend.agree(url);
    const wrong = new URL(right);
    wrong.searchParams.set("state", "wrong");
    assert.equal((await visit(wrong)).status, 400);
    assert.equal((await visit(new URL("/success", back))).status, 404);
    assert.equal((await visit(new URL(`${back.origin}//`))).status, 404);
    assert.equal((await visit(right, { method: "POST" })).status, 404);
    assert.equal((await visit(right)).status, 200);
    await ended;
    assert.equal(kept.length, 1);
  });

  it("spends a code once where the browser comes twice", async () => {
    const { url, kept, ended } = await start();
    const right = pretend.agree(url);
    const answers = await Promise.all([visit(right), visit(right)]);
    await ended;
    assert.deepEqual([answers.map(({ status }) => status), kept.length], [[200, 200], 1]);
  });

  it("ends with the reason when the user says no, and when the tokens cannot be kept", async () => {
    const first = await start();
    const state = new URL(first.url).searchParams.get("state")!;
    const denied = await visit(new URL(`${first.back.href}?error=access_denied&state=${state}`));
    assert.equal(denied.status, 400);
    assert.match(denied.text, /declined/);
    await assert.rejects(first.ended, /declined/);
    const second = await start({
      keep: async () => Promise.reject(new SignInError("store_failed", "The disk is full.")),
    });
    assert.match((await visit(pretend.agree(second.url))).text, /disk is full/);
    await assert.rejects(second.ended, /disk is full/);
  });

  it("leaves when another program asks for the port, but not when a page does", async () => {
    const { back, ended } = await start();
    const cancel = new URL("/cancel", back);
    assert.equal((await visit(cancel, { headers: { "sec-fetch-site": "cross-site" } })).status, 404);
    assert.equal((await visit(cancel)).status, 200);
    await assert.rejects(ended, (error) => error instanceof SignInError && error.problem === "cancelled");
  });

  it("takes the port over from an older sign-in", async () => {
    const older = await start();
    const newer = await start({ ports: [Number(older.back.port), await freePort()] });
    await assert.rejects(older.ended, /took over/);
    assert.equal(newer.back.port, older.back.port);
    newer.cancelling.abort();
    await assert.rejects(newer.ended, /cancelled/);
  });

  it("goes to the other port when the first is not given up, and says so when both are taken", async () => {
    const asked: string[] = [];
    const taken = createServer((incoming, outgoing) => {
      asked.push(incoming.url ?? "");
      outgoing.end();
    }).listen(0, "127.0.0.1");
    await once(taken, "listening");
    opened.add(() => {
      taken.closeAllConnections();
      taken.close();
    });
    const other = await freePort();
    const signIn = await start({ ports: [portOf(taken), other] });
    assert.equal(Number(signIn.back.port), other);
    assert.deepEqual(asked, ["/cancel"]);
    await assert.rejects(
      signInOverLoopback({
        issuer: createOauthIssuer({ baseUrl: BASE_URL, fetch: pretend.fetch, now: Date.now, userAgent: "test" }),
        ports: [portOf(taken), portOf(taken)],
        show: async () => undefined,
        keep: async () => undefined,
        signal: new AbortController().signal,
      }),
      /--device/,
    );
  });
});
