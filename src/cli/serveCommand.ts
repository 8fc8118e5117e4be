import { homedir, platform } from "node:os";
import { join } from "node:path";
import { createLineLog } from "../node/lineLog.ts";
import { type ProcessSettings, type ProxyProcess, startProxyProcess, systemClock } from "../node/proxyProcess.ts";
import { type SandboxServer, startSandboxServer } from "../node/sandboxServer.ts";
import { runProgram } from "../node/runProgram.ts";
import type { Log } from "../ports.ts";
import type { Answered } from "../proxy/proxyParts.ts";
import { checkCredentials, type CredentialValues, openCredentials } from "./credentialSource.ts";
import { flagsHelp, readFlags, refuseArguments } from "./flags.ts";
import { type ServeSettings, SERVE_FLAGS, serveSettings, type ServeValues } from "./serveFlags.ts";

/** The effects of a command. */
export interface CommandIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Calls back at each SIGINT and SIGTERM; returns how to stop that. */
  readonly onInterrupt: (listener: () => void) => () => void;
}

/** What `patchbay serve --help` prints. */
export const SERVE_HELP = `Usage: patchbay serve [options]

Runs the proxy in the foreground until Ctrl-C. The upstreams' keys come from OPENAI_API_KEY and OPENROUTER_API_KEY.
Each option can be set in the environment too: --quota-tokens is PATCHBAY_QUOTA_TOKENS.

Options:
${flagsHelp(SERVE_FLAGS)}`;

/** Between two tokens of the sandbox's streams, in milliseconds: slow enough to be seen arriving. */
const SANDBOX_TOKEN_DELAY_MS = 15;
const SANDBOX_KEY = "sk-patchbay-sandbox";

/** A proxy that was started from settings, with its sandbox where one was asked for. */
export interface Served {
  /** `http://HOST:PORT`, as clients write it. */
  readonly url: string;
  readonly process: ProxyProcess;
  stop(graceMs: number): Promise<void>;
}

/** Runs `patchbay serve`. Returns the exit code when it was stopped. Throws `Misuse` and errors whose messages are for the user. */
export async function runServe(commandLine: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals, help } = readFlags(SERVE_FLAGS, commandLine, io.environment);
  if (help) {
    io.stdout(SERVE_HELP);
    return 0;
  }
  refuseArguments(positionals);
  const settings = serveSettings(values, io.environment);
  const log = createLineLog(settings.logLevel, io.stderr, () => systemClock.now());
  const served = await startServing(settings, values, io.environment, log);
  // Before the line that tells a supervisor to go on: it may interrupt at once.
  const { stopped } = stopOnInterrupt(served, settings.drainMs, io, log);
  io.stdout(`Patchbay listening on ${served.url}\n`);
  warnOfRisks(served, settings, values, log);
  await stopped;
  return 0;
}

/** Starts sandbox and proxy as the settings say. */
export async function startServing(
  settings: ServeSettings,
  credentials: CredentialValues,
  environment: CommandIo["environment"],
  log: Log,
): Promise<Served> {
  const effects = { platform: platform(), homeDirectory: homedir(), run: runProgram, now: () => systemClock.now() };
  if (!settings.sandbox) checkCredentials(credentials, environment, effects);
  const sandbox = settings.sandbox ? await startSandboxServer(systemClock, SANDBOX_TOKEN_DELAY_MS) : undefined;
  const { proxy } = settings.process;
  const upstreams =
    sandbox === undefined
      ? proxy.upstreams
      : ({
          openai: { name: "openai", baseUrl: sandbox.openaiBaseUrl, apiKey: SANDBOX_KEY },
          openrouter: { name: "openrouter", baseUrl: sandbox.openrouterBaseUrl, apiKey: SANDBOX_KEY },
          codex: { name: "codex", baseUrl: sandbox.codexBaseUrl, apiKey: undefined },
        } as const);
  try {
    const onAnswered = settings.logRequests ? (answered: Answered) => logAnswered(log, answered) : () => undefined;
    // Pretend sign-ins must not be mixed with real ones, nor real tokens be sent to the sandbox.
    const places = sandbox === undefined ? credentials : sandboxCredentials(settings, credentials, sandbox);
    if (sandbox !== undefined) log.info("The sandbox's sign-in server is open.", { url: sandbox.authBaseUrl });
    const openKeeper: ProcessSettings["openKeeper"] = (fetch) =>
      openCredentials(places, environment, log, { ...effects, fetch });
    const process = await startProxyProcess(
      { ...settings.process, proxy: { ...proxy, upstreams }, openKeeper, onAnswered },
      log,
    );
    const { host, port } = process;
    return {
      process,
      url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
      async stop(graceMs) {
        await process.stop(graceMs);
        await sandbox?.close();
      },
    };
  } catch (error) {
    await sandbox?.close();
    throw error;
  }
}

function sandboxCredentials(
  settings: ServeSettings,
  given: CredentialValues,
  sandbox: SandboxServer,
): CredentialValues {
  return {
    ...given,
    "creds-store": "xdg",
    "creds-path": given["creds-path"] ?? join(settings.process.dataDirectory, "sandbox-auth.json"),
    "auth-base-url": sandbox.authBaseUrl,
  };
}

/** A proxy on its way down, or waiting for the interrupt that sends it there. */
export interface Stopping {
  /** Aborts at the first interrupt. */
  readonly signal: AbortSignal;
  /** Resolves when the proxy has stopped. */
  readonly stopped: Promise<void>;
}

/** From now on, an interrupt lets running answers finish and stops the proxy; a second one ends them. */
export function stopOnInterrupt(served: Served, drainMs: number, io: CommandIo, log: Log): Stopping {
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve, reject) => {
    const forget = io.onInterrupt(() => {
      const first = !stopping.signal.aborted;
      if (first) log.info("Stopping: running answers may finish; interrupt again to end them now.");
      stopping.abort();
      served.stop(first ? drainMs : 0).then(() => {
        forget();
        resolve();
      }, reject);
    });
    // The control socket can end it as well.
    served.process.ended
      .then(() => served.stop(0))
      .then(() => {
        stopping.abort();
        forget();
        resolve();
      }, reject);
  });
  return { signal: stopping.signal, stopped };
}

/** Says what is allowed but probably not meant. */
function warnOfRisks(served: Served, settings: ServeSettings, values: ServeValues, log: Log): void {
  const { host, fixedKey, proxy } = settings.process;
  if (!isLoopbackAddress(host)) {
    log.warn("Other machines can reach this port and try keys: use a long key, and name this host with --allow-host.");
  }
  if (fixedKey === undefined && !proxy.allowAnyKey && !served.process.hasKeys()) {
    log.warn(
      "No key is set, so nobody can call: make one with 'patchbay keys add', set PATCHBAY_API_KEY, or pass --allow-any-key for development.",
    );
  }
  const limited = values.rate !== undefined || values.burst !== undefined || values["quota-tokens"] !== undefined;
  if (limited && proxy.allowAnyKey) {
    log.warn("--rate, --burst and --quota-tokens bound keys: callers without a key are not limited.");
  }
}

function isLoopbackAddress(address: string): boolean {
  return address === "::1" || address === "localhost" || address.startsWith("127.");
}

function logAnswered(log: Log, answered: Answered): void {
  log.info(`${answered.method} ${answered.path}`, {
    status: answered.status,
    ms: answered.totalMs,
    ending: answered.ending,
    key: answered.keyId,
    upstream: answered.upstream,
    model: answered.model ?? undefined,
    id: answered.id,
  });
}
