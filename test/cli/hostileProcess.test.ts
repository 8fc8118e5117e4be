import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Opened, RawClient, until } from "../node/relayRig.ts";
import { AUTHORIZATION, BODIES, BROKEN, ENCODED, METHODS, ROUTES } from "../proxy/hostileInputs.ts";
import {
  assertProper,
  exchange,
  KEY,
  OPENAI_KEY,
  OPENROUTER_KEY,
  posted,
  readAnswers,
  strictUpstream,
  type StrictUpstream,
} from "../proxy/hostileRig.ts";
import { newFolder, type ServeProcess, startServe } from "./serveProcess.ts";

const OWN_KEY = "sk-callers-own-canary";
const FOREIGN_BEARER = "eyJ-foreign-bearer-canary";
const COOKIE = "cookie-canary";
const PROMPT = "prompt-canary";
const MEBIBYTE = 1024 * 1024;

describe("The spawned process", function () {
  this.timeout(120_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  async function serving(): Promise<{
    serve: ServeProcess;
    upstream: StrictUpstream;
    folder: string;
    client: () => RawClient;
  }> {
    const upstream = await strictUpstream(opened);
    const folder = newFolder(opened);
    const words = ["--data-dir", folder, "--log-level", "debug", "--log-requests", "--cache-ttl", "0"];
    const bases = ["--openai-base-url", `${upstream.origin}/openai/v1`, "--openrouter-base-url", upstream.origin];
    const serve = await startServe(opened, [...words, ...bases, "--stats-path", join(folder, "stats.jsonl")], {
      PATCHBAY_API_KEY: KEY,
      OPENAI_API_KEY: OPENAI_KEY,
      OPENROUTER_API_KEY: OPENROUTER_KEY,
    });
    return { serve, upstream, folder, client: () => new RawClient(opened, serve.port) };
  }

  it("survives every hostile request, and no secret is found in anything it put out", async () => {
    const { serve, upstream, folder, client } = await serving();
    const rig = { client };
    const sent: Buffer[] = [];
    for (const route of ROUTES) {
      for (const body of Object.values(BODIES)) sent.push(posted(route, body));
      for (const method of METHODS) {
        const line = `${method} ${route} HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`;
        sent.push(Buffer.from(line, "latin1"));
      }
    }
    for (const [encoding, body] of Object.values(ENCODED)) {
      for (const route of ["/v1/responses", "/chat/completions"])
        sent.push(posted(route, body, [`content-encoding: ${encoding}`]));
    }
    for (const request of Object.values(BROKEN)) sent.push(Buffer.from(request, "latin1"));

    sent.push(
      posted("/v1/responses", '{"model":"a\u009b2Jb\u2028c\u202ed\u007fe"}'),
      Buffer.from(`GET /v1/\x9b2J\x85x HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`, "latin1"),
      Buffer.from(
        `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nuser-agent: \x9b2J\r\n${AUTHORIZATION}\r\n\r\n`,
        "latin1",
      ),
    );

    const body = `{"model":"gpt-5.5","messages":[{"role":"user","content":"${PROMPT}"}]}`;
    const json = "content-type: application/json";
    const carrying = (target: string, ...lines: string[]): Buffer =>
      Buffer.from(
        [`POST ${target} HTTP/1.1`, "host: localhost", json, `content-length: ${body.length}`, ...lines, "", body].join(
          "\r\n",
        ),
      );
    const own = `authorization: Bearer ${OWN_KEY}`;
    const foreign = `authorization: Bearer ${FOREIGN_BEARER}`;
    for (const route of ["/v1/chat/completions", "/v1/files", "/api/proxy/openrouter", "/v1/responses/resp_1/cancel"]) {
      sent.push(
        carrying(route, foreign, `x-daemon-token: ${KEY}`, `cookie: session=${COOKIE}`),
        carrying(route, foreign, `x-api-key: ${KEY}`),
        carrying(route, AUTHORIZATION, `authorization: Bearer ${FOREIGN_BEARER}`),
        carrying(route, AUTHORIZATION, `api-key: ${KEY}`, `x-goog-api-key: ${KEY}`, `x-note: "key=${KEY}"`),
        carrying(`${route}?api_key=${KEY}&key=${KEY}`, AUTHORIZATION),
        carrying(`/k/${KEY}${route}`),
        carrying(`/k/${KEY}${route}`, foreign, `referer: http://localhost/k/${KEY}/v1`),
        carrying(`/K/${KEY}${route}`),
        carrying(`/v1/${KEY}`, AUTHORIZATION),
      );
    }
    sent.push(
      carrying("/chat/completions", own),
      carrying("/chat/completions", own, `x-api-key: ${KEY}`, `x-daemon-token: ${KEY}`, `cookie: ${COOKIE}`),
      carrying("/chat/completions", own, AUTHORIZATION),
      carrying("/chat/completions", own, foreign),
      carrying("/chat/completions", AUTHORIZATION, own),
      carrying("/chat/completions", AUTHORIZATION),
      carrying("/chat/completions", `authorization: Basic ${KEY}`),
      carrying(`/chat/completions?key=${KEY}`, own),
    );

    let answers = "";
    for (const request of sent) {
      const what = JSON.stringify(request.toString("latin1", 0, 120));
      const headOnly = request.toString("latin1", 0, 5) === "HEAD ";
      for (const answer of await exchange(rig, request, { headOnly, what })) {
        assertProper(answer, what);
        answers += `${[...answer.headers].join("\n")}\n${answer.body}\n`;
      }
      assert.equal(serve.child.exitCode, null, `ended by ${what}: ${serve.error.slice(-500)}`);
    }
    const [health] = await exchange(rig, "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert.equal(health?.status, 200);
    await until(() => existsSync(join(folder, "stats.jsonl")), "the mirror");

    const files = filesIn(folder).map((name) => [name, readFileSync(join(folder, name), "latin1")] as const);
    assert.ok(files.some(([name]) => name === "ledger.db-wal"));
    serve.child.kill("SIGTERM");
    const { code, out, error } = await serve.exit();
    assert.equal(code, 0);
    assert.doesNotMatch(error, / error |Warning|Unhandled/, "nothing failed inside");
    for (const line of error.trimEnd().split("\n")) {
      assert.match(line, /^\d{4}-\d\d-\d\dT\S+Z (debug|info|warn) [A-Z]/, "texts from outside stay in their line");
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, "nothing steers the terminal");
    }
    const after = filesIn(folder).map(
      (name) => [`${name} at rest`, readFileSync(join(folder, name), "latin1")] as const,
    );
    const outputs = [...files, ...after, ["stdout", out] as const, ["stderr", error] as const];
    for (const [name, text] of outputs) {
      assert.ok(text.length > 0 || /wal|\.spool$/.test(name) || name === "ledger.open", name);
      for (const secret of [KEY, OPENAI_KEY, OPENROUTER_KEY, OWN_KEY, FOREIGN_BEARER, COOKIE, PROMPT])
        assert.equal(text.includes(secret), false, `${secret} in ${name}`);
    }
    // What a client wrote into an address that nobody knows may come back to it; its neighbours' secrets may not.
    for (const secret of [OPENAI_KEY, OPENROUTER_KEY, OWN_KEY, FOREIGN_BEARER, COOKIE])
      assert.equal(answers.includes(secret), false, `${secret} in an answer`);

    assert.ok(upstream.reached.length > 100);
    for (const { method, target, head } of upstream.reached) {
      const what = `${method} ${target}\n${head}`;
      assert.equal(what.includes("pb_"), false, `a local key reached the upstream: ${what}`);
      for (const secret of [FOREIGN_BEARER, COOKIE]) assert.equal(what.includes(secret), false, what);
      const isOpenRouter = !target.startsWith("/openai/");
      const keys = [OPENAI_KEY, OPENROUTER_KEY, OWN_KEY].filter((key) => what.includes(key));
      assert.equal(keys.length, 1, what);
      assert.ok(isOpenRouter ? keys[0] === OPENROUTER_KEY : keys[0] !== OPENROUTER_KEY, what);
      assert.equal(what.match(/authorization\n/gi)?.length, 1, what);
    }
    assert.ok(upstream.reached.some(({ head }) => head.includes(OWN_KEY)));
  });

  it("refuses bodies of 100 MB at its limit, in bounded memory", async function () {
    const { serve, upstream, client } = await serving();
    const piece = Buffer.alloc(MEBIBYTE, 0x61);
    const chunk = Buffer.concat([Buffer.from(`${MEBIBYTE.toString(16)}\r\n`), piece, Buffer.from("\r\n")]);
    const starts = { "no JSON": "", "a model first": '{"model":"gpt-5.5","input":"', "no model": '{"input":"' };

    async function send(head: string, start: string, each: Buffer): Promise<RawClient> {
      const one = client().send(head);
      if (start !== "") one.send(each === chunk ? `${start.length.toString(16)}\r\n${start}\r\n` : start);
      for (let count = 0; count < 100; count += 1) {
        const done = (): boolean => one.closed || readAnswers(one.text, false).length > 0;
        if (done()) break;
        let written = false;
        one.socket.write(each, () => {
          written = true;
        });
        await until(() => written || done(), "the body's way", 10_000);
      }
      await until(() => one.closed || readAnswers(one.text, false).length > 0, "the refusal", 10_000);
      return one;
    }

    for (const route of ["/v1/chat/completions", "/v1/files", "/api/proxy/openrouter", "/unknown", "/health"]) {
      for (const [what, start] of Object.entries(starts)) {
        const lines = `POST ${route} HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-type: application/json\r\n`;
        for (const one of [
          await send(`${lines}content-length: ${100 * MEBIBYTE + start.length}\r\n\r\n`, start, piece),
          await send(`${lines}transfer-encoding: chunked\r\n\r\n`, start, chunk),
        ]) {
          for (const answer of readAnswers(one.text, one.closed)) {
            assertProper(answer, `${route} with ${what}`);
            if (route !== "/health")
              assert.ok([413, 404].includes(answer.status), `${route} ${what}: ${answer.status}`);
          }
          one.socket.destroy();
        }
      }
    }
    for (const { body } of upstream.reached) assert.ok(body.length <= 64 * MEBIBYTE);
    const [health] = await exchange({ client }, "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert.equal(health?.status, 200);
    const status = `/proc/${serve.child.pid}/status`;
    if (!existsSync(status)) return;
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(status, "utf8"))?.[1]) / 1024;
    assert.ok(peak < 400, `a peak of ${peak} MiB`);
  });

  it("logs one line for a request that could not be relayed, and says so to its client", async () => {
    const folder = newFolder(opened);
    const serve = await startServe(
      opened,
      ["--data-dir", folder, "--log-requests", "--openai-base-url", "http://127.0.0.1:1"],
      { PATCHBAY_API_KEY: KEY, OPENAI_API_KEY: OPENAI_KEY },
    );
    const client = (): RawClient => new RawClient(opened, serve.port);
    const [answer] = await exchange({ client }, posted("/v1/responses", '{"model":"gpt-5.5"}'));
    assert.equal(answer?.status, 502);
    assert.match(answer.body, /"code":"upstream_unreachable"/);
    await exchange({ client }, "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await until(() => serve.error.includes("/health"), "the log");
    assert.equal(serve.error.match(/ POST \/v1\/responses status=/g)?.length, 1, serve.error);
  });
});

/** Without the folder of the control socket, and the lock, which stays empty. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "patchbay.lock")
    .map(({ name }) => name);
}
