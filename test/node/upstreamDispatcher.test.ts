import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, request as httpRequest, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect, type Socket } from "node:net";
import { promisify } from "node:util";
import type { Dispatcher } from "undici";
import { createUpstreamDispatcher, type UpstreamDispatcherSettings } from "../../src/node/upstreamDispatcher.ts";
import { httpUpstream, Opened, portOf, within } from "./relayRig.ts";

const certificates = new URL("../fixtures/tls/", import.meta.url);
const authority = readFileSync(new URL("authority.pem", certificates), "utf8");

describe("The upstream dispatcher", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  function dispatcherWith(settings: UpstreamDispatcherSettings): Dispatcher {
    const dispatcher = createUpstreamDispatcher(settings);
    opened.add(() => dispatcher.destroy());
    return dispatcher;
  }

  async function ask(dispatcher: Dispatcher, origin: string): Promise<string> {
    const answer = await within(dispatcher.request({ origin, path: "/", method: "GET" }), "the answer");
    return answer.body.text();
  }

  async function tlsUpstream(): Promise<number> {
    const server = createHttpsServer(
      {
        key: readFileSync(new URL("upstream.key", certificates)),
        cert: readFileSync(new URL("upstream.pem", certificates)),
      },
      (_incoming, outgoing) => outgoing.end("encrypted"),
    );
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    opened.add(() => {
      server.closeAllConnections();
      server.close();
    });
    return portOf(server);
  }

  /** A forward proxy that knows only this machine, whatever name it is asked for. */
  async function forwardProxy(): Promise<{ url: string; asked: string[]; authorizations: (string | undefined)[] }> {
    const asked: string[] = [];
    const authorizations: (string | undefined)[] = [];
    const server: Server = createHttpServer((incoming, outgoing) => {
      asked.push(`${incoming.method} ${incoming.url}`);
      authorizations.push(incoming.headers["proxy-authorization"]);
      const { port, pathname } = new URL(incoming.url ?? "");
      const onward = httpRequest({ host: "127.0.0.1", port, path: pathname, method: incoming.method }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(onward);
    });
    const tunnels = new Set<Socket>();
    server.on("connect", (incoming, socket: Socket) => {
      asked.push(`CONNECT ${incoming.url}`);
      authorizations.push(incoming.headers["proxy-authorization"]);
      const tunnel = connect(Number(incoming.url?.split(":")[1]), "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(tunnel).pipe(socket);
      });
      for (const end of [tunnel, socket]) tunnels.add(end.on("error", () => {}));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    opened.add(() => {
      for (const tunnel of tunnels) tunnel.destroy();
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${portOf(server)}`, asked, authorizations };
  }

  const plainUpstream = (): Promise<{ url: string; server: Server }> =>
    httpUpstream(opened, (_incoming, outgoing) => outgoing.end("plain"));

  it("reaches https upstreams whose authority is given", async () => {
    const port = await tlsUpstream();
    assert.equal(
      await ask(dispatcherWith({ extraCertificates: [authority] }), `https://localhost:${port}`),
      "encrypted",
    );
  });

  it("refuses https upstreams whose authority nobody knows, unless told otherwise", async () => {
    const port = await tlsUpstream();
    await assert.rejects(ask(dispatcherWith({}), `https://localhost:${port}`), {
      code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    });
    assert.equal(await ask(dispatcherWith({ strictTls: false }), `https://localhost:${port}`), "encrypted");
  });

  it("refuses a certificate of another name", async () => {
    const port = await tlsUpstream();
    const dispatcher = dispatcherWith({ extraCertificates: [authority] });
    await assert.rejects(ask(dispatcher, `https://127.0.0.2:${port}`));
  });

  it("trusts NODE_EXTRA_CA_CERTS", async () => {
    const port = await tlsUpstream();
    const module = new URL("../../src/node/upstreamDispatcher.ts", import.meta.url);
    const script = `
      const { createUpstreamDispatcher } = await import(${JSON.stringify(module.href)});
      const dispatcher = createUpstreamDispatcher();
      const answer = await dispatcher.request({ origin: "https://localhost:${port}", path: "/", method: "GET" });
      process.stdout.write(await answer.body.text());
      await dispatcher.destroy();`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: new URL("authority.pem", certificates).pathname },
      timeout: 8000,
    });
    assert.equal(stdout, "encrypted");
  });

  it("sends http through the proxy in absolute form and https through a tunnel", async () => {
    const [proxy, plain, port] = [await forwardProxy(), await plainUpstream(), await tlsUpstream()];
    const dispatcher = dispatcherWith({ httpProxy: proxy.url, httpsProxy: proxy.url, extraCertificates: [authority] });
    const plainPort = portOf(plain.server);
    assert.equal(await ask(dispatcher, `http://upstream.test:${plainPort}`), "plain");
    assert.equal(await ask(dispatcher, `https://upstream.test:${port}`), "encrypted");
    assert.deepEqual(proxy.asked, [`GET http://upstream.test:${plainPort}/`, `CONNECT upstream.test:${port}`]);
  });

  it("signs in at the proxy with the name and password of its address, whose scheme may be missing", async () => {
    const [proxy, plain] = [await forwardProxy(), await plainUpstream()];
    const dispatcher = dispatcherWith({ httpProxy: proxy.url.replace("http://", "ann:p%40ss@") });
    assert.equal(await ask(dispatcher, `http://upstream.test:${portOf(plain.server)}`), "plain");
    assert.deepEqual(proxy.authorizations, [`Basic ${Buffer.from("ann:p@ss").toString("base64")}`]);
  });

  it("checks certificates through the tunnel as well", async () => {
    const [proxy, port] = [await forwardProxy(), await tlsUpstream()];
    await assert.rejects(ask(dispatcherWith({ httpsProxy: proxy.url }), `https://upstream.test:${port}`));
  });

  it("goes past the proxy for NO_PROXY and always for loopback", async () => {
    const [proxy, plain] = [await forwardProxy(), await plainUpstream()];
    const port = portOf(plain.server);
    const dispatcher = dispatcherWith({ httpProxy: proxy.url, noProxy: "upstream.test" });
    assert.equal(await ask(dispatcher, `http://127.0.0.1:${port}`), "plain");
    assert.equal(await ask(dispatcher, `http://localhost:${port}`), "plain");
    await assert.rejects(ask(dispatcher, `http://upstream.test:${port}`), { code: /ENOTFOUND|EAI_AGAIN/ });
    assert.deepEqual(proxy.asked, []);
  });

  it("does not look into the environment", async () => {
    const [proxy, plain] = [await forwardProxy(), await plainUpstream()];
    const before = process.env["HTTP_PROXY"];
    process.env["HTTP_PROXY"] = proxy.url;
    try {
      const dispatcher = dispatcherWith({ httpsProxy: "http://127.0.0.1:9" });
      await assert.rejects(ask(dispatcher, `http://upstream.test:${portOf(plain.server)}`), {
        code: /ENOTFOUND|EAI_AGAIN/,
      });
      assert.deepEqual(proxy.asked, []);
    } finally {
      if (before === undefined) delete process.env["HTTP_PROXY"];
      else process.env["HTTP_PROXY"] = before;
    }
  });

  it("says which setting holds an address that is none", () => {
    assert.throws(
      () => createUpstreamDispatcher({ httpsProxy: "http://:::" }),
      /^Error: HTTPS_PROXY is not a proxy address/,
    );
  });

  it("gives every concurrent request a connection of its own", async () => {
    const waiting: (() => void)[] = [];
    const upstream = await httpUpstream(opened, (_incoming, outgoing) => {
      waiting.push(() => outgoing.end("x"));
      if (waiting.length === 40) for (const answer of waiting) answer();
    });
    const dispatcher = dispatcherWith({});
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(dispatcher, upstream.url)));
    assert.equal(answers.length, 40);
  });
});
