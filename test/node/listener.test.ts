import assert from "node:assert/strict";
import { Hono } from "hono";
import { ListenError } from "../../src/node/listenOn.ts";
import { startListener, type Listener, type ListenerBindings } from "../../src/node/listener.ts";
import { createNodeExchanges } from "../../src/node/nodeExchange.ts";
import { createUpstreamDispatcher } from "../../src/node/upstreamDispatcher.ts";
import { TurnFlush } from "../../src/node/turnFlush.ts";
import { httpUpstream, Opened, RawClient, startRelay, until, within } from "./relayRig.ts";

describe("The listener", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  async function listening(
    fetch: (request: Request, bindings: ListenerBindings) => Response | Promise<Response>,
    options: { headTimeoutMs?: number; port?: number } = {},
  ): Promise<Listener> {
    const dispatcher = createUpstreamDispatcher();
    const listener = await startListener({
      fetch,
      host: "127.0.0.1",
      port: 0,
      exchanges: createNodeExchanges({
        dispatcher,
        maximumBodyBytes: 1000,
        keepAliveAfterMs: 0,
        turns: new TurnFlush(() => {}),
        clock: { now: () => Date.now(), monotonic: () => performance.now() },
      }),
      ...options,
    });
    opened.add(() => listener.close());
    opened.add(() => dispatcher.destroy());
    return listener;
  }

  function hello(): Promise<Listener> {
    return listening((request) => new Response(`hello ${new URL(request.url).pathname}`));
  }

  function openAiError(text: string): { message: string; type: string; code: string } {
    return JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4)).error;
  }

  it("says which real port it took", async () => {
    const listener = await hello();
    assert.ok(listener.port > 0);
    const client = new RawClient(opened, listener.port).send("GET /x HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await client.receives("hello /x");
  });

  it("rejects with a sentence that names the way out when the port is taken", async () => {
    const { port } = await hello();
    await assert.rejects(
      listening(() => new Response(), { port }),
      (error) => {
        assert.ok(error instanceof ListenError);
        assert.equal(error.problem, "port_taken");
        assert.match(error.message, new RegExp(`^Port ${port} on 127.0.0.1 is taken .* choose another port\\.$`));
        return true;
      },
    );
  });

  it("leaves the global Request and Response alone", async () => {
    const before = [globalThis.Request, globalThis.Response];
    await hello();
    assert.deepEqual([globalThis.Request, globalThis.Response], before);
  });

  it("gives the application a doubled slash as it came", async () => {
    const app = new Hono<{ Bindings: ListenerBindings }>();
    app.post("//responses", (context) => context.text(`route for ${context.env.exchange.target}`));
    const listener = await listening(app.fetch);
    for (const host of ["localhost", `127.0.0.1:${listener.port}`, "[::1]:80", "LOCALHOST:1"]) {
      const client = new RawClient(opened, listener.port);
      client.send(`POST //responses?a=%2F HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 0\r\n\r\n`);
      await client.receives("route for //responses?a=%2F");
    }
  });

  it("gives the application a websocket handshake as an ordinary request", async () => {
    const app = new Hono<{ Bindings: ListenerBindings }>();
    app.get("/v1/responses", (context) => context.json({ upgrade: context.req.header("upgrade") }, 426));
    const listener = await listening(app.fetch);
    const client = new RawClient(opened, listener.port).send(
      "GET /v1/responses HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await client.receives('{"upgrade":"websocket"}');
    assert.match(client.text, /^HTTP\/1.1 426 /);
  });

  const hostile: readonly (readonly [string, string, string])[] = [
    ["an absolute target", "GET http://evil.test/ HTTP/1.1\r\nhost: localhost\r\n\r\n", "400"],
    ["a target of another scheme", "GET file:///etc/passwd HTTP/1.1\r\nhost: localhost\r\n\r\n", "400"],
    ["an asterisk", "OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n", "400"],
    ["a backslash in the path", "GET /a\\..\\b HTTP/1.1\r\nhost: localhost\r\n\r\n", "400"],
    ["a host with a path", "GET / HTTP/1.1\r\nhost: localhost/x\r\n\r\n", "400"],
    ["a host with a user", "GET / HTTP/1.1\r\nhost: user@localhost\r\n\r\n", "400"],
    ["a host with a space", "GET / HTTP/1.1\r\nhost: a b\r\n\r\n", "400"],
    ["no host", "GET / HTTP/1.1\r\n\r\n", "400"],
    ["no host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "400"],
    ["CONNECT", "CONNECT evil.test:443 HTTP/1.1\r\nhost: evil.test:443\r\n\r\n", "400"],
    ["a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"],
    ["garbage", "what is this\r\n\r\n", "400"],
    ["two lengths", "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", "400"],
    [
      "a length and chunks",
      "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
      "400",
    ],
    ["a flood of headers", `GET / HTTP/1.1\r\nhost: localhost\r\n${"x: 1234567\r\n".repeat(12_000)}\r\n`, "431"],
    ["a huge target", `GET /${"x".repeat(70_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, "431"],
  ];
  for (const [what, request, status] of hostile) {
    it(`answers ${what} with an OpenAI-shaped ${status}`, async () => {
      const listener = await hello();
      const client = new RawClient(opened, listener.port).send(request);
      await client.receives("}}");
      assert.match(client.text, new RegExp(`^HTTP/1.1 ${status} `));
      assert.equal(openAiError(client.text).code, "invalid_request");
    });
  }

  it("answers an application that throws with an OpenAI-shaped 500 that gives nothing away", async () => {
    const listener = await listening(() => {
      throw new Error("secret");
    });
    const client = new RawClient(opened, listener.port).send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await client.receives("}}");
    assert.match(client.text, /^HTTP\/1.1 500 /);
    assert.equal(openAiError(client.text).code, "internal_error");
    assert.doesNotMatch(client.text, /secret/);
  });

  it("writes no error into the middle of an answer that is under way", async () => {
    const upstream = await httpUpstream(opened, (_incoming, outgoing) => {
      outgoing.write("begun");
    });
    const rig = await startRelay(opened, upstream.url);
    const client = new RawClient(opened, rig.port).send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await client.receives("begun");
    client.send("garbage\r\n\r\n");
    await client.closes();
    assert.doesNotMatch(client.text, /400|error/);
    assert.deepEqual(rig.outcomes, ["client_left"]);
  });

  it("gives up a head that comes too slowly, but not a slow body or answer", async () => {
    let finish = (): void => {};
    const answer = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const listener = await listening(
      async (request) => {
        const text = await request.text();
        await answer;
        return new Response(`got ${text}`);
      },
      { headTimeoutMs: 100 },
    );
    const slowHead = new RawClient(opened, listener.port).send("GET / HTTP/1.1\r\nhost: loc");
    const slowBody = new RawClient(opened, listener.port).send(
      "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n\r\nsl",
    );
    await slowHead.closes();
    assert.match(slowHead.text, /^HTTP\/1.1 408 /);
    assert.equal(openAiError(slowHead.text).code, "invalid_request");
    slowBody.send("ow");
    finish();
    await slowBody.receives("got slow");
  });

  it("drains: refuses new connections, finishes running streams, then closes their connections", async () => {
    let finish = (): void => {};
    const upstream = await httpUpstream(opened, (_incoming, outgoing) => {
      outgoing.write("begun");
      finish = () => outgoing.end("finished");
    });
    const rig = await startRelay(opened, upstream.url);
    const idle = new RawClient(opened, rig.port);
    const busy = new RawClient(opened, rig.port).send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await busy.receives("begun");
    const drained = rig.listener.drain(5000);
    await idle.closes();
    const refused = new RawClient(opened, rig.port);
    await refused.closes();
    assert.equal(busy.closed, false);
    finish();
    await busy.receives("finished");
    await within(drained, "the drain", 1000);
    await busy.closes();
    assert.deepEqual(rig.outcomes, ["complete"]);
  });

  it("breaks what is still running when the grace is over", async () => {
    const upstream = await httpUpstream(opened, (_incoming, outgoing) => {
      outgoing.write("begun");
    });
    const rig = await startRelay(opened, upstream.url);
    const client = new RawClient(opened, rig.port).send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await client.receives("begun");
    await within(rig.listener.drain(20), "the drain", 1000);
    await client.closes();
    await until(() => rig.outcomes.length === 1, "the ending");
    assert.deepEqual(rig.outcomes, ["client_left"]);
  });

  it("can be closed twice", async () => {
    const listener = await hello();
    await within(Promise.all([listener.close(), listener.drain(10)]), "the close");
  });
});
