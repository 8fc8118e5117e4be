import { createHash } from "node:crypto";
import { request as httpRequest, type Server } from "node:http";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { fetch as undiciFetch } from "undici";
import { createKeyAccounts } from "../../src/ledger/keyAccounts.ts";
import type { ManagedKey } from "../../src/ledger/managedKey.ts";
import { costOf } from "../../src/ledger/prices.ts";
import { memoryLedger } from "../ledger/memoryLedger.ts";
import type { UsageRow } from "../../src/ledger/usageRow.ts";
import { createDecoder, decodeBody } from "../../src/node/contentDecoders.ts";
import { listenOn } from "../../src/node/listenOn.ts";
import { startListener } from "../../src/node/listener.ts";
import { createNodeExchanges } from "../../src/node/nodeExchange.ts";
import { leaveUntyped } from "../../src/node/untypedAnswer.ts";
import { createUpstreamDispatcher } from "../../src/node/upstreamDispatcher.ts";
import { TurnFlush } from "../../src/node/turnFlush.ts";
import type { TokenKeeper } from "../../src/codex/tokenKeeper.ts";
import { createAdmission } from "../../src/proxy/admission.ts";
import { createApp } from "../../src/proxy/app.ts";
import { createCodex } from "../../src/proxy/createCodex.ts";
import type { Exchange } from "../../src/proxy/exchange.ts";
import { createFetchExchange } from "../../src/proxy/fetchExchange.ts";
import { createKeyRing, type LocalKey, unlimitedKey } from "../../src/proxy/localKey.ts";
import { createLiveRequests } from "../../src/proxy/liveRequests.ts";
import { createModelList } from "../../src/proxy/modelList.ts";
import type { Answered, ProxyParts } from "../../src/proxy/proxyParts.ts";
import type { ProxySettings } from "../../src/proxy/proxySettings.ts";

/** The key that callers present in these tests, and the ones that only upstreams may see. */
export const KEY = "pb_test_key_canary";
export const OPENAI_KEY = "sk-openai-canary";
export const OPENROUTER_KEY = "sk-or-canary";

/** Where the proxy of a test sends what is meant for an upstream. */
export type FakeUpstream = (request: Request) => Response | Promise<Response>;

export interface ProxyOptions {
  readonly upstream: FakeUpstream;
  readonly settings?: Partial<ProxySettings>;
  readonly key?: Partial<LocalKey>;
  readonly noKey?: boolean;
  /** Keys that the accounts know of. */
  readonly managedKeys?: readonly ManagedKey[];
  /** The ChatGPT sign-in of the proxy; without one it knows of no Codex backend. */
  readonly keeper?: TokenKeeper;
}

/** A proxy under test, over one of the two transports. */
export interface TestProxy {
  /** The path of the proxy, or an absolute URL of it. */
  request(path: string, init?: RequestInit & { readonly host?: string }): Promise<Response>;
  readonly parts: Pick<ProxyParts, "liveRequests">;
  readonly rows: readonly UsageRow[];
  readonly answered: readonly Answered[];
  readonly logLines: readonly string[];
  /** Runs what was put off to later, whatever its delay. */
  runLater(): Promise<void>;
  readonly baseUrl: string;
}

const openProxies: (() => Promise<void>)[] = [];

/** Runs the tests once through `app.request` and once over real sockets: both makings of the exchange keep the same promises. */
export function describeTransports(
  title: string,
  tests: (start: (options: ProxyOptions) => Promise<TestProxy>) => void,
): void {
  describe(`${title} (app.request)`, () => {
    tests(async (options) => startInProcess(options));
  });
  describe(`${title} (sockets)`, () => {
    tests(startOverSockets);
    afterEach(closeProxies);
  });
}

/** Closes what `startOverSockets` has opened. */
export async function closeProxies(): Promise<void> {
  for (const close of openProxies.splice(0)) await close();
}

/** A JSON POST with the local key. */
export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  };
}

/** A stream of server-sent events from an upstream; a number is a pause of so many turns of the event loop. */
export function sse(events: readonly (string | object)[], headers: Record<string, string> = {}): Response {
  const text = events
    .map((event) => (typeof event === "string" ? event : `data: ${JSON.stringify(event)}\n\n`))
    .join("");
  return new Response(text, { headers: { "content-type": "text/event-stream", ...headers } });
}

function partsOf(
  options: ProxyOptions,
  exchangeOf: ProxyParts["exchangeOf"],
  origin: string,
  fetch: ProxyParts["fetch"],
) {
  const rows: UsageRow[] = [];
  const answered: Answered[] = [];
  const logLines: string[] = [];
  const put = (message: string, fields?: object): void =>
    void logLines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  let queue: (() => void)[] = [];
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const settings: ProxySettings = {
    upstreams: {
      openai: { name: "openai", baseUrl: `${origin}/openai/v1`, apiKey: OPENAI_KEY },
      openrouter: { name: "openrouter", baseUrl: `${origin}/openrouter/api/v1`, apiKey: OPENROUTER_KEY },
      codex: { name: "codex", baseUrl: `${origin}/backend-api/codex`, apiKey: undefined },
    },
    routes: [],
    defaultModel: undefined,
    allowedHosts: [],
    allowedOrigins: [],
    allowAnyKey: false,
    unknownPrice: "refuse",
    maximumBodyBytes: 1024 * 1024,
    modelCacheMs: 60_000,
    ...options.settings,
  };
  const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
  const sql = memoryLedger();
  const accounts = createKeyAccounts({
    sql,
    clock,
    zoneOffset: () => 0,
    keys: { byId: (id) => options.managedKeys?.find((one) => one.id === id) },
    takeDirtyBuckets: () => new Map(),
  });
  const { quota, purse } = accounts;
  const unknownPrice = () => settings.unknownPrice;
  const admission = createAdmission({ clock, quota, purse, buckets: new Map(), unknownPrice });
  const key = { ...unlimitedKey("fixed", "fixed"), ...options.key };
  const log = { debug: put, info: put, warn: put, error: put };
  const codex =
    options.keeper === undefined
      ? undefined
      : createCodex({
          fetch,
          clock,
          log,
          baseUrl: () => `${origin}/backend-api/codex`,
          keeper: options.keeper,
          aliases: () => ({ "gpt-5.3-codex": "gpt-6.1-sol" }),
          cacheMs: 3_600_000,
          version: "test",
        });
  let count = 0;
  const parts: ProxyParts = {
    version: "test",
    clock,
    log,
    randomId: () => `req_${(count += 1)}`,
    digest,
    exchangeOf,
    fetch,
    later(_delayMs, work) {
      queue.push(work);
      return () => {
        queue = queue.filter((one) => one !== work);
      };
    },
    decodeBody,
    createDecoder,
    settings: () => settings,
    keyRing:
      options.noKey === true
        ? undefined
        : createKeyRing({ digest, now: () => clock.now(), fixed: { key, secret: KEY } }),
    admission,
    codex,
    liveRequests: createLiveRequests(
      () => () => undefined,
      () => false,
      () => null,
    ),
    modelList: createModelList({ clock, log, fetch, settings: () => settings, codex }),
    usage: {
      record(row) {
        const at = rows.findIndex((one) => one.id === row.id);
        accounts.recorded(row);
        accounts.committed([row], [rows[at]]);
        if (at === -1) rows.push(row);
        else rows[at] = row;
      },
      flush() {},
      findByResponseId: (upstream, id) => rows.findLast((row) => row.upstream === upstream && row.responseId === id),
    },
    costOf,
    estimate: () => undefined,
    onAnswered: (one) => void answered.push(one),
  };
  return {
    parts,
    rows,
    answered,
    logLines,
    settings,
    async runLater() {
      const work = queue;
      queue = [];
      for (const one of work) one();
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
  };
}

/** A GET with a Host header of its own, which `fetch` would not send. */
function bareRequest(url: string, host: string): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers: { host } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => {
        const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
        resolve(new Response(Buffer.concat(parts), { status: answer.statusCode ?? 0, headers }));
      });
    });
    request.on("error", reject);
    request.end();
  });
}

function startInProcess(options: ProxyOptions): TestProxy {
  const fetch = (url: string, init: RequestInit): Promise<Response> =>
    Promise.resolve(options.upstream(new Request(url, init)));
  const exchanges = new WeakMap<Request, Exchange>();
  const made = partsOf(
    options,
    (request) => {
      let exchange = exchanges.get(request);
      if (exchange === undefined) {
        exchange = createFetchExchange(request, {
          fetch,
          maximumBodyBytes: () => made.settings.maximumBodyBytes,
          headersTimeoutMs: 5_000,
          keepAliveAfterMs: 5_000,
          later: () => () => undefined,
        });
        exchanges.set(request, exchange);
      }
      return exchange;
    },
    "http://upstream.test",
    fetch,
  );
  const app = createApp(made.parts);
  const baseUrl = "http://127.0.0.1:8390";
  return {
    ...made,
    baseUrl,
    async request(path, init = {}) {
      const { host, ...rest } = init;
      const headers = new Headers(rest.headers);
      headers.set("host", host ?? "127.0.0.1:8390");
      const body = rest.body;
      if (typeof body === "string") headers.set("content-length", String(new TextEncoder().encode(body).length));
      return app.request(`${baseUrl}${path}`, { ...rest, headers });
    },
  };
}

/** A proxy on a real socket, to be closed by `closeProxies`. */
export async function startOverSockets(options: ProxyOptions): Promise<TestProxy> {
  const server = createAdaptorServer({
    fetch: async (request, bindings) => {
      const answer = await options.upstream(request);
      leaveUntyped(answer, (bindings as HttpBindings).outgoing);
      return answer;
    },
    overrideGlobalObjects: false,
  }) as Server;
  const upstream = await listenOn(server, "127.0.0.1", 0);
  const dispatcher = createUpstreamDispatcher({ headersTimeoutMs: 5_000 });
  const fetch = async (url: string, init: RequestInit): Promise<Response> =>
    (await undiciFetch(url, { ...init, dispatcher } as object)) as unknown as Response;
  const made = partsOf(
    options,
    (_request, bindings) => (bindings as { exchange: Exchange }).exchange,
    `http://127.0.0.1:${upstream.port}`,
    fetch,
  );
  const app = createApp(made.parts);
  const listener = await startListener({
    fetch: (request, bindings) => app.fetch(request, bindings),
    exchanges: createNodeExchanges({
      dispatcher,
      maximumBodyBytes: made.settings.maximumBodyBytes,
      keepAliveAfterMs: 5_000,
      turns: new TurnFlush(() => undefined),
      clock: made.parts.clock,
    }),
    host: "127.0.0.1",
    port: 0,
  });
  openProxies.push(async () => {
    await listener.close();
    await dispatcher.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const baseUrl = `http://127.0.0.1:${listener.port}`;
  return {
    ...made,
    baseUrl,
    async request(path, init = {}) {
      const { host, ...rest } = init;
      const headers = new Headers(rest.headers);
      if (host !== undefined) return bareRequest(`${baseUrl}${path}`, host);
      return (await undiciFetch(`${baseUrl}${path}`, {
        ...rest,
        headers: [...headers],
        redirect: "manual",
      } as object)) as unknown as Response;
    },
  };
}
