import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect, type Socket } from "node:net";
import { Opened, portOf } from "../node/relayRig.ts";
import { askResponses, LOCAL_KEY, newFolder, startServe } from "./serveProcess.ts";

const certificates = new URL("../fixtures/tls/", import.meta.url);
const OPENAI_KEY = "sk-behind-the-proxy";

describe("patchbay serve behind a company's proxy", function () {
  this.timeout(60_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  /** A stream over TLS, from an authority that only NODE_EXTRA_CA_CERTS knows. */
  async function tlsUpstream(): Promise<{ port: number; authorizations: (string | undefined)[] }> {
    const authorizations: (string | undefined)[] = [];
    const server = createHttpsServer(
      {
        key: readFileSync(new URL("upstream.key", certificates)),
        cert: readFileSync(new URL("upstream.pem", certificates)),
      },
      (incoming, outgoing) => {
        authorizations.push(incoming.headers.authorization);
        incoming.resume();
        outgoing.writeHead(200, { "content-type": "text/event-stream" });
        outgoing.write('event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n');
        outgoing.end(
          'event: response.completed\ndata: {"type":"response.completed","response":{"id":"resp_1","usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}}\n\n',
        );
      },
    ).listen(0, "127.0.0.1");
    server.on("tlsClientError", () => {});
    await once(server, "listening");
    opened.add(() => {
      server.closeAllConnections();
      server.close();
    });
    return { port: portOf(server), authorizations };
  }

  /** A forward proxy that finds every name on this machine. */
  async function forwardProxy(): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const tunnels = new Set<Socket>();
    const server = createHttpServer();
    server.on("connect", (incoming, socket: Socket) => {
      asked.push(`CONNECT ${incoming.url} ${incoming.headers["proxy-authorization"]}`);
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
      server.close();
    });
    return { url: `http://ann:secret@127.0.0.1:${portOf(server)}`, asked };
  }

  it("reaches its upstream through HTTPS_PROXY, trusting NODE_EXTRA_CA_CERTS", async () => {
    const [upstream, proxy] = [await tlsUpstream(), await forwardProxy()];
    const words = ["--data-dir", newFolder(opened), "--api-key", LOCAL_KEY, "--log-requests", "--log-level", "debug"];
    const serve = await startServe(opened, [...words, "--openai-base-url", `https://upstream.test:${upstream.port}`], {
      OPENAI_API_KEY: OPENAI_KEY,
      HTTPS_PROXY: proxy.url,
      NODE_EXTRA_CA_CERTS: new URL("authority.pem", certificates).pathname,
    });
    const answer = await askResponses(serve.url, { prompt: "hello", stream: true });
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /"type":"response\.completed"/);
    const signedIn = `Basic ${Buffer.from("ann:secret").toString("base64")}`;
    assert.deepEqual(proxy.asked, [`CONNECT upstream.test:${upstream.port} ${signedIn}`]);
    assert.deepEqual(upstream.authorizations, [`Bearer ${OPENAI_KEY}`]);
    assert.doesNotMatch(serve.error, /secret/, "the proxy's password is not logged");
  });

  it("answers with a 502 that says what to look at where the authority is not known", async () => {
    const [upstream, proxy] = [await tlsUpstream(), await forwardProxy()];
    const words = ["--data-dir", newFolder(opened), "--api-key", LOCAL_KEY];
    const serve = await startServe(opened, [...words, "--openai-base-url", `https://upstream.test:${upstream.port}`], {
      OPENAI_API_KEY: OPENAI_KEY,
      HTTPS_PROXY: proxy.url,
    });
    const answer = await askResponses(serve.url, { prompt: "hello" });
    assert.equal(answer.status, 502);
    assert.match(await answer.text(), /"code":"upstream_unreachable"/);
    assert.match(serve.error, /certificate/, "the log names the cause");
    assert.deepEqual(upstream.authorizations, []);
  });

  it("ends with 1 and one sentence that does not repeat it when the proxy's address is nonsense", async () => {
    const words = ["--data-dir", newFolder(opened), "--api-key", LOCAL_KEY];
    await assert.rejects(
      startServe(opened, words, { HTTPS_PROXY: "http://ann:secret@:bad:" }),
      (error: Error) =>
        error.message.endsWith("HTTPS_PROXY is not a proxy address such as http://proxy.example:8080.\n") &&
        !error.message.includes("secret"),
    );
  });
});
