/**
 * The relay alone, without key check and metering, which writes a row for each answer or none: `node bench/recordedRelay.ts UPSTREAM_PORT
 * DIRECTORY` prints its port. The path of a request decides: `RECORDED_PATH` or `UNRECORDED_PATH`.
 */
import { createUsageLedger } from "../src/ledger/usageLedger.ts";
import { openLedgerFile } from "../src/node/ledgerFile.ts";
import { createLedgerWriter } from "../src/node/ledgerWriter.ts";
import { startListener } from "../src/node/listener.ts";
import { createNodeExchanges } from "../src/node/nodeExchange.ts";
import { newRequestId } from "../src/node/requestId.ts";
import { createUpstreamDispatcher } from "../src/node/upstreamDispatcher.ts";
import { openUsageSpool } from "../src/node/usageSpool.ts";
import type { HeaderPairs, RelayObserver } from "../src/proxy/exchange.ts";
import { CHAT_PATH } from "./contestants.ts";
import { RECORDED_PATH } from "./recordedRequest.ts";

const MAXIMUM_BODY_BYTES = 1_000_000;
const NOT_FORWARDED = /^(host|content-length|connection|keep-alive|transfer-encoding)$/i;

const [upstreamPort, directory = ""] = process.argv.slice(2);
const log = { debug() {}, info() {}, warn: console.warn, error: console.error };
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const ledger = createUsageLedger(openLedgerFile(directory, log, clock.now()), log);
const writer = createLedgerWriter(ledger, openUsageSpool(directory, log, clock.now()), clock, log);

function record(): void {
  writer.record({
    id: newRequestId(),
    startedAt: clock.now(),
    keyId: "fixed",
    upstream: "openai",
    endpoint: "chat",
    modelAsked: "bench-json",
    modelServed: "bench",
    responseId: "chatcmpl-bench",
    serviceTier: null,
    tokens: { uncachedInput: 9, cachedInput: 0, cacheWrite: 0, cacheWriteLong: 0, output: 98, reasoning: 0 },
    usageSource: "reported",
    costMicros: null,
    costSource: "unknown",
    status: 200,
    ending: "complete",
    firstTokenMs: 1,
    totalMs: 1,
    client: "bench",
    session: null,
  });
}

function observerOf(recorded: boolean): RelayObserver {
  return {
    head: (status, headers) => ({ status, headers: forwarded(headers) }),
    chunk: () => undefined,
    end(outcome) {
      if (recorded) record();
      return { lastBytes: undefined, how: outcome === "complete" ? "end" : "destroy" };
    },
    silence: () => undefined,
  };
}

function forwarded(headers: HeaderPairs): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (!NOT_FORWARDED.test(name)) kept.push(name, headers[index + 1] ?? "");
  }
  return kept;
}

const listener = await startListener({
  host: "127.0.0.1",
  port: 0,
  exchanges: createNodeExchanges({
    dispatcher: createUpstreamDispatcher(),
    maximumBodyBytes: MAXIMUM_BODY_BYTES,
    keepAliveAfterMs: 0,
    beforeFlush: () => writer.flush(),
    clock,
  }),
  fetch: (_request, { exchange }) =>
    exchange.relay(
      {
        url: `http://127.0.0.1:${upstreamPort}${CHAT_PATH}`,
        method: exchange.method,
        headers: forwarded(exchange.headers),
        body: "client",
      },
      observerOf(exchange.target === RECORDED_PATH),
    ),
});
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
console.log(listener.port);
