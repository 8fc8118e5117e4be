import { hash } from "node:crypto";
import { fetch as undiciFetch } from "undici";
import { reportUsage } from "../ledger/reports.ts";
import { costOf } from "../ledger/prices.ts";
import { loadPrices } from "../ledger/priceSnapshot.ts";
import { createUsageLedger } from "../ledger/usageLedger.ts";
import type { Clock, Log } from "../ports.ts";
import { createAdmission } from "../proxy/admission.ts";
import { createApp } from "../proxy/app.ts";
import { createFixedKeyRing, type Digest, type LocalKey } from "../proxy/localKey.ts";
import type { Answered } from "../proxy/proxyParts.ts";
import type { ProxySettings } from "../proxy/proxySettings.ts";
import { createDecoder, decodeBody } from "./contentDecoders.ts";
import { openLedgerFile } from "./ledgerFile.ts";
import { startLedgerUpkeep } from "./ledgerUpkeep.ts";
import { createLedgerWriter } from "./ledgerWriter.ts";
import { startListener } from "./listener.ts";
import { createNodeExchanges } from "./nodeExchange.ts";
import { newRequestId } from "./requestId.ts";
import { openStatsMirror } from "./statsMirror.ts";
import { createUpstreamDispatcher, type UpstreamDispatcherSettings } from "./upstreamDispatcher.ts";
import { VERSION } from "./version.ts";

/** Everything that a running proxy is started with. */
export interface ProcessSettings {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataDirectory: string;
  readonly proxy: ProxySettings;
  /** The one fixed key; undefined where none is set. */
  readonly fixedKey: { readonly key: LocalKey; readonly secret: string } | undefined;
  /** JSONL mirror of the ledger; undefined for none. */
  readonly statsPath: string | undefined;
  /** 0 keeps all rows. */
  readonly retentionDays: number;
  /** Milliseconds of an upstream's silence after which a stream is kept alive; 0 never. */
  readonly keepAliveAfterMs: number;
  readonly network: UpstreamDispatcherSettings;
  readonly onAnswered: (answered: Answered) => void;
}

/** A proxy that serves. */
export interface ProxyProcess {
  readonly host: string;
  readonly port: number;
  /** Lets running answers finish for so many milliseconds, then closes everything. Calling it again with less hurries it. */
  stop(graceMs: number): Promise<void>;
}

/** Wall and monotonic time of this machine. */
export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** SHA-256, synchronously: 2 µs for a key. */
export const sha256: Digest = (text) => hash("sha256", text, "buffer");

/** Opens the ledger and the port. Rejects with a `ListenError`, a `DatabaseError` or a `NewerSchemaError`, each a sentence for the user. */
export async function startProxyProcess(settings: ProcessSettings, log: Log): Promise<ProxyProcess> {
  const clock = systemClock;
  const file = openLedgerFile(settings.dataDirectory, log, clock.now());
  try {
    const ledger = createUsageLedger(file, log);
    const writer = createLedgerWriter(ledger, clock, log);
    const admission = createAdmission(clock, (keyId) => {
      const [total] = reportUsage(file, { groupBy: "none", keyId });
      return total === undefined ? 0 : total.inputTokens + total.outputTokens;
    });
    ledger.onRecorded((row, replaced) => admission.count(row, replaced));
    const mirror = settings.statsPath === undefined ? undefined : openStatsMirror(settings.statsPath, log);
    if (mirror !== undefined) ledger.onRecorded((row) => mirror.write(row));
    let prices = loadPrices(file);
    const dispatcher = createUpstreamDispatcher({ ...settings.network, log });
    const exchanges = createNodeExchanges({
      dispatcher,
      maximumBodyBytes: settings.proxy.maximumBodyBytes,
      keepAliveAfterMs: settings.keepAliveAfterMs,
      beforeFlush: () => writer.flush(),
      clock,
      log,
    });
    const app = createApp({
      version: VERSION,
      clock,
      log,
      randomId: newRequestId,
      digest: sha256,
      exchangeOf: (_request, bindings) => (bindings as { exchange: ReturnType<typeof exchanges> }).exchange,
      fetch: async (url, init) => (await undiciFetch(url, { ...init, dispatcher } as object)) as unknown as Response,
      later: (delayMs, work) => {
        const timer = setTimeout(work, delayMs);
        timer.unref();
        return () => clearTimeout(timer);
      },
      decodeBody,
      createDecoder,
      settings: () => settings.proxy,
      keyRing:
        settings.fixedKey === undefined
          ? undefined
          : createFixedKeyRing(settings.fixedKey.key, settings.fixedKey.secret, sha256),
      admission,
      usage: {
        record: (row) => writer.record(row),
        flush: () => writer.flush(),
        findByResponseId: (upstream, responseId) => ledger.findByResponseId(upstream, responseId),
      },
      costOf: (upstream, model, tier, tokens, reported) => costOf(upstream, model, tier, tokens, reported, prices),
      onAnswered: settings.onAnswered,
    });
    const listener = await startListener({
      fetch: (request, bindings) => app.fetch(request, bindings),
      exchanges,
      host: settings.host,
      port: settings.port,
    });
    const upkeep = startLedgerUpkeep(file, settings.retentionDays, clock, log, () => {
      // `patchbay prices --refresh` may have put in newer ones.
      prices = loadPrices(file);
    });
    let stopped: Promise<void> | undefined;
    return {
      host: listener.host,
      port: listener.port,
      stop(graceMs) {
        if (stopped !== undefined) return listener.close().then(() => stopped);
        stopped = (async () => {
          await listener.drain(graceMs);
          upkeep.stop();
          // Answers that were cut are written down when their connections tell, which is a turn of the event loop after the last close.
          await dispatcher.destroy();
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
          await writer.close();
          await mirror?.close();
          file.close();
        })();
        return stopped;
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
