import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { createServer, type Socket } from "node:net";
import { createUpstreamDispatcher } from "../../src/node/upstreamDispatcher.ts";
import type { RelayObserver } from "../../src/proxy/exchange.ts";
import { httpUpstream, Opened, portOf, RawClient, startRelay, tcpUpstream, until, within } from "./relayRig.ts";

const GET = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

describe("The end of an answer through the Node exchange", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  const farewell: Partial<RelayObserver> = {
    end: (outcome) => ({ lastBytes: Buffer.from(`[${outcome}]`), how: outcome === "complete" ? "end" : "destroy" }),
  };

  for (const phase of ["before the head", "during the body"] as const) {
    it(`reaches the upstream within 100 ms when the client leaves ${phase}`, async () => {
      let upstreamSocket: Socket | undefined;
      const upstream = await tcpUpstream(opened, (socket) => {
        upstreamSocket = socket;
        if (phase === "during the body") socket.write(`${CHUNKED}2\r\nhi\r\n`);
      });
      const rig = await startRelay(opened, upstream);
      const client = new RawClient(opened, rig.port).send(GET);
      if (phase === "during the body") await client.receives("hi");
      await until(() => upstreamSocket !== undefined, "the request upstream");
      client.socket.destroy();
      await until(() => upstreamSocket?.destroyed === true, "the abort upstream", 100);
      const reasons = rig.failures.map((failure) => failure.reason);
      assert.deepEqual(
        [rig.outcomes, reasons],
        phase === "during the body" ? [["client_left"], []] : [[], ["client_left"]],
      );
    });
  }

  it("comes for a client that half-closes its connection as for one that left", async () => {
    let upstreamSocket: Socket | undefined;
    const upstream = await tcpUpstream(opened, (socket) => {
      upstreamSocket = socket;
      socket.write(`${CHUNKED}2\r\nhi\r\n`);
    });
    const rig = await startRelay(opened, upstream);
    const client = new RawClient(opened, rig.port, { allowHalfOpen: true }).send(GET);
    await client.receives("hi");
    client.socket.end();
    await until(() => upstreamSocket?.destroyed === true, "the abort upstream", 100);
    assert.deepEqual(rig.outcomes, ["client_left"]);
  });

  it("comes for a pipelined request whose client left before its turn", async () => {
    const upstreamSockets: Socket[] = [];
    const upstream = await tcpUpstream(opened, (socket) => upstreamSockets.push(socket));
    const rig = await startRelay(opened, upstream);
    const client = new RawClient(opened, rig.port).send(GET + GET);
    await until(() => upstreamSockets.length === 2, "both requests upstream");
    client.socket.destroy();
    await until(() => upstreamSockets.every((socket) => socket.destroyed), "both aborts", 100);
    assert.equal(rig.failures.length, 2);
  });

  it("keeps the order of pipelined requests", async () => {
    const upstream = await httpUpstream(opened, (incoming, outgoing) => {
      if (incoming.url === "/slow") setTimeout(() => outgoing.end("slow"), 30);
      else outgoing.end("fast");
    });
    const rig = await startRelay(opened, upstream.url);
    const client = new RawClient(opened, rig.port).send(`${GET.replace("/", "/slow")}${GET.replace("/", "/fast")}`);
    await client.receives("fast");
    assert.match(client.text, /slow[^]*fast/);
  });

  const cuts: readonly (readonly [string, string])[] = [
    ["a chunked body", `${CHUNKED}2\r\nhi\r\n`],
    ["a body of known length", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi"],
    [
      "a body of known length on a connection to be closed",
      "HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nhi",
    ],
  ];
  for (const [what, answer] of cuts) {
    it(`delivers the last bytes and breaks the connection when ${what} is cut`, async () => {
      const upstream = await tcpUpstream(opened, (socket) => socket.end(answer));
      const rig = await startRelay(opened, upstream, {
        observer: { ...farewell, head: (status) => ({ status, headers: [] }) },
      });
      const client = new RawClient(opened, rig.port).send(GET);
      await client.closes();
      assert.deepEqual(rig.outcomes, ["upstream_cut"]);
      assert.match(client.text, /hi[^]*\[upstream_cut\]\r\n$/);
    });
  }

  it("is a reset where the close alone would look like a clean end", async () => {
    let upstreamSocket: Socket | undefined;
    const upstream = await tcpUpstream(opened, (socket) => {
      upstreamSocket = socket;
      socket.write(`${CHUNKED}2\r\nhi\r\n`);
    });
    const rig = await startRelay(opened, upstream);
    const client = new RawClient(opened, rig.port).send("GET / HTTP/1.0\r\nhost: localhost\r\n\r\n");
    await client.receives("hi");
    // Without last bytes: libuv before 1.52 reports a reset that arrives together with bytes as an end to this client.
    upstreamSocket?.destroy();
    await client.closes();
    assert.ok(client.reset);
  });

  it("is upstream_timeout when the upstream falls silent for too long", async () => {
    const upstream = await tcpUpstream(opened, (socket) => socket.write(`${CHUNKED}2\r\nhi\r\n`));
    const rig = await startRelay(opened, upstream, {
      dispatcher: createUpstreamDispatcher({ bodyTimeoutMs: 50 }),
      observer: farewell,
    });
    const client = new RawClient(opened, rig.port).send(GET);
    await client.closes();
    assert.deepEqual(rig.outcomes, ["upstream_timeout"]);
    assert.match(client.text, /\[upstream_timeout\]\r\n$/);
  });

  it("breaks the connection of a client whose head Node refuses to send, and says so", async () => {
    const upstream = await httpUpstream(opened, (_incoming, outgoing) => outgoing.end("hi"));
    const lines: string[] = [];
    const put = (message: string, fields?: object): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
    const rig = await startRelay(opened, upstream.url, {
      observer: { head: () => ({ status: 200, headers: ["x", "\n"] }) },
      log: { debug: put, info: put, warn: put, error: put },
    });
    const client = new RawClient(opened, rig.port).send(GET);
    await client.closes();
    assert.equal(client.text, "");
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /cannot be sent to the client.*Invalid character/);
  });

  it("fails with the reason when nothing could be sent", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const closedPort = portOf(free);
    free.close();
    const plain = await httpUpstream(opened, () => {});
    const cut = await tcpUpstream(opened, (socket) => socket.destroy());
    const garbage = await tcpUpstream(opened, (socket) => socket.write("SSH-2.0\r\n\r\n"));
    const silent = await tcpUpstream(opened, () => {});
    const cases: readonly (readonly [string, string])[] = [
      [`http://127.0.0.1:${closedPort}`, "upstream_unreachable"],
      ["http://name.invalid", "upstream_unreachable"],
      [plain.url.replace("http:", "https:"), "upstream_unreachable"],
      [cut, "upstream_cut"],
      [garbage, "upstream_cut"],
      [silent, "upstream_timeout"],
    ];
    for (const [upstream, reason] of cases) {
      const dispatcher = createUpstreamDispatcher({ headersTimeoutMs: 50, connectTimeoutMs: 2000 });
      const rig = await startRelay(opened, upstream, { dispatcher });
      const client = new RawClient(opened, rig.port).send(GET);
      await client.receives(reason);
      assert.ok(rig.failures[0]?.cause instanceof Error);
    }
  }).timeout(15_000);

  it("waits for a client that does not read, and so does the upstream", async () => {
    const total = 200 * 2 ** 20;
    let sent = 0;
    const { url } = await httpUpstream(opened, (_incoming, outgoing) => {
      const piece = Buffer.alloc(2 ** 18, 7);
      outgoing.writeHead(200, { "content-length": total });
      const fill = (): void => {
        while (sent < total) {
          sent += piece.length;
          if (!outgoing.write(piece)) return;
        }
        outgoing.end();
      };
      outgoing.on("drain", fill);
      fill();
    });
    const rig = await startRelay(opened, url);
    const outgoing = request(rig.url, { agent: false }).end();
    const [answer] = (await within(once(outgoing, "response"), "the head")) as [IncomingMessage];
    const memoryBefore = process.memoryUsage().arrayBuffers;
    let last = -1;
    let since = performance.now();
    await until(() => {
      if (sent !== last) {
        last = sent;
        since = performance.now();
      }
      return performance.now() - since > 250;
    }, "the standstill");
    assert.ok(sent < total / 4, `${sent} bytes were taken from the upstream although nobody reads`);
    assert.ok(process.memoryUsage().arrayBuffers - memoryBefore < 40 * 2 ** 20);
    let received = 0;
    answer.on("data", (chunk: Buffer) => (received += chunk.length));
    await within(once(answer, "end"), "the whole answer", 8000);
    assert.equal(received, total);
    assert.deepEqual(rig.outcomes, ["complete"]);
  });

  it("reaches the upstream when a client that does not read leaves", async () => {
    let upstreamSocket: Socket | undefined;
    const upstream = await tcpUpstream(opened, (socket) => {
      upstreamSocket = socket;
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n");
      socket.write(Buffer.alloc(64 * 2 ** 20));
    });
    const rig = await startRelay(opened, upstream);
    const client = new RawClient(opened, rig.port).send(GET);
    await client.receives("HTTP/1.1 200");
    client.socket.pause();
    await until(() => upstreamSocket?.writableNeedDrain === true, "the back-pressure");
    client.socket.destroy();
    await until(() => upstreamSocket?.destroyed === true, "the abort upstream", 100);
    assert.deepEqual(rig.outcomes, ["client_left"]);
  });

  it("leaves nothing behind when 1,000 idle streams are aborted at once", async () => {
    const upstreamSockets = new Set<Socket>();
    const upstream = await tcpUpstream(opened, (socket) => {
      upstreamSockets.add(socket);
      socket.once("close", () => upstreamSockets.delete(socket));
      socket.write(`${CHUNKED}2\r\nhi\r\n`);
    });
    const rig = await startRelay(opened, upstream, { keepAliveAfterMs: 15_000 });
    const clients = Array.from({ length: 1000 }, () => new RawClient(opened, rig.port).send(GET));
    await until(() => clients.every((client) => client.text.includes("hi")), "1,000 streams", 8000);
    assert.equal(upstreamSockets.size, 1000);
    for (const client of clients) client.socket.destroy();
    await until(() => upstreamSockets.size === 0, "the aborts upstream");
    assert.equal(rig.outcomes.filter((outcome) => outcome === "client_left").length, 1000);
    await within(rig.listener.drain(2000), "the drain", 1000);
  });

  it("puts no listener on a connection that outlives its request", async () => {
    const upstream = await httpUpstream(opened, (_incoming, outgoing) => outgoing.end("hi"));
    const counts: number[] = [];
    const rig = await startRelay(opened, upstream.url);
    const client = new RawClient(opened, rig.port);
    const answers = (): number => client.text.split("HTTP/1.1 200").length - 1;
    for (let round = 1; round <= 30; round += 1) {
      client.send(GET);
      await until(() => answers() === round, "an answer");
      counts.push(client.socket.listenerCount("close"));
    }
    assert.equal(new Set(counts).size, 1);
  });
});
