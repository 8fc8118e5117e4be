import { hash } from "node:crypto";
import { type Dispatcher, fetch as undiciFetch } from "undici";
import { estimateCost } from "../ledger/costEstimate.ts";
import { costOf, findPrice } from "../ledger/prices.ts";
import { loadPrices } from "../ledger/priceSnapshot.ts";
import { unsettledRows } from "../ledger/unsettledRows.ts";
import type { Clock, Log } from "../ports.ts";
import type { Fetch } from "../codex/backendRequest.ts";
import type { ModelAliases } from "../codex/modelNames.ts";
import type { TokenKeeper } from "../codex/tokenKeeper.ts";
import { createApp } from "../proxy/app.ts";
import { createCodex } from "../proxy/createCodex.ts";
import { createModelList } from "../proxy/modelList.ts";
import { createKeyRing, type Digest, type FixedKey } from "../proxy/localKey.ts";
import { createLiveRequests } from "../proxy/liveRequests.ts";
import type { Answered, ProxyParts } from "../proxy/proxyParts.ts";
import type { ProxySettings } from "../proxy/proxySettings.ts";
import { resumeRecovery } from "../proxy/settlement.ts";
import { createDecoder, decodeBody } from "./contentDecoders.ts";
import { type ControlClaim, claimDataDirectory } from "./controlClaim.ts";
import { openLedgerFile } from "./ledgerFile.ts";
import { startLedgerUpkeep } from "./ledgerUpkeep.ts";
import type { KeyDefaults } from "./keyDraft.ts";
import { createKeyKeeping } from "./keyKeeping.ts";
import { createLedgerWriter } from "./ledgerWriter.ts";
import { startListener } from "./listener.ts";
import { createNodeExchanges } from "./nodeExchange.ts";
import { type ControlSettings, type ProcessControl, startProcessControl } from "./processControl.ts";
import { readingAfter } from "./readingAfter.ts";
import { openProcessAccounts, RECOVERY_MS } from "./processAccounts.ts";
import { newRequestId } from "./requestId.ts";
import { openStatsMirror } from "./statsMirror.ts";
import { TurnFlush } from "./turnFlush.ts";
import { createUpstreamDispatcher, type UpstreamDispatcherSettings } from "./upstreamDispatcher.ts";
import { openUsageSpool } from "./usageSpool.ts";
import { VERSION } from "./version.ts";

/** Everything that a running proxy is started with. */
export interface ProcessSettings {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataDirectory: string;
  readonly proxy: ProxySettings;
  /** The user's stand-ins for retired Codex models. */
  readonly aliases: ModelAliases;
  /** Opens the ChatGPT sign-in, over the same network settings as the upstreams; rejects with a sentence for the user. */
  readonly openKeeper: (fetch: Fetch) => Promise<TokenKeeper>;
  /** As `ProxyParts.credentialsToCome`; left out where they are there from the start. */
  readonly credentialsToCome?: () => Promise<void> | undefined;
  /** What bounds a managed key that says nothing else. */
  readonly keyDefaults: KeyDefaults;
  /** The one fixed key; undefined where none is set. */
  readonly fixedKey: FixedKey | undefined;
  /** JSONL mirror of the ledger; undefined for none. */
  readonly statsPath: string | undefined;
  /** 0 keeps all rows. */
  readonly retentionDays: number;
  /** Milliseconds of an upstream's silence after which a stream is kept alive; 0 never. */
  readonly keepAliveAfterMs: number;
  readonly network: UpstreamDispatcherSettings;
  /** The way to the upstreams, where whoever starts the process wants to change it later; made from `network` where left out. */
  readonly dispatcher?: Dispatcher;
  readonly onAnswered: (answered: Answered) => void;
  readonly control?: ControlSettings;
}

/** A proxy that serves. */
export interface ProxyProcess {
  readonly host: string;
  readonly port: number;
  /** Lets running answers finish for so many milliseconds, then closes everything. Calling it again with less hurries it. */
  stop(graceMs: number): Promise<void>;
  /** Puts all recorded usage into the ledger now, for somebody who is about to open its file. Never throws. */
  commitUsage(): void;
  /** Whether anybody was ever given a key. */
  hasKeys(): boolean;
  /** Resolves when the process has stopped, whoever asked for it: its owner, the control socket, or nobody needing it any more. */
  readonly ended: Promise<void>;
}

/** Wall and monotonic time of this machine. */
export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** SHA-256, synchronously: 2 µs for a key. */
export const sha256: Digest = (text) => hash("sha256", text, "hex");

/**
 * Claims the data directory, opens ledger, control socket and port. Rejects with an `AlreadyRunningError`, another `ControlError`, a
 * `ListenError`, a `DatabaseError` or a `NewerSchemaError`, each a sentence for the user.
 */
export async function startProxyProcess(settings: ProcessSettings, log: Log): Promise<ProxyProcess> {
  const claim = await claimDataDirectory(settings.dataDirectory, process.env);
  try {
    return await startClaimed(settings, log, claim);
  } catch (error) {
    claim.release();
    throw error;
  }
}

async function startClaimed(settings: ProcessSettings, log: Log, claim: ControlClaim): Promise<ProxyProcess> {
  const clock = systemClock;
  let control: ProcessControl | undefined;
  const file = openLedgerFile(settings.dataDirectory, log, clock.now());
  try {
    const processAccounts = openProcessAccounts(
      file,
      clock,
      log,
      () => settings.proxy.unknownPrice,
      settings.fixedKey?.key,
    );
    const { keys, accounts, ledger, admission } = processAccounts;
    const mirror = settings.statsPath === undefined ? undefined : openStatsMirror(settings.statsPath, log);
    if (mirror !== undefined) ledger.onRecorded((row) => mirror.write(row));
    // Rows are durable before their clients see the end of an answer.
    const turns = new TurnFlush(() => writer.flush());
    const spool = openUsageSpool(settings.dataDirectory, log, clock.now());
    const writer = createLedgerWriter(ledger, spool, turns, clock, log);
    // Whoever reads in this process sees all that was recorded.
    const sql = readingAfter(() => writer.commit(), file);
    const keyRing = createKeyRing({
      digest: sha256,
      now: () => clock.now(),
      managed: keys,
      fixed: settings.fixedKey,
    });
    const liveRequests = createLiveRequests(
      later,
      (keyId) => keyRing.isRevoked(keyId),
      (upstream, model, tier, tokens, charged) => costOf(upstream, model, tier, tokens, charged, prices).costMicros,
    );
    keys.onChanged((key) => {
      if (key.revokedAt !== null) liveRequests.stopKey(key.id);
    });
    let prices = loadPrices(file);
    const dispatcher = settings.dispatcher ?? createUpstreamDispatcher({ ...settings.network, log });
    const exchanges = createNodeExchanges({
      dispatcher,
      maximumBodyBytes: settings.proxy.maximumBodyBytes,
      keepAliveAfterMs: settings.keepAliveAfterMs,
      turns,
      clock,
      log,
    });
    const fetch: Fetch = async (url, init) =>
      (await undiciFetch(url, { ...init, dispatcher } as object)) as unknown as Response;
    const keeper = await settings.openKeeper(fetch);
    const codex = createCodex({
      fetch,
      clock,
      log,
      baseUrl: () => settings.proxy.upstreams.codex?.baseUrl ?? "",
      keeper,
      aliases: () => settings.aliases,
      cacheMs: settings.proxy.modelCacheMs,
      version: VERSION,
    });
    const modelList = createModelList({ clock, log, fetch, settings: () => settings.proxy, codex });
    const parts: ProxyParts = {
      version: VERSION,
      clock,
      log,
      randomId: newRequestId,
      digest: sha256,
      exchangeOf: (_request, bindings) => (bindings as { exchange: ReturnType<typeof exchanges> }).exchange,
      fetch,
      later,
      decodeBody,
      createDecoder,
      settings: () => settings.proxy,
      credentialsToCome: () => settings.credentialsToCome?.(),
      keyRing,
      admission,
      liveRequests,
      modelList,
      codex: {
        ...codex,
        noteHeaders(...told) {
          codex.noteHeaders(...told);
          control?.planMayHaveChanged();
        },
        noteLimits(...told) {
          codex.noteLimits(...told);
          control?.planMayHaveChanged();
        },
      },
      usage: {
        record: (row) => void writer.record(row),
        flush: () => writer.flush(),
        findByResponseId: (upstream, responseId) => ledger.findByResponseId(upstream, responseId),
      },
      costOf: (upstream, model, tier, tokens, reported) => costOf(upstream, model, tier, tokens, reported, prices),
      estimate: (upstream, model, facts) =>
        model === null
          ? undefined
          : estimateCost(findPrice(prices, upstream, model), { ...facts, bodyBytes: facts.bodyBytes ?? 0 }),
      onAnswered: settings.onAnswered,
    };
    const app = createApp(parts);
    resumeRecovery(parts, unsettledRows(sql, clock.now() - RECOVERY_MS));
    const opened = await startProcessControl({
      claim,
      dataDirectory: settings.dataDirectory,
      settings: settings.control ?? {},
      proxy: () => settings.proxy,
      sql,
      ledger,
      ledgerSetAside: file.setAside,
      liveRequests,
      clock,
      log,
      later,
      keyKeeping: createKeyKeeping({
        sql,
        keys,
        quota: accounts.quota,
        purse: accounts.purse,
        defaults: settings.keyDefaults,
        now: () => clock.now(),
      }),
      models: () => modelList.models(),
      plan: () => codex.plan(),
      signIn: () => keeper.status(),
      stop(graceMs) {
        stop(graceMs).catch((error: Error) => log.error("Stopping failed.", { cause: error.message }));
      },
    });
    control = opened;
    const listener = await startListener({
      fetch: (request, bindings) => {
        opened.count(bindings.outgoing);
        return app.fetch(request, bindings);
      },
      exchanges,
      host: settings.host,
      port: settings.port,
    });
    const upkeep = startLedgerUpkeep(
      file,
      () => writer.commit(),
      settings.retentionDays,
      clock,
      log,
      () => {
        // `patchbay prices --refresh` may have put in newer ones.
        prices = loadPrices(file);
      },
    );
    opened.opened(`http://${listener.host.includes(":") ? `[${listener.host}]` : listener.host}:${listener.port}`);
    let markEnded: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      markEnded = resolve;
    });
    let stopped: Promise<void> | undefined;
    function stop(graceMs: number): Promise<void> {
      if (stopped !== undefined) return listener.drain(graceMs).then(() => stopped);
      stopped = (async () => {
        opened.draining();
        upkeep.stop();
        await listener.drain(graceMs);
        // Answers that were cut are written down when their connections tell, which is a turn of the event loop after the last close.
        await dispatcher.destroy();
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        await writer.close();
        processAccounts.close();
        await mirror?.close();
        await opened.close();
        file.close();
        claim.release();
        markEnded();
      })();
      return stopped;
    }
    return {
      host: listener.host,
      port: listener.port,
      stop,
      commitUsage: () => writer.commit(),
      hasKeys: () => keys.list().length > 0,
      ended,
    };
  } catch (error) {
    await control?.close();
    file.close();
    throw error;
  }
}

function later(delayMs: number, work: () => void): () => void {
  const timer = setTimeout(work, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
