import type { Fetch } from "../codex/backendRequest.ts";
import { createOauthIssuer } from "../codex/oauthIssuer.ts";
import { createTokenKeeper } from "../codex/tokenKeeper.ts";
import type { Log } from "../ports.ts";
import type { Answered } from "../proxy/proxyParts.ts";
import type { ProxySettings } from "../proxy/proxySettings.ts";
import { ChangeableDispatcher } from "./changeableDispatcher.ts";
import { addBalanceRoutes } from "./controlBalances.ts";
import { createCredentialRoutes } from "./controlCredentials.ts";
import { createSettingsRoutes } from "./controlSettings.ts";
import { KEY_DEFAULTS } from "./keyDraft.ts";
import { createVerifyKey } from "./keyVerdict.ts";
import { ListenError } from "./listenOn.ts";
import { networkSettings } from "./networkSettings.ts";
import { addNoticeClaims } from "./noticeClaims.ts";
import type { ControlTeller } from "./processControl.ts";
import { type ProcessSettings, type ProxyProcess, startProxyProcess, systemClock } from "./proxyProcess.ts";
import { newRequestId } from "./requestId.ts";
import { type SandboxServer, startSandboxServer } from "./sandboxServer.ts";
import { createUpstreamDispatcher } from "./upstreamDispatcher.ts";
import { VERSION } from "./version.ts";
import { dispatcherSettings, INITIAL_SETTINGS, proxySettings, type WindowSettings } from "./windowSettings.ts";
import type { WindowStart } from "./windowStart.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const AUTH_BASE_URL = "https://auth.openai.com";
const SANDBOX_KEY = "sk-patchbay-sandbox";
/** Between two tokens of the sandbox's streams, in milliseconds: slow enough to be seen arriving. */
const SANDBOX_TOKEN_DELAY_MS = 15;
const KEEP_ALIVE_AFTER_MS = 30_000;
/** Ports that are tried after the wished one, before any free one is taken. */
const NEXT_PORTS = 10;
const NEWS_INTERVAL_MS = 1_000;
/** The endings in the request log that are limits of ours, which a user wants to be told of. */
const LIMIT_CODES = new Set([
  "quota_exceeded",
  "insufficient_credit",
  "rate_limit_exceeded",
  "key_expired",
  "model_not_allowed",
]);

/**
 * Starts the process that windows share. Its upstream keys, Codex tokens and settings are handed over by the windows; until then it has
 * none. Rejects as `startProxyProcess` does.
 */
export async function startWindowProcess(
  start: WindowStart,
  environment: Environment,
  log: Log,
): Promise<ProxyProcess> {
  const sandbox = start.sandbox ? await startSandboxServer(systemClock, SANDBOX_TOKEN_DELAY_MS) : undefined;
  try {
    const process = await startOnFreePort(start, environment, sandbox, log);
    void process.ended.then(() => sandbox?.close());
    return process;
  } catch (error) {
    await sandbox?.close();
    throw error;
  }
}

/** Of the upstreams that take one. */
type Keys = Readonly<Record<"openai" | "openrouter", string | undefined>>;

async function startOnFreePort(
  start: WindowStart,
  environment: Environment,
  sandbox: SandboxServer | undefined,
  log: Log,
): Promise<ProxyProcess> {
  const ports = start.port === 0 ? [0] : [...Array.from({ length: NEXT_PORTS }, (_, index) => start.port + index), 0];
  let refused: unknown;
  for (const port of ports) {
    if (port > 65_535) continue;
    try {
      return await startProxyProcess(processSettings(start, port, environment, sandbox, log), log);
    } catch (error) {
      if (!(error instanceof ListenError) || (error.problem !== "port_taken" && error.problem !== "not_permitted"))
        throw error;
      log.warn("The port cannot be had, so the next one is tried.", { port });
      refused = error;
    }
  }
  throw refused;
}

function processSettings(
  start: WindowStart,
  port: number,
  environment: Environment,
  sandbox: SandboxServer | undefined,
  log: Log,
): ProcessSettings {
  const ofEnvironment = networkSettings(environment);
  const dispatcherOf = (network: WindowSettings["network"]) =>
    createUpstreamDispatcher({ ...dispatcherSettings(network, ofEnvironment), log });
  const dispatcher = new ChangeableDispatcher(dispatcherOf(INITIAL_SETTINGS.network));
  let fetch: Fetch = () => Promise.reject(new Error("The process is still starting."));
  let teller: ControlTeller | undefined;
  const isNews = createNewsGate(() => systemClock.monotonic());
  const settings = createSettingsRoutes({
    view: { sandbox: start.sandbox, authBaseUrl: sandbox?.authBaseUrl, wishedPort: start.port },
    onNetwork: (network) => dispatcher.change(dispatcherOf(network)),
    log,
  });
  const credentials = createCredentialRoutes({
    verify: createVerifyKey(
      () => fetch,
      (upstream) => currentProxy().upstreams[upstream]?.baseUrl ?? "",
    ),
    randomId: newRequestId,
    later,
  });

  /** Each request asks for them several times, and they seldom change. */
  let made: { readonly from: WindowSettings; readonly keys: Keys; readonly settings: ProxySettings } | undefined;

  function currentProxy(): ProxySettings {
    const from = settings.current();
    // Real keys and tokens must not reach the sandbox, nor its answers be taken for real ones.
    const openai = sandbox === undefined ? credentials.keyOf("openai") : SANDBOX_KEY;
    const openrouter = sandbox === undefined ? credentials.keyOf("openrouter") : SANDBOX_KEY;
    if (made?.from !== from || made.keys.openai !== openai || made.keys.openrouter !== openrouter) {
      const keys = { openai, openrouter };
      const baseUrls =
        sandbox === undefined
          ? from.baseUrls
          : { openai: sandbox.openaiBaseUrl, openrouter: sandbox.openrouterBaseUrl, codex: sandbox.codexBaseUrl };
      made = { from, keys, settings: proxySettings({ ...from, baseUrls }, (name) => keys[name]) };
    }
    return made.settings;
  }

  return {
    host: "127.0.0.1",
    port,
    dataDirectory: start.dataDirectory,
    get proxy() {
      return currentProxy();
    },
    get aliases() {
      return settings.current().aliases;
    },
    openKeeper(given) {
      fetch = given;
      return Promise.resolve(
        createTokenKeeper({
          store: credentials.store,
          issuer: createOauthIssuer({
            baseUrl: sandbox?.authBaseUrl ?? AUTH_BASE_URL,
            fetch: given,
            userAgent: `patchbay/${VERSION}`,
            now: () => systemClock.now(),
          }),
          now: () => systemClock.now(),
          log,
          allowRefresh: true,
        }),
      );
    },
    credentialsToCome: () => credentials.toCome(),
    keyDefaults: KEY_DEFAULTS,
    fixedKey: undefined,
    statsPath: undefined,
    retentionDays: start.retentionDays,
    keepAliveAfterMs: KEEP_ALIVE_AFTER_MS,
    network: {},
    dispatcher,
    onAnswered(answered) {
      if (start.logRequests) logAnswered(log, answered);
      if (LIMIT_CODES.has(answered.ending) && isNews(answered)) tellRefusal(teller, answered);
    },
    control: {
      exitWhenIdleMs: start.exitWhenIdleMs,
      addRoutes(api, ownTeller) {
        teller = ownTeller;
        settings.add(api, ownTeller);
        credentials.add(api, ownTeller);
        addNoticeClaims(api);
        addBalanceRoutes(api, {
          fetch: () => fetch,
          upstream: () => currentProxy().upstreams.openrouter,
          monotonic: () => systemClock.monotonic(),
        });
      },
    },
  };
}

/** Lets one refusal through for each key, code and model in a while: a client that takes no notice of them asks a thousand times a second. */
function createNewsGate(monotonic: () => number): (answered: Answered) => boolean {
  const told = new Map<string, number>();
  return ({ keyId, ending, model }) => {
    const now = monotonic();
    for (const [name, at] of told) {
      if (now - at < NEWS_INTERVAL_MS) break;
      told.delete(name);
    }
    const name = `${keyId ?? ""} ${ending} ${model ?? ""}`;
    if (told.has(name)) return false;
    told.set(name, now);
    return true;
  };
}

function tellRefusal(teller: ControlTeller | undefined, answered: Answered): void {
  const { ending, keyId, keyLabel, model, upstream, param, until } = answered;
  teller?.publish(() => ({
    type: "refusal",
    refusal: {
      code: ending,
      at: systemClock.now(),
      keyId: keyId ?? null,
      keyLabel: keyLabel ?? null,
      model: model ?? null,
      upstream: upstream ?? null,
      param,
      until,
    },
  }));
}

function logAnswered(log: Log, answered: Answered): void {
  const { method, path, status, totalMs, ending, keyId, upstream, model, id } = answered;
  log.info(`${method} ${path}`, { status, ms: totalMs, ending, key: keyId, upstream, model: model ?? undefined, id });
}

function later(delayMs: number, work: () => void): () => void {
  const timer = setTimeout(work, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
