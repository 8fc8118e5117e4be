import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { SERVE_FLAGS } from "../../src/cli/serveFlags.ts";
import { environmentName, Misuse } from "../../src/cli/flags.ts";
import { runServe } from "../../src/cli/serveCommand.ts";
import { DatabaseError } from "../../src/node/sqlite.ts";
import { httpUpstream, Opened, portOf, RawClient, until, within } from "../node/relayRig.ts";
import { untilCommitted } from "../node/untilCommitted.ts";
import {
  askChat,
  askResponses,
  LOCAL_KEY,
  newFolder,
  runCli,
  type ServeProcess,
  startCli,
  startServe,
  startTestSandbox,
  type TestSandbox,
} from "./serveProcess.ts";

const SLOW = 60_000;

async function errorOf(answer: Response): Promise<{ code: string; message: string }> {
  return ((await answer.json()) as { error: { code: string; message: string } }).error;
}

describe("patchbay serve", function () {
  this.timeout(SLOW);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  /** A proxy in front of a sandbox that this process can ask what it served. */
  async function serving(
    words: readonly string[] = [],
    tokenDelayMs = 0,
  ): Promise<{ serve: ServeProcess; sandbox: TestSandbox; folder: string }> {
    const sandbox = await startTestSandbox(opened, tokenDelayMs);
    const folder = newFolder(opened);
    const serve = await startServe(
      opened,
      ["--data-dir", folder, "--api-key", LOCAL_KEY, ...sandbox.words, ...words],
      sandbox.environment,
    );
    return { serve, sandbox, folder };
  }

  /** Why it does not start with these words. */
  async function refusalOf(
    words: readonly string[],
    environment: Record<string, string>,
  ): Promise<{ refused: unknown; out: string }> {
    let out = "";
    const put = (text: string): void => void (out += text);
    try {
      const started = runServe(words, { stdout: put, stderr: put, environment, onInterrupt: () => () => undefined });
      await within(started, "the refusal");
      return { refused: undefined, out };
    } catch (error) {
      return { refused: error, out };
    }
  }

  async function usage(folder: string, ...words: string[]): Promise<string> {
    await untilCommitted(folder);
    const { code, out, error } = await runCli(opened, ["usage", ...words, "--data-dir", folder]);
    assert.equal(code, 0, error);
    return out;
  }

  it("says on the first line of stdout where it listens, and answers there", async () => {
    const { serve } = await serving();
    assert.match(serve.firstLine, /^Patchbay listening on http:\/\/127\.0\.0\.1:\d+$/);
    const answer = await fetch(`${serve.url}/health`);
    assert.equal(answer.status, 200);
    assert.equal(((await answer.json()) as { name: string }).name, "patchbay");
  });

  it("writes an IPv6 address as a URL has it", async () => {
    const serve = await startServe(opened, ["--listen", "[::1]:0", "--allow-any-key", "--data-dir", newFolder(opened)]);
    assert.match(serve.firstLine, /^Patchbay listening on http:\/\/\[::1\]:\d+$/);
    assert.equal((await fetch(`${serve.url}/health`)).status, 200);
  });

  it("ends with 1 and one sentence when the port is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    opened.add(() => taken.close());
    const listen = `127.0.0.1:${portOf(taken)}`;
    const { code, out, error } = await runCli(opened, [
      "serve",
      "--listen",
      listen,
      "--allow-any-key",
      "--data-dir",
      newFolder(opened),
    ]);
    assert.equal(code, 1);
    assert.equal(out, "");
    assert.match(error, /^Port \d+ on 127\.0\.0\.1 is taken by another program: .*\.\n$/);
  });

  it("ends with 1 and one sentence when the data folder cannot be made", async () => {
    const file = join(newFolder(opened), "file");
    writeFileSync(file, "");
    const { code, error } = await runCli(opened, [
      "serve",
      "--listen",
      "127.0.0.1:0",
      "--data-dir",
      join(file, "data"),
    ]);
    assert.equal(code, 1);
    assert.match(error, /^\S.*data.* cannot be .*check.*\.\n$/);
  });

  const misuses: readonly (readonly string[])[] = [
    ["--colour"],
    ["--listen"],
    ["--listen", "nonsense"],
    ["--listen", "127.0.0.1:65536"],
    ["--sandbox=maybe"],
    ["extra"],
    ["--data-dir", ""],
    ["--api-key", "short"],
    ["--api-key", "schlüssel-schlüssel"],
    ["--model", ""],
    ["--route", "gpt-*"],
    ["--route", "gpt-*=nowhere"],
    ["--base-url", "nonsense"],
    ["--creds-store", "nowhere"],
    ["--creds-store", "env", "--creds-path", "auth.json"],
    ["--auth-base-url", "http://auth.example"],
    ["--alias", "gpt-5"],
    ["--unknown-price", "maybe"],
    ["--openai-base-url", "api.openai.com"],
    ["--openai-base-url", "ftp://api.openai.com"],
    ["--openrouter-base-url", "nonsense"],
    ["--cache-ttl", "soon"],
    ["--cache-ttl", "6"],
    ["--connect-timeout", "-5s"],
    ["--headers-timeout", "1week"],
    ["--keep-alive", "90d"],
    ["--drain", "25d"],
    ["--drain", "1e3s"],
    ["--rate", "60"],
    ["--rate", "sixty/m"],
    ["--rate", "60/d"],
    ["--burst", "many"],
    ["--burst", "1.5"],
    ["--quota-tokens", "-1"],
    ["--quota-tokens", "1e9"],
    ["--quota-tokens", "5/week"],
    ["--quota-tokens", "99999999999999999999"],
    ["--retention-days", "week"],
    ["--max-body", "64 apples"],
    ["--max-body", "0"],
    ["--allow-origin", "app.example"],
    ["--allow-host", "http://patchbay.lan"],
    ["--max-body", "99999999999G"],
    ["--log-level", "loud"],
    ["--allow-any-key", "--allow-origin", "*"],
  ];
  it("warns of limits that bound nobody, or not everybody", async () => {
    for (const words of [
      ["--rate", "3/m", "--allow-any-key"],
      ["--quota-tokens", "5", "--api-key", LOCAL_KEY, "--allow-any-key"],
    ]) {
      const serve = await startServe(opened, [...words, "--data-dir", newFolder(opened)]);
      await until(() => serve.error.includes("callers without a key are not limited"), words.join(" "));
      await serve.kill();
    }
  });

  for (const words of misuses) {
    it(`is refused with a sentence on ${words.join(" ")}`, async () => {
      const folder = join(newFolder(opened), "data");
      const { refused, out } = await refusalOf(["--data-dir", folder, ...words], {});
      assert.ok(refused instanceof Misuse, String(refused));
      assert.match(refused.message, /^\S.*\.$/);
      assert.equal(out, "");
      assert.equal(existsSync(folder), false, "nothing is begun");
    });
  }

  it("ends a misuse with 2, its sentence and the way to the help", async () => {
    for (const words of [["--colour"], ["extra"], ["--allow-any-key", "--allow-origin", "*"]]) {
      const { code, out, error } = await runCli(opened, ["serve", ...words], { PATCHBAY_DATA_DIR: newFolder(opened) });
      assert.equal(code, 2, error);
      assert.equal(out, "");
      assert.match(error, /^\S.*\.\nSee `patchbay serve --help`\.\n$/);
    }
  });

  it("takes each flag from its environment variable too, and the command line first", async () => {
    const folder = newFolder(opened);
    const bad: Record<string, string> = {
      listen: "nonsense",
      sandbox: "maybe",
      "data-dir": join("/dev/null", "data"),
      "api-key": "short",
      "allow-any-key": "perhaps",
      route: "nonsense",
      "openai-base-url": "nonsense",
      "openrouter-base-url": "nonsense",
      "base-url": "nonsense",
      "creds-store": "nonsense",
      "auth-base-url": "nonsense",
      "disable-migrate-refresh": "maybe",
      "allow-refresh": "maybe",
      alias: "nonsense",
      "unknown-price": "nonsense",
      "cache-ttl": "nonsense",
      rate: "nonsense",
      burst: "nonsense",
      "quota-tokens": "nonsense",
      "retention-days": "nonsense",
      "max-body": "nonsense",
      "allow-origin": "nonsense",
      "allow-host": "no name",
      "connect-timeout": "nonsense",
      "headers-timeout": "nonsense",
      "keep-alive": "nonsense",
      drain: "nonsense",
      "log-level": "nonsense",
      "log-requests": "nonsense",
    };
    // These take any text, so what they do is looked at below.
    const anyText = new Set(["model", "stats-path", "creds-path"]);
    for (const flag of Object.keys(SERVE_FLAGS)) {
      if (anyText.has(flag)) continue;
      const value = bad[flag];
      assert.ok(value !== undefined, `no test for --${flag}`);
      const words = flag === "listen" ? [] : ["--listen", "127.0.0.1:0"];
      const { refused } = await refusalOf(words, { PATCHBAY_DATA_DIR: folder, [environmentName(flag)]: value });
      assert.ok(refused instanceof (flag === "data-dir" ? DatabaseError : Misuse), `${flag}: ${String(refused)}`);
    }
    assert.ok((await refusalOf([], { OPENAI_API_BASE: "nonsense" })).refused instanceof Misuse);
    const statsPath = join(folder, "stats.jsonl");
    const serve = await startServe(opened, ["--listen", "127.0.0.1:0", "--log-level", "error"], {
      PATCHBAY_LISTEN: "nonsense",
      PATCHBAY_LOG_LEVEL: "nonsense",
      PATCHBAY_SANDBOX: "1",
      PATCHBAY_DATA_DIR: folder,
      PATCHBAY_API_KEY: LOCAL_KEY,
      PATCHBAY_MODEL: "gpt-5.5",
      PATCHBAY_STATS_PATH: statsPath,
      PATCHBAY_ALLOW_ORIGIN: "https://one.example, https://Two.example/",
      PATCHBAY_ALLOW_HOST: "Patchbay.lan:8390",
      OPENAI_API_BASE: "http://127.0.0.1:9/v1",
    });
    const answer = await fetch(`${serve.url}/v1/responses`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${LOCAL_KEY}`,
        "content-type": "application/json",
        origin: "https://two.example",
      },
      body: '{"input":"hello"}',
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("access-control-allow-origin"), "https://two.example");
    assert.equal(((await answer.json()) as { model: string }).model.startsWith("gpt-5.5"), true);
    const named = new RawClient(opened, serve.port).send("GET /health HTTP/1.1\r\nhost: patchbay.lan\r\n\r\n");
    await named.receives("200 OK");
    await until(() => existsSync(statsPath) && readFileSync(statsPath, "utf8").endsWith("\n"), "the mirrored row");
  });

  it("reaches the OpenAI API that OPENAI_API_BASE names", async () => {
    const upstream = await httpUpstream(opened, (incoming, outgoing) => {
      outgoing.writeHead(200, { "content-type": "application/json" });
      outgoing.end(JSON.stringify({ asked: incoming.url }));
    });
    const serve = await startServe(opened, ["--api-key", LOCAL_KEY, "--data-dir", newFolder(opened)], {
      OPENAI_API_BASE: upstream.url,
      OPENAI_API_KEY: "sk-test",
    });
    const answer = await askChat(serve.url, { prompt: "hello" });
    assert.deepEqual(await answer.json(), { asked: "/v1/chat/completions" });
  });

  it("explains itself with --help, naming every flag", async () => {
    const { code, out } = await runCli(opened, ["serve", "--help"]);
    assert.equal(code, 0);
    for (const flag of Object.keys(SERVE_FLAGS)) assert.match(out, new RegExp(`  --(?:no-)?${flag}[ ,\\n]`));
  });

  it("tells its version, and refuses commands that it has not", async () => {
    const version = await runCli(opened, ["--version"]);
    assert.equal(version.code, 0);
    assert.match(version.out, /^patchbay \S+\n$/);
    const unknown = await runCli(opened, ["sing"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.error, /^patchbay has no command "sing"\.\n/);
    assert.equal((await runCli(opened, [])).code, 2);
    assert.equal((await runCli(opened, ["--help"])).code, 0);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`lets a running stream finish at ${signal}, and ends with 0`, async () => {
      const { serve, folder } = await serving([], 10);
      const answer = await askChat(serve.url, { prompt: "[[tokens:40]]", stream: true });
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = (await within(reader.read(), "the first token")).value ?? "";
      serve.child.kill(signal);
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += piece.value;
      assert.match(text, /data: \[DONE\]\n\n$/);
      const { code, signal: by } = await serve.exit();
      assert.deepEqual({ code, by }, { code: 0, by: null });
      const [row] = JSON.parse(await usage(folder, "list", "--json")) as { requests: number; errors: number }[];
      assert.equal(row?.requests, 1);
      assert.equal(row?.errors, 0);
    });
  }

  it("ends at once when nothing runs, whatever connections are open", async () => {
    const { serve } = await serving(["--drain", "10m"]);
    const idle = new RawClient(opened, serve.port).send("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await idle.receives("200 OK");
    const silent = new RawClient(opened, serve.port);
    await until(() => silent.socket.readyState === "open", "the connection");
    serve.child.kill("SIGTERM");
    const { code } = await within(serve.exit(), "the end", 3000);
    assert.equal(code, 0);
  });

  it("cuts running streams at once at a second SIGINT", async () => {
    const { serve, folder } = await serving(["--drain", "10m"]);
    const answer = await askResponses(serve.url, { prompt: "[[hang-after:2]]", stream: true });
    const reader = answer.body!.getReader();
    await within(reader.read(), "the first event");
    serve.child.kill("SIGINT");
    await until(() => serve.error.includes("interrupt again"), "the word about a second interrupt");
    assert.equal(serve.child.exitCode, null);
    serve.child.kill("SIGINT");
    const { code } = await within(serve.exit(), "the end", 3000);
    assert.equal(code, 0);
    await assert.rejects(async () => {
      for (;;) if ((await within(reader.read(), "the cut")).done) return;
    }, "a cut stream does not end cleanly");
    const [row] = JSON.parse(await usage(folder, "list", "--json")) as { requests: number; errors: number }[];
    assert.equal(row?.requests, 1, "the cut request is in the ledger");
  });

  it("ends the streams that outlast --drain", async () => {
    const { serve } = await serving(["--drain", "200ms"]);
    const answer = await askChat(serve.url, { prompt: "[[hang-after:1]]", stream: true });
    await within(answer.body!.getReader().read(), "the first event");
    serve.child.kill("SIGTERM");
    assert.equal((await within(serve.exit(), "the end", 4000)).code, 0);
  });

  it("goes on when nobody reads its log any more", async () => {
    const { serve } = await serving(["--log-requests"]);
    serve.child.stderr?.destroy();
    for (let count = 0; count < 5; count += 1) assert.equal((await fetch(`${serve.url}/health`)).status, 200);
    for (let count = 0; count < 5; count += 1) {
      const answer = await askChat(serve.url, { prompt: "hello" });
      assert.equal(answer.status, 200);
      await answer.body?.cancel();
    }
    assert.equal(serve.child.exitCode, null);
  });

  it("writes a line for each request with --log-requests, without bodies, keys, path keys and queries", async () => {
    const { serve } = await serving(["--log-requests", "--log-level", "debug"]);
    const secret = "canary-in-the-body";
    const asked = await askChat(serve.url, { prompt: secret, headers: { "x-daemon-token": LOCAL_KEY } });
    await asked.text();
    await (await fetch(`${serve.url}/k/${LOCAL_KEY}/v1/models/nope?key=${secret}`)).text();
    await (await fetch(`${serve.url}/K/${LOCAL_KEY}/v1/models`)).text();
    await (await fetch(`${serve.url}/v1/chat/completions`, { method: "POST", body: secret })).text();
    await (await fetch(`${serve.url}/health`)).text();
    const id = asked.headers.get("x-request-id");
    await until(() => (serve.error.match(/ status=/g) ?? []).length >= 5, `five lines, got ${serve.error}`);
    const lines = serve.error.split("\n").filter((line) => line.includes(" status="));
    assert.equal(lines.length, 5, serve.error);
    assert.match(
      lines[0]!,
      /^\S+Z info POST \/v1\/chat\/completions status=200 ms=\d+ ending="complete" key="fixed" upstream="openai" model="gpt-5\.5" id="req_/,
    );
    assert.ok(lines[0]!.includes(String(id)));
    assert.match(lines[1]!, /GET \/v1\/models\/nope status=404/);
    assert.match(lines[3]!, /POST \/v1\/chat\/completions status=415/);
    assert.match(lines[4]!, /GET \/health status=200/);
    assert.doesNotMatch(serve.error + serve.out, new RegExp(`${secret}|${LOCAL_KEY}|sk-test`));
  });

  it("mirrors each row as a line of JSON to --stats-path", async () => {
    const statsPath = join(newFolder(opened), "stats.jsonl");
    const { serve } = await serving(["--stats-path", statsPath]);
    const ids: (string | null)[] = [];
    for (const prompt of ["one", "two", "three"]) {
      const answer = await askChat(serve.url, { prompt });
      ids.push(answer.headers.get("x-request-id"));
      await answer.text();
    }
    serve.child.kill("SIGTERM");
    await serve.exit();
    const rows = readFileSync(statsPath, "utf8").trimEnd().split("\n");
    assert.deepEqual(
      rows.map((line) => (JSON.parse(line) as { id: string }).id),
      ids,
    );
  });

  it("serves on when --stats-path cannot be written, and says so once", async () => {
    const { serve } = await serving(["--stats-path", join(newFolder(opened), "missing", "stats.jsonl")]);
    for (const prompt of ["one", "two"]) assert.equal((await askChat(serve.url, { prompt })).status, 200);
    await until(() => serve.error.includes("--stats-path"), "the complaint");
    serve.child.kill("SIGTERM");
    const { code, error } = await serve.exit();
    assert.equal(code, 0);
    assert.equal(error.match(/--stats-path/g)?.length, 1);
  });

  it("lets --burst requests through and answers the next with the wait of --rate", async () => {
    const { serve } = await serving(["--rate", "1/m", "--burst", "2"]);
    for (const prompt of ["one", "two"]) assert.equal((await askChat(serve.url, { prompt })).status, 200);
    const answer = await askChat(serve.url, { prompt: "three" });
    assert.equal(answer.status, 429);
    const wait = Number(answer.headers.get("retry-after"));
    assert.ok(wait > 50 && wait <= 60, `Retry-After ${wait}`);
    assert.equal((await errorOf(answer)).code, "rate_limit_exceeded");
  });

  it("limits nothing with --rate 0, in any spelling", async () => {
    const { serve } = await serving(["--rate", "0.0/m", "--burst", "1"]);
    for (const prompt of ["one", "two", "three"]) assert.equal((await askChat(serve.url, { prompt })).status, 200);
  });

  it("bounds its key's tokens in a window where --quota-tokens names one", async () => {
    const { serve, sandbox, folder } = await serving(["--quota-tokens", "20/day"]);
    await (await askChat(serve.url, { prompt: "hello" })).text();
    await (await askChat(serve.url, { prompt: "[[tokens:30]]" })).text();
    const refused = await askChat(serve.url, { prompt: "hello" });
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get("retry-after")) >= 1);
    assert.match((await errorOf(refused)).message, /^The key 'fixed' has used its token quota for this day:/);
    await untilCommitted(folder);
    await serve.kill();
    const words = ["--data-dir", folder, "--api-key", LOCAL_KEY, "--quota-tokens", "20/day", ...sandbox.words];
    const again = await startServe(opened, words, sandbox.environment);
    assert.equal((await askChat(again.url, { prompt: "hello" })).status, 429);
  });

  it("refuses a key that has used --quota-tokens, also after a restart", async () => {
    const { serve, sandbox, folder } = await serving(["--quota-tokens", "20"]);
    assert.equal((await askChat(serve.url, { prompt: "[[tokens:30]]" })).status, 200);
    const over = await askChat(serve.url, { prompt: "again" });
    assert.equal(over.status, 429);
    assert.equal((await errorOf(over)).code, "quota_exceeded");
    await serve.kill();
    const words = ["--data-dir", folder, "--api-key", LOCAL_KEY, "--quota-tokens", "20", ...sandbox.words];
    const again = await startServe(opened, words, sandbox.environment);
    assert.equal((await askChat(again.url, { prompt: "again" })).status, 429);
    const key = await fetch(`${again.url}/v1/key`, { headers: { "x-api-key": LOCAL_KEY } });
    assert.equal(((await key.json()) as { remaining: { tokens: number } }).remaining.tokens, 0);
  });

  for (const [how, words, environment] of [
    ["--sandbox", ["--sandbox"], {}],
    ["PATCHBAY_SANDBOX=1", [], { PATCHBAY_SANDBOX: "1" }],
  ] as const) {
    it(`answers from its own sandbox with ${how}, and needs no account`, async () => {
      const folder = newFolder(opened);
      const serve = await startServe(opened, ["--data-dir", folder, "--api-key", LOCAL_KEY, ...words], environment);
      for (const model of ["gpt-5.5", "x-ai/grok-code-fast-1"]) {
        const answer = await askChat(serve.url, { model, prompt: "[[say:hello there]]" });
        assert.equal(answer.status, 200);
        assert.match(await answer.text(), /hello there/);
      }
      const groups = JSON.parse(await usage(folder, "list", "--by", "upstream", "--json")) as { upstream: string }[];
      assert.deepEqual(groups.map(({ upstream }) => upstream).toSorted(), ["openai", "openrouter"]);
    });
  }

  it("tells with `usage` what the upstreams reported, to the token, while it runs", async () => {
    const { serve, sandbox, folder } = await serving();
    const asked = [
      () => askChat(serve.url, { prompt: "[[tokens:17]] [[cached:30]]" }),
      () => askChat(serve.url, { prompt: "[[tokens:9]]", stream: true }),
      () => askChat(serve.url, { model: "x-ai/grok-code-fast-1", prompt: "[[tokens:21]]", stream: true }),
      () => askResponses(serve.url, { prompt: "[[tokens:33]] [[reasoning:12]]" }),
      () => askResponses(serve.url, { prompt: "[[tokens:5]] [[cached:40]] [[reasoning:3]]", stream: true }),
      () => askChat(serve.url, { prompt: "[[status:500]]" }),
    ];
    for (const ask of asked) await (await ask()).text();
    const served = (await sandbox.served()).filter(({ endpoint }) => endpoint.startsWith("POST"));
    assert.equal(served.length, asked.length);
    const expected = {
      requests: 0,
      input_tokens: 0,
      cached_tokens: 0,
      cache_write_tokens: 0,
      output_tokens: 0,
      reasoning_tokens: 0,
    };
    for (const { tokens } of served) {
      expected.requests += 1;
      if (tokens === null) continue;
      const { uncachedInput, cachedInput, cacheWrite, cacheWriteLong, output, reasoning } = tokens;
      expected.input_tokens += uncachedInput + cachedInput + cacheWrite + cacheWriteLong;
      expected.cached_tokens += cachedInput;
      expected.cache_write_tokens += cacheWrite + cacheWriteLong;
      expected.output_tokens += output;
      expected.reasoning_tokens += reasoning;
    }
    assert.ok(expected.output_tokens >= 17 + 9 + 21 + 33 + 5 + 15 && expected.cached_tokens === 70);
    const [key] = JSON.parse(await usage(folder, "list", "--json")) as Record<string, number>[];
    for (const [field, value] of Object.entries(expected)) assert.equal(key?.[field], value, field);

    const show = JSON.parse(await usage(folder, "show", "fixed", "--json")) as Record<string, number> & {
      newest_requests: { cost_usd: number | null; upstream: string }[];
    };
    for (const [field, value] of Object.entries(expected)) assert.equal(show[field], value, field);
    const grok = served.find(({ upstream }) => upstream === "openrouter");
    const grokRow = show.newest_requests.find(({ upstream }) => upstream === "openrouter");
    assert.ok(grok !== undefined && grok.costMicros !== null);
    assert.equal(grokRow?.cost_usd, grok.costMicros / 1_000_000, "OpenRouter's own cost");

    const [head = "", line = ""] = (await usage(folder, "list", "--csv")).split("\r\n");
    const csv = new Map(head.split(",").map((name, index) => [name, line.split(",")[index]]));
    for (const [field, value] of Object.entries(expected)) assert.equal(csv.get(field), String(value), field);
    assert.equal((await usage(folder, "show", "fixed", "--csv")).trimEnd().split("\r\n").length, asked.length + 1);
    assert.match(await usage(folder, "list"), /^KEY +REQUESTS/);
  });

  it("takes usage's flags from the environment too", async () => {
    const { serve, folder } = await serving();
    await (await askChat(serve.url, { prompt: "hello" })).text();
    const environment = { PATCHBAY_DATA_DIR: folder, PATCHBAY_JSON: "1", PATCHBAY_BY: "model", PATCHBAY_SINCE: "1h" };
    const list = await runCli(opened, ["usage", "list"], environment);
    assert.equal((JSON.parse(list.out) as { model: string; requests: number }[])[0]?.requests, 1);
    assert.match((JSON.parse(list.out) as { model: string }[])[0]?.model ?? "", /^gpt-5\.5/);
    const show = await runCli(opened, ["usage", "show", "fixed"], environment);
    assert.equal((JSON.parse(show.out) as { requests: number }).requests, 1);
    const misuse = await runCli(opened, ["usage", "list"], { PATCHBAY_JSON: "perhaps" });
    assert.equal(misuse.code, 2);
  });

  it("prints usage into a closed pipe without a complaint", async () => {
    const { serve, folder } = await serving();
    await (await askChat(serve.url, { prompt: "hello" })).text();
    const reading = startCli(opened, ["usage", "list", "--data-dir", folder]);
    reading.child.stdout?.destroy();
    const { code, error } = await reading.exit();
    assert.deepEqual({ code, error }, { code: 0, error: "" });
  });
});
