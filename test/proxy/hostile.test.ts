import assert from "node:assert/strict";
import * as fc from "fast-check";
import { Opened, until } from "../node/relayRig.ts";
import { untilCommitted } from "../node/untilCommitted.ts";
import { AUTHORIZATION, BODIES, BROKEN, ENCODED, METHODS, ROUTES } from "./hostileInputs.ts";
import {
  assertProper,
  exchange,
  type HostileRig,
  KEY,
  posted,
  type RawAnswer,
  readAnswers,
  startHostileRig,
} from "./hostileRig.ts";

describe("A hostile client", function () {
  this.timeout(60_000);
  const opened = new Opened();
  let rig: HostileRig;
  before(async () => {
    // A quota makes the proxy change bodies, which is the way with the most to go wrong.
    rig = await startHostileRig(opened, { quotaTokens: 1_000_000_000 });
  });
  after(() => opened.closeAll());
  afterEach(async () => {
    const [answer] = await exchange(rig, "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n", {
      what: "health after it",
    });
    assert.equal(answer?.status, 200, "the process still serves");
    assert.deepEqual(
      rig.logLines.filter((line) => line.startsWith("error")),
      [],
    );
  });

  for (const [what, body] of Object.entries(BODIES)) {
    it(`gets a proper answer on every route when its body is ${what}`, async () => {
      for (const route of ROUTES) {
        const [answer] = await exchange(rig, posted(route, body), { what: `${route} with ${what}` });
        assert.ok(answer, `${route}: closed without an answer`);
        assertProper(answer, `${route} with ${what}`);
      }
    });
  }

  it("cannot fill the ledger with the name of a model", async () => {
    await exchange(rig, posted("/v1/responses", `{"model":"${"m".repeat(200_000)}"}`));
    assert.equal(rig.answered.at(-1)?.model?.length, 256);
  });

  for (const [what, [encoding, body]] of Object.entries(ENCODED)) {
    it(`gets a proper answer on every route when its body is encoded as ${what}`, async () => {
      for (const route of ROUTES) {
        const [answer] = await exchange(rig, posted(route, body, [`content-encoding: ${encoding}`]), {
          what: `${route} with ${what}`,
        });
        assert.ok(answer, `${route}: closed without an answer`);
        assertProper(answer, `${route} with ${what}`);
      }
    });
  }

  it("does not get a body passed on whose packing the proxy could not look into", async () => {
    for (const [what, [encoding, body]] of Object.entries(ENCODED)) {
      if (encoding === "" || encoding === "identity") continue;
      const before = rig.upstream.reached.length;
      const [answer] = await exchange(rig, posted("/v1/responses", body, [`content-encoding: ${encoding}`]));
      assert.equal(answer?.status, 400, what);
      assert.equal(rig.upstream.reached.length, before, what);
    }
  });

  for (const method of METHODS) {
    it(`gets a proper answer on every route to ${method}`, async () => {
      for (const route of ROUTES) {
        const request = `${method} ${route} HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`;
        const [answer] = await exchange(rig, request, { headOnly: method === "HEAD", what: `${method} ${route}` });
        assert.ok(answer, `${method} ${route}: closed without an answer`);
        assertProper(answer, `${method} ${route}`);
      }
    });
  }

  it("may fill its head to the limit, with many headers or with one", async () => {
    for (const lines of ["a: b\r\n".repeat(9_000), `x-big: ${"b".repeat(60_000)}\r\n`]) {
      const before = rig.upstream.reached.length;
      const request = `GET /v1/files HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n${lines}\r\n`;
      const [answer] = await exchange(rig, request);
      assert.equal(answer?.status, 200);
      assert.ok((rig.upstream.reached[before]?.head.length ?? 0) > 30_000, "all of it goes upstream");
    }
  });

  it("gets a proper answer to a GET with a body, and the next request on the connection is its own", async () => {
    for (const route of ROUTES) {
      const body = "GET /smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n";
      const request = `GET ${route} HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
      const answers = await exchange(
        rig,
        `${request}GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`,
        {
          answers: 2,
          what: route,
        },
      );
      for (const answer of answers) {
        assertProper(answer, route);
        assert.doesNotMatch(answer.body, /smuggled/, route);
      }
    }
  });

  for (const [what, request] of Object.entries(BROKEN)) {
    it(`gets a proper refusal or a close for ${what}`, async () => {
      const before = rig.upstream.reached.length;
      const answers = await exchange(rig, request, { what });
      for (const answer of answers) {
        assertProper(answer, what);
        assert.ok(answer.status >= 400, `${what}: ${answer.status} ${answer.body}`);
        assert.equal(answer.headers.has("x-injected"), false);
      }
      assert.ok(answers.length <= 1, "one request, one answer");
      assert.equal(rig.upstream.reached.length, before, "nothing goes upstream");
    });
  }

  async function assertMetered(answer: RawAnswer, target: string): Promise<void> {
    await untilCommitted(rig.folder);
    const id = String(answer.headers.get("x-request-id"));
    assert.ok(rig.metered(id), `${target} went upstream unmetered`);
    assert.equal(rig.answered.find((one) => one.id === id)?.model, "gpt-5.5", `${target} went upstream unread`);
  }

  it("cannot hide a metered endpoint from the meter by spelling its path oddly", async () => {
    const targets = [
      "/v1/chat/completion%73",
      "/v1/%63hat/completions",
      "/v1/chat%2Fcompletions",
      "/v1/chat%2fcompletions",
      "/v1/chat/completions/",
      "/v1/Chat/Completions",
      "/v1/chat/./completions",
      "/v1//chat///completions",
      "/api/proxy/openai/chat/completion%73",
      "/api/proxy/openai/chat%2Fcompletions",
      "/api/proxy/openai/v1/chat/completions//",
      "/api/proxy/openai//v1/chat/completions",
      "/chat/completions/",
    ];
    for (const target of targets) {
      const before = rig.upstream.reached.length;
      const [answer] = await exchange(rig, posted(target, '{"model":"gpt-5.5","messages":[],"stream":false}'));
      assert.ok(answer);
      assertProper(answer, target);
      const passed = rig.upstream.reached.length > before;
      if (passed) await assertMetered(answer, target);
      else assert.ok(answer.status >= 400, target);
    }
  });

  it("cannot hide a metered endpoint in any mixture of escapes, slashes and letters", async () => {
    const lenient = (target: string): string =>
      decodeURIComponent(
        target.replace(/^\/api\/proxy\/openai\/+(?=v1)/i, "/").replace(/^\/api\/proxy\/openai/i, "/v1"),
      )
        .toLowerCase()
        .replaceAll(/\/{2,}/g, "/")
        .replace(/\/$/, "");
    const letter = (text: string): fc.Arbitrary<string> =>
      fc.constantFrom(text, text, text, text.toUpperCase(), `%${text.charCodeAt(0).toString(16)}`);
    const slash = fc.constantFrom("/", "/", "/", "//", "%2F", "%2f", "/./", "/x/../");
    const spelled = (words: string): fc.Arbitrary<string> =>
      fc
        .tuple(...Array.from(words).map((text) => (text === "/" ? slash : letter(text))))
        .map((parts) => parts.join(""));
    const target = fc
      .tuple(
        fc.constantFrom("/v1", "/api/proxy/openai", "/api/proxy/openai/v1"),
        spelled("/chat/completions"),
        fc.constantFrom("", "/", "//", "?a=b"),
      )
      .map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(target, async (written) => {
        const before = rig.upstream.reached.length;
        const [answer] = await exchange(rig, posted(written, '{"model":"gpt-5.5"}'), { what: written });
        assert.ok(answer);
        assertProper(answer, written);
        const passed = rig.upstream.reached.at(-1);
        if (rig.upstream.reached.length === before || passed === undefined) return;
        if (lenient(passed.target.split("?", 1)[0]!.slice("/openai".length)) !== "/v1/chat/completions") return;
        await assertMetered(answer, written);
      }),
      { numRuns: 300 },
    );
  });

  it("gets a proper answer or a close for a request with any bytes in it changed", async () => {
    const whole = posted("/v1/chat/completions?a=b", '{"model":"gpt-5.5","messages":[]}', ["expect: 100-continue"]);
    const change = fc.record({
      at: fc.nat(whole.length - 1),
      drop: fc.nat(3),
      put: fc.uint8Array({ maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        let bytes = whole;
        for (const { at, drop, put } of changes)
          bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + drop)]);
        const client = rig.client();
        client.socket.end(bytes);
        await client.closes();
        for (const answer of readAnswers(client.text, true)) assertProper(answer, bytes.toString("latin1"));
      }),
      { numRuns: 300 },
    );
  });

  it("gets its answers in order when it sends many requests at once", async () => {
    const one = (target: string, body: string): string => posted(target, body).toString("latin1");
    const requests = [
      one("/v1/chat/completions", '{"model":"gpt-5.5"}'),
      `GET /v1/nothing%20here HTTP/1.1\r\nhost: localhost\r\n\r\n`,
      one("/v1/embeddings", "nope"),
      `GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n`,
      one("/unknown", "{}"),
      one("/v1/responses", '{"model":"gpt-5.5"}'),
    ];
    const answers = await exchange(rig, requests.join(""), { answers: requests.length });
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 401, 400, 200, 404, 200],
    );
  });

  it("is taken for one that left when it closes its half of the connection", async () => {
    for (const route of ["/v1/chat/completions", "/api/proxy/openai", "/unknown"]) {
      const client = rig.client({ allowHalfOpen: true });
      client.socket.end(posted(route, '{"model":"gpt-5.5"}'));
      await until(() => client.socket.readableEnded || client.closed, "the close");
      for (const answer of readAnswers(client.text, true)) assertProper(answer, route);
      client.socket.destroy();
    }
  });

  it("keeps its connection only as long as it wants to", async () => {
    const client = rig.client();
    client.send(`GET /v1/key HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\nconnection: close\r\n\r\n`);
    await client.closes();
    assert.equal(readAnswers(client.text, true)[0]?.headers.get("connection"), "close");
    const old = rig.client().send(`GET /v1/key HTTP/1.0\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`);
    await old.closes();
    assert.match(old.text, /^HTTP\/1\.1 200 /);
  });

  it("holds nothing up when its body never comes, and leaves no trace upstream", async () => {
    const before = rig.upstream.reached.length;
    const slow = ROUTES.map((route) => {
      const client = rig.client();
      client.send(
        `POST ${route} HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"mod`,
      );
      return client;
    });
    const [answer] = await exchange(rig, posted("/v1/responses", '{"model":"gpt-5.5"}'));
    assert.equal(answer?.status, 200);
    for (const client of slow) client.socket.destroy();
    await until(() => rig.answered.length > 0, "the log");
    assert.equal(rig.upstream.reached.length, before + 1);
  });

  it("is refused before it sends its body where its head tells enough", async () => {
    const expecting = (target: string, headers: string): string =>
      `POST ${target} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n${headers}\r\n\r\n`;
    for (const [request, status] of [
      [expecting("/v1/responses", "authorization: Bearer pb_wrong\r\ncontent-length: 100"), 401],
      [expecting("/v1/responses", `${AUTHORIZATION}\r\ncontent-length: 999999999`), 413],
      [expecting("/unknown", `${AUTHORIZATION}\r\ncontent-length: 100`), 404],
    ] as const) {
      const client = rig.client().send(request);
      await until(() => readAnswers(client.text, false).length === 1, "the refusal");
      assert.doesNotMatch(client.text, /100 Continue/);
      assert.equal(readAnswers(client.text, false)[0]?.status, status);
      client.socket.destroy();
    }
    const client = rig.client().send(expecting("/v1/responses", `${AUTHORIZATION}\r\ncontent-length: 19`));
    await client.receives("HTTP/1.1 100 Continue\r\n\r\n");
    client.send('{"model":"gpt-5.5"}');
    await until(() => readAnswers(client.text, false).length === 1, "the answer");
    assert.equal(readAnswers(client.text, false)[0]?.status, 200);
    const odd = await exchange(rig, posted("/v1/responses", '{"model":"gpt-5.5"}', ["expect: a miracle"]));
    assert.ok(odd[0]);
    assertProper(odd[0], "an odd expectation");
  });

  it("gets 426 at once for a WebSocket handshake", async () => {
    for (const path of [
      "/v1/responses",
      `/k/${KEY}/v1/responses`,
      "/v1/responses?client_version=1",
      "//v1//responses",
    ]) {
      const [answer] = await exchange(
        rig,
        `GET ${path} HTTP/1.1\r\nhost: localhost\r\n${path.startsWith("/k") ? "" : `${AUTHORIZATION}\r\n`}connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
        { milliseconds: 1000 },
      );
      assert.equal(answer?.status, 426, path);
      assertProper(answer, path);
      assert.match(answer.body, /"code":"upgrade_required"/);
    }
  });

  it("finds no object of the program changed", () => {
    assert.equal(({} as Record<string, unknown>)["model"], undefined);
    assert.equal(({} as Record<string, unknown>)["isAdmin"], undefined);
  });
});
