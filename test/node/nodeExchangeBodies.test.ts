import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type ClientRequest, type IncomingMessage } from "node:http";
import * as fc from "fast-check";
import { bodyOf, httpUpstream, Opened, RawClient, startRelay, tcpUpstream, until, within } from "./relayRig.ts";

const POST = "POST / HTTP/1.1\r\nhost: localhost\r\n";

describe("A client's body on its way through the Node exchange", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  function post(url: string, headers: Record<string, string | number> = {}): ClientRequest {
    const outgoing = request(url, { method: "POST", agent: false, headers });
    outgoing.on("error", () => {});
    opened.add(() => outgoing.destroy());
    return outgoing;
  }

  async function answerTo(outgoing: ClientRequest): Promise<{ status: number | undefined; body: Buffer }> {
    const [answer] = (await within(once(outgoing, "response"), "the head")) as [IncomingMessage];
    return { status: answer.statusCode, body: await within(bodyOf(answer), "the body") };
  }

  async function echo(): Promise<{ url: string; heads: string[] }> {
    const heads: string[] = [];
    const { url } = await httpUpstream(opened, async (incoming, outgoing) => {
      heads.push(`${incoming.headers["content-length"] ?? ""}/${incoming.headers["transfer-encoding"] ?? ""}`);
      outgoing.end(await bodyOf(incoming));
    });
    return { url, heads };
  }

  it("is the same after any amount of reading ahead, however it was cut", async () => {
    const upstream = await echo();
    let ahead = 0;
    const rig = await startRelay(opened, upstream.url, {
      before: async ({ body }) => {
        let seen = 0;
        await body.peek((chunk) => (seen += chunk.length) >= ahead, 50_000);
        if (ahead % 3 === 0) await body.peek(() => false, 60_000);
        if (ahead % 5 === 0) await body.whole();
      },
    });
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 30_000 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(120_000), fc.boolean(), async (chunks, wanted, declared) => {
        ahead = wanted;
        const body = Buffer.concat(chunks);
        const outgoing = post(
          rig.url,
          declared ? { "content-length": body.length } : { "transfer-encoding": "chunked" },
        );
        outgoing.flushHeaders();
        for (const chunk of chunks) {
          outgoing.write(chunk);
          await new Promise(setImmediate);
        }
        outgoing.end();
        assert.ok((await answerTo(outgoing)).body.equals(body));
      }),
      { numRuns: 60 },
    );
  }).timeout(20_000);

  it("goes upstream with its content-length in one piece when it came with its head", async () => {
    const upstream = await echo();
    const rig = await startRelay(opened, upstream.url);
    const client = new RawClient(opened, rig.port).send(`${POST}content-length: 4\r\n\r\nbody`);
    await client.receives("\r\n\r\nbody");
    assert.deepEqual(upstream.heads, ["4/"]);
  });

  it("goes upstream before it is complete, and the answer comes back meanwhile", async () => {
    const heads: string[] = [];
    const { url } = await httpUpstream(opened, (incoming, outgoing) => {
      heads.push(`${incoming.headers["content-length"]}`);
      incoming.pipe(outgoing);
    });
    const rig = await startRelay(opened, url);
    const client = new RawClient(opened, rig.port).send(`${POST}content-length: 6\r\n\r\none`);
    await client.receives("one");
    assert.deepEqual(heads, ["6"]);
    client.send("two");
    await client.receives("0\r\n\r\n");
    assert.match(client.text, /two/);
  });

  it("is invited with 100 Continue only when it is read", async () => {
    const upstream = await echo();
    let go = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    let arrived = false;
    const rig = await startRelay(opened, upstream.url, {
      before: () => {
        arrived = true;
        return waiting;
      },
    });
    const client = new RawClient(opened, rig.port).send(`${POST}expect: 100-continue\r\ncontent-length: 4\r\n\r\n`);
    await until(() => arrived, "the request");
    assert.equal(client.text, "");
    go();
    await client.receives("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    await client.receives("\r\n\r\nbody");
    client.send(`${POST}content-length: 4\r\n\r\nnext`);
    await client.receives("next");
  });

  it("that was not invited ends its connection with the refusal", async () => {
    const rig = await startRelay(opened, "http://127.0.0.1:9", { maximumBodyBytes: 3 });
    const client = new RawClient(opened, rig.port).send(`${POST}expect: 100-continue\r\ncontent-length: 4\r\n\r\n`);
    await client.receives("body_too_large");
    await client.closes();
    assert.doesNotMatch(client.text, /100 Continue/);
  });

  it("is refused by its declared length without being read", async () => {
    let reached = 0;
    const upstream = await httpUpstream(opened, () => (reached += 1));
    const rig = await startRelay(opened, upstream.url, { maximumBodyBytes: 1000 });
    const outgoing = post(rig.url, { "content-length": 1001 });
    outgoing.write("x");
    assert.equal((await answerTo(outgoing)).body.toString(), "body_too_large");
    assert.equal(reached, 0);
  });

  for (const peeks of [true, false]) {
    it(`is refused once its chunks pass the limit, and the upstream is left (${peeks ? "read ahead" : "streamed"})`, async () => {
      let aborted = 0;
      const upstream = await httpUpstream(opened, (incoming) => {
        incoming.on("error", () => (aborted += 1)).resume();
      });
      const rig = await startRelay(opened, upstream.url, {
        maximumBodyBytes: 100_000,
        ...(peeks ? { before: async ({ body }) => void (await body.whole()) } : {}),
      });
      const outgoing = post(rig.url);
      outgoing.write(Buffer.alloc(60_000));
      if (!peeks) await until(() => rig.failures.length === 0, "the first part");
      outgoing.write(Buffer.alloc(60_000));
      assert.equal((await answerTo(outgoing)).body.toString(), "body_too_large");
      if (!peeks) await until(() => aborted === 1, "the abort upstream");
    });
  }

  it("is not read faster than the upstream takes it", async () => {
    const { url } = await httpUpstream(opened, () => {});
    const rig = await startRelay(opened, url);
    const client = new RawClient(opened, rig.port).send(`${POST}content-length: ${200 * 2 ** 20}\r\n\r\n`);
    const megabyte = Buffer.alloc(2 ** 20);
    let sent = 0;
    const send = (): void => {
      sent += 1;
      if (sent < 200) client.socket.write(megabyte, send);
    };
    client.socket.write(megabyte, send);
    await standstill(() => sent);
    assert.ok(sent < 40, `${sent} MB were read although the upstream reads nothing`);
  });

  it("of a client that leaves while it is read makes the reading fail", async () => {
    let reading = false;
    const rig = await startRelay(opened, "http://127.0.0.1:9", {
      before: async ({ body }) => {
        const whole = body.whole();
        reading = true;
        await whole;
      },
    });
    const client = new RawClient(opened, rig.port).send(`${POST}content-length: 9\r\n\r\npart`);
    await until(() => reading, "the reading");
    client.socket.destroy();
    await until(() => rig.failures.length === 1, "the failure");
    assert.equal(rig.failures[0]?.reason, "client_left");
  });

  it("of a client that leaves while it is streamed aborts the upstream", async () => {
    let upstreamClosed = false;
    let headSeen = false;
    const upstream = await tcpUpstream(opened, (socket) => {
      headSeen = true;
      socket.on("close", () => (upstreamClosed = true));
    });
    const rig = await startRelay(opened, upstream);
    const client = new RawClient(opened, rig.port).send(`${POST}content-length: 9\r\n\r\npart`);
    await until(() => headSeen, "the head upstream");
    client.socket.destroy();
    await until(() => upstreamClosed, "the abort upstream", 100);
    assert.deepEqual(
      rig.failures.map((failure) => failure.reason),
      ["client_left"],
    );
  });

  it("that is still coming when the upstream has answered does not hold up the answer", async () => {
    const upstream = await tcpUpstream(opened, (socket) => {
      socket.end("HTTP/1.1 401 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
    });
    const rig = await startRelay(opened, upstream);
    const client = new RawClient(opened, rig.port).send(`${POST}content-length: 9\r\n\r\npart`);
    await client.receives("\r\n\r\nno");
    assert.deepEqual(rig.outcomes, ["complete"]);
  });

  it("may be sent twice when it was read wholly", async () => {
    const upstream = await echo();
    const rig = await startRelay(opened, upstream.url, {
      before: async (exchange) => {
        await exchange.body.whole();
        const dead = { url: "http://127.0.0.1:9/", method: "POST", headers: [], body: "client" } as const;
        const unasked = (): never => assert.fail("The observer was asked about an answer that never came.");
        const nobody = { head: unasked, chunk: unasked, end: unasked, silence: unasked };
        await assert.rejects(exchange.relay(dead, nobody), { reason: "upstream_unreachable" });
      },
    });
    const outgoing = post(rig.url);
    outgoing.end("again");
    assert.equal((await answerTo(outgoing)).body.toString(), "again");
  });
});

/** Resolves when the value has not changed for a quarter of a second. */
async function standstill(value: () => number): Promise<void> {
  let last = -1;
  let since = performance.now();
  await until(() => {
    if (value() !== last) {
      last = value();
      since = performance.now();
    }
    return performance.now() - since > 250;
  }, "the standstill");
}
