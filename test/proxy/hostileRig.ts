import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import zlib from "node:zlib";
import { listenOn } from "../../src/node/listenOn.ts";
import { KEY_DEFAULTS } from "../../src/node/keyDraft.ts";
import { startProxyProcess, type ProcessSettings } from "../../src/node/proxyProcess.ts";
import { bodyOf, type Opened, RawClient, until } from "../node/relayRig.ts";
import { signedOut } from "../codex/signedOut.ts";
import { newFolder } from "../cli/serveProcess.ts";
import { listeningLog } from "../ledger/temporaryLedger.ts";
import { unlimitedKey } from "../../src/proxy/localKey.ts";
import type { Answered } from "../../src/proxy/proxyParts.ts";

/** What the proxy of these tests is called with, and what only its upstreams may see. */
export const KEY = "pb_hostile_local_canary";
export const OPENAI_KEY = "sk-hostile-openai-canary";
export const OPENROUTER_KEY = "sk-hostile-openrouter-canary";

/** What reached an upstream. */
export interface Reached {
  readonly method: string;
  readonly target: string;
  readonly head: string;
  readonly body: Buffer;
}

/** An upstream as strict as the real ones: what it cannot read is the caller's mistake. */
export interface StrictUpstream {
  readonly origin: string;
  readonly reached: Reached[];
}

const UNPACK: Readonly<Record<string, (body: Buffer, options: { maxOutputLength: number }) => Buffer>> = {
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
};

/** Starts an upstream that notes all it gets. */
export async function strictUpstream(opened: Opened): Promise<StrictUpstream> {
  const reached: Reached[] = [];
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = "", url: target = "" } = incoming;
    let body: Buffer;
    try {
      body = await bodyOf(incoming);
    } catch {
      return;
    }
    reached.push({ method, target, head: incoming.rawHeaders.join("\n"), body });
    const said = method === "GET" || method === "HEAD" ? {} : readBody(body, incoming.headers["content-encoding"]);
    const refused = said === undefined || ("model" in said && typeof said["model"] !== "string");
    outgoing.writeHead(refused ? 400 : 200, { "content-type": "application/json" });
    outgoing.end(
      refused
        ? '{"error":{"message":"Not readable.","type":"invalid_request_error","param":null,"code":null}}'
        : '{"id":"resp_1","object":"x","data":[],"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}',
    );
  };
  const server = createServer({ maxHeaderSize: 1024 * 1024 }, (incoming, outgoing) => void answer(incoming, outgoing));
  server.maxHeadersCount = 0;
  const { port } = await listenOn(server, "127.0.0.1", 0);
  opened.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${port}`, reached };
}

function readBody(body: Buffer, encoding: string | undefined): Record<string, unknown> | undefined {
  try {
    const unpack = encoding === undefined || encoding === "identity" ? undefined : UNPACK[encoding];
    if (encoding !== undefined && encoding !== "identity" && unpack === undefined) return undefined;
    const plain = unpack === undefined ? body : unpack(body, { maxOutputLength: 1024 * 1024 });
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plain));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The whole proxy process, inside of this one. */
export interface HostileRig {
  readonly port: number;
  readonly folder: string;
  readonly upstream: StrictUpstream;
  readonly logLines: readonly string[];
  readonly answered: readonly Answered[];
  client(options?: { allowHalfOpen?: boolean }): RawClient;
  /** Whether the ledger has a row for the request with this id. */
  metered(id: string): boolean;
}

/** Starts a proxy with a ledger, a listener and an upstream, all of them real. */
export async function startHostileRig(
  opened: Opened,
  settings: { readonly quotaTokens?: number; readonly statsPath?: string; readonly maximumBodyBytes?: number } = {},
): Promise<HostileRig> {
  const upstream = await strictUpstream(opened);
  const folder = newFolder(opened);
  const log = listeningLog();
  const answered: Answered[] = [];
  const running: ProcessSettings = {
    host: "127.0.0.1",
    port: 0,
    dataDirectory: folder,
    proxy: {
      upstreams: {
        openai: { name: "openai", baseUrl: `${upstream.origin}/openai/v1`, apiKey: OPENAI_KEY },
        openrouter: { name: "openrouter", baseUrl: `${upstream.origin}/openrouter/api/v1`, apiKey: OPENROUTER_KEY },
      },
      routes: [],
      defaultModel: undefined,
      allowedHosts: [],
      allowedOrigins: [],
      allowAnyKey: false,
      unknownPrice: "refuse",
      maximumBodyBytes: settings.maximumBodyBytes ?? 64 * 1024 * 1024,
      modelCacheMs: 60_000,
    },
    fixedKey: {
      secret: KEY,
      key: { ...unlimitedKey("fixed", "fixed"), quotaTokens: settings.quotaTokens },
    },
    statsPath: settings.statsPath,
    aliases: {},
    keyDefaults: KEY_DEFAULTS,
    openKeeper: async () => signedOut,
    retentionDays: 0,
    keepAliveAfterMs: 0,
    network: {},
    onAnswered: (one) => void answered.push(one),
  };
  const proxy = await startProxyProcess(running, log);
  opened.add(() => proxy.stop(0));
  return {
    port: proxy.port,
    folder,
    upstream,
    logLines: log.lines,
    answered,
    client: (options) => new RawClient(opened, proxy.port, options),
    metered(id) {
      const ledger = new DatabaseSync(join(folder, "ledger.db"), { readOnly: true });
      try {
        return ledger.prepare("SELECT 1 FROM usage WHERE id = ?").get(id) !== undefined;
      } finally {
        ledger.close();
      }
    },
  };
}

/** One answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** The answers in what a connection brought, as far as they are whole; interim ones are left out. */
export function readAnswers(text: string, closed: boolean, headOnly = false): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const headEnd = rest.indexOf("\r\n\r\n");
    if (headEnd === -1) return answers;
    const [statusLine = "", ...lines] = rest.slice(0, headEnd).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    assert.ok(status >= 100, `no status line: ${JSON.stringify(statusLine)}`);
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    );
    rest = rest.slice(headEnd + 4);
    if (status < 200) continue;
    let body: string | undefined;
    if (headOnly || status === 204) body = "";
    else if (headers.has("content-length")) {
      const length = Number(headers.get("content-length"));
      if (rest.length < length) return answers;
      body = rest.slice(0, length);
      rest = rest.slice(length);
    } else if (headers.get("transfer-encoding") === "chunked") {
      const whole = unchunked(rest);
      if (whole === undefined) return answers;
      ({ body, rest } = whole);
    } else {
      if (!closed) return answers;
      body = rest;
      rest = "";
    }
    answers.push({ status, headers, body });
  }
}

function unchunked(text: string): { body: string; rest: string } | undefined {
  let body = "";
  let rest = text;
  for (;;) {
    const lineEnd = rest.indexOf("\r\n");
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(rest.slice(0, lineEnd), 16);
    if (rest.length < lineEnd + 4 + size) return undefined;
    body += rest.slice(lineEnd + 2, lineEnd + 2 + size);
    rest = rest.slice(lineEnd + 4 + size);
    if (size === 0) return { body, rest };
  }
}

/** Sends bytes on a connection of their own; waits for so many answers or the close. */
export async function exchange(
  rig: Pick<HostileRig, "client">,
  bytes: string | Buffer,
  { answers = 1, headOnly = false, what = "an answer", milliseconds = 5000 } = {},
): Promise<RawAnswer[]> {
  const client = rig.client();
  client.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  const done = (): boolean => client.closed || readAnswers(client.text, false, headOnly).length >= answers;
  await until(done, `${what}, got ${JSON.stringify(client.text.slice(0, 300))}`, milliseconds);
  const read = readAnswers(client.text, client.closed, headOnly);
  client.socket.destroy();
  return read;
}

/** An answer is fine, or a refusal that OpenAI's clients can read and that blames the client where the client was wrong. */
export function assertProper(answer: RawAnswer, what: string): void {
  const { status, headers, body } = answer;
  assert.ok(status < 500, `${what}: ${status} ${body}`);
  assert.ok(headers.get("x-request-id"), `${what}: no x-request-id on ${status}`);
  if (status < 400 || body === "") return;
  const { error } = JSON.parse(body) as { error: Record<string, unknown> };
  assert.deepEqual(Object.keys(error).toSorted(), ["code", "message", "param", "type"], what);
  assert.equal(typeof error["message"], "string", what);
  assert.equal(typeof error["type"], "string", what);
}

/** A request with a body, its length and the local key. */
export function posted(target: string, body: string | Buffer, headers: readonly string[] = []): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const own = new Set(headers.map((line) => line.slice(0, line.indexOf(":")).toLowerCase()));
  const lines = [
    `POST ${target} HTTP/1.1`,
    "host: localhost",
    `authorization: Bearer ${KEY}`,
    ...(own.has("content-type") ? [] : ["content-type: application/json"]),
    ...(own.has("content-length") || own.has("transfer-encoding") ? [] : [`content-length: ${bytes.length}`]),
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), bytes]);
}
