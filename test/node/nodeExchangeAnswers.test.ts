import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import { gzipSync, zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { bodyOf, httpUpstream, Opened, RawClient, startRelay, tcpUpstream, until, within } from "./relayRig.ts";

describe("An answer on its way through the Node exchange", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  async function get(url: string, options: RequestOptions = {}): Promise<IncomingMessage> {
    const outgoing = request(url, { agent: false, ...options });
    opened.add(() => outgoing.destroy());
    outgoing.end();
    const [answer] = (await within(once(outgoing, "response"), "the head")) as [IncomingMessage];
    return answer;
  }

  it("arrives byte for byte, however the upstream and TCP cut it", async () => {
    let pieces: readonly Buffer[] = [];
    const upstream = await tcpUpstream(opened, async (socket) => {
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise(setImmediate);
      }
    });
    const rig = await startRelay(opened, upstream);
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 3000 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(chunk, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 4000 })),
        fc.boolean(),
        async (chunks, cuts, chunked) => {
          const body = Buffer.concat(chunks);
          const framed = chunked
            ? Buffer.concat([
                ...chunks.flatMap((part) => [
                  Buffer.from(`${part.length.toString(16)}\r\n`),
                  part,
                  Buffer.from("\r\n"),
                ]),
                Buffer.from("0\r\n\r\n"),
              ])
            : body;
          const head = chunked ? "transfer-encoding: chunked" : `content-length: ${body.length}`;
          pieces = cut(
            Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${head}\r\nconnection: close\r\n\r\n`), framed]),
            cuts,
          );
          const received = await within(get(rig.url).then(bodyOf), "the answer");
          assert.ok(received.equals(body));
        },
      ),
      { numRuns: 60 },
    );
    assert.ok(rig.outcomes.every((outcome) => outcome === "complete"));
  }).timeout(20_000);

  it("keeps status, repeated headers, their order and content-length", async () => {
    const upstream = await tcpUpstream(opened, (socket) =>
      socket.write("HTTP/1.1 429 No\r\nX-One: a\r\nx-two: \xe9\r\nX-One: b\r\nContent-Length: 2\r\n\r\nno", "latin1"),
    );
    const rig = await startRelay(opened, upstream);
    const answer = await get(rig.url);
    assert.equal(answer.statusCode, 429);
    assert.deepEqual(answer.rawHeaders.slice(0, 8), [
      "X-One",
      "a",
      "x-two",
      "\xe9",
      "X-One",
      "b",
      "Content-Length",
      "2",
    ]);
    assert.equal((await bodyOf(answer)).toString(), "no");
  });

  it("passes redirects on instead of following them", async () => {
    const upstream = await httpUpstream(opened, (_incoming, outgoing) => {
      outgoing.writeHead(307, { location: "http://elsewhere.test/" }).end();
    });
    const rig = await startRelay(opened, upstream.url);
    const answer = await get(rig.url);
    answer.resume();
    assert.deepEqual([answer.statusCode, answer.headers.location], [307, "http://elsewhere.test/"]);
  });

  it("swallows interim answers and drops trailers", async () => {
    const upstream = await tcpUpstream(opened, (socket) =>
      socket.write(
        "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
          "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 1\r\n\r\n",
      ),
    );
    const rig = await startRelay(opened, upstream);
    const client = new RawClient(opened, rig.port).send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await client.receives("0\r\n\r\n");
    assert.match(client.text, /^HTTP\/1.1 200 OK\r\n/);
    assert.doesNotMatch(client.text, /103|102|x-sum/);
  });

  it("breaks off as upstream_cut when the upstream switches protocols unasked", async () => {
    const upstream = await tcpUpstream(opened, (socket) =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"),
    );
    const rig = await startRelay(opened, upstream);
    assert.equal((await get(rig.url)).statusCode, 502);
    assert.deepEqual(
      rig.failures.map((failure) => failure.reason),
      ["upstream_cut"],
    );
  });

  it("has no body for HEAD, 204 and 304, and its connection serves the next request", async () => {
    const upstream = await httpUpstream(opened, (incoming, outgoing) => {
      const status = Number(incoming.url?.slice(1));
      outgoing.writeHead(status, status === 200 ? { "content-length": 11 } : { etag: '"x"' }).end();
    });
    const rig = await startRelay(opened, upstream.url);
    const client = new RawClient(opened, rig.port);
    client.send("HEAD /200 HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await client.receives("content-length: 11");
    client.send("GET /204 HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await client.receives("HTTP/1.1 204");
    client.send("GET /304 HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await client.receives("HTTP/1.1 304");
    await until(() => rig.outcomes.length === 3, "three endings");
    assert.doesNotMatch(client.text, /transfer-encoding/);
  });

  for (const [encoding, compressed] of [
    ["gzip", gzipSync("text".repeat(999))],
    ["zstd", zstdCompressSync("text".repeat(999))],
  ] as const) {
    it(`passes ${encoding} untouched both ways`, async () => {
      const upstream = await httpUpstream(opened, async (incoming, outgoing) => {
        const body = await bodyOf(incoming);
        assert.ok(body.equals(compressed));
        outgoing.writeHead(200, { "content-encoding": encoding }).end(body);
      });
      const rig = await startRelay(opened, upstream.url);
      const outgoing = request(rig.url, { method: "POST", agent: false, headers: { "content-encoding": encoding } });
      outgoing.end(compressed);
      const [answer] = (await within(once(outgoing, "response"), "the head")) as [IncomingMessage];
      assert.equal(answer.headers["content-encoding"], encoding);
      assert.ok((await bodyOf(answer)).equals(compressed));
    });
  }

  it("gets the observer's bytes where the observer replaces them, and its last bytes at the end", async () => {
    const upstream = await httpUpstream(opened, (_incoming, outgoing) => {
      outgoing.end("quiet");
    });
    const rig = await startRelay(opened, upstream.url, {
      observer: {
        head: (status) => ({ status, headers: [] }),
        chunk: (bytes) => Buffer.from(Buffer.from(bytes).toString().toUpperCase()),
        end: async () => ({ lastBytes: Buffer.from("!"), how: "end" }),
      },
    });
    assert.equal((await bodyOf(await get(rig.url))).toString(), "QUIET!");
  });

  it("ends for the client only after what was due before the flush is done", async () => {
    const events: string[] = [];
    const upstream = await httpUpstream(opened, (_incoming, outgoing) => {
      outgoing.end("done");
    });
    const rig = await startRelay(opened, upstream.url, {
      beforeFlush: () => events.push("flush"),
      observer: {
        end: () => {
          events.push("end");
          return { lastBytes: undefined, how: "end" };
        },
      },
    });
    await bodyOf(await get(rig.url));
    assert.deepEqual(events.slice(-2), ["end", "flush"]);
  });

  it("has its silences bridged again and again, and not before its head", async () => {
    let bridges = 0;
    const upstream = await tcpUpstream(opened, (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    });
    const rig = await startRelay(opened, upstream, {
      keepAliveAfterMs: 30,
      observer: { silence: () => Buffer.from(`: still here ${++bridges}\n\n`) },
    });
    const client = new RawClient(opened, rig.port).send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await client.receives(": still here 3\n\n");
    client.socket.destroy();
    await until(() => rig.outcomes.length === 1, "the ending");
    assert.deepEqual(rig.outcomes, ["client_left"]);
  });
});

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const length of lengths) {
    if (from >= bytes.length) break;
    pieces.push(bytes.subarray(from, from + length));
    from += length;
  }
  if (from < bytes.length) pieces.push(bytes.subarray(from));
  return pieces;
}
