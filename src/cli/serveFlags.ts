import { homedir } from "node:os";
import { join } from "node:path";
import { KeyMistake } from "../ledger/managedKey.ts";
import type { UpstreamName } from "../ledger/usageRow.ts";
import { dataDirectory } from "../node/dataDirectory.ts";
import { LOG_LEVELS, type LogLevel } from "../node/lineLog.ts";
import { KEY_DEFAULTS, type KeyDefaults, quotaOf } from "../node/keyDraft.ts";
import { networkSettings } from "../node/networkSettings.ts";
import type { ProcessSettings } from "../node/proxyProcess.ts";
import type { UnknownPricePolicy } from "../proxy/admission.ts";
import { hostNameOf, originOf } from "../proxy/allowedNames.ts";
import { unlimitedKey } from "../proxy/localKey.ts";
import type { ModelRoute } from "../proxy/modelRouting.ts";
import { type Upstream, versionedBaseUrl } from "../proxy/upstream.ts";
import { type Flags, type FlagValues, Misuse } from "./flags.ts";
import { CREDENTIAL_FLAGS } from "./credentialSource.ts";
import { bytes, durationMs, hostAndPort, rateOf, requestsPerMinute, wholeNumber } from "./quantities.ts";

/** Every flag of `patchbay serve`. */
export const SERVE_FLAGS = {
  listen: {
    kind: "text",
    value: "HOST:PORT",
    help: "where to listen (default 127.0.0.1:8390; port 0 takes any free one)",
  },
  sandbox: { kind: "switch", help: "answer from built-in pretend upstreams: no account, no cost" },
  "data-dir": { kind: "text", value: "DIR", help: "the folder of the ledger" },
  "api-key": {
    kind: "text",
    value: "KEY",
    help: "the key that callers present; better set as PATCHBAY_API_KEY, which other users cannot list",
  },
  "allow-any-key": { kind: "switch", help: "accept every caller; for development" },
  model: { kind: "text", value: "MODEL", help: "the model of requests that name none" },
  route: {
    kind: "list",
    value: "PATTERN=UPSTREAM",
    help: "send models that match (* for any characters) to openai, openrouter or codex; repeatable",
  },
  "openai-base-url": {
    kind: "text",
    value: "URL",
    help: "the OpenAI API (default https://api.openai.com/v1)",
    alsoEnvironment: ["OPENAI_API_BASE"],
  },
  "openrouter-base-url": {
    kind: "text",
    value: "URL",
    help: "the OpenRouter API (default https://openrouter.ai/api/v1)",
  },
  "base-url": {
    kind: "text",
    value: "URL",
    help: "ChatGPT's Codex backend (default https://chatgpt.com/backend-api/codex)",
  },
  ...CREDENTIAL_FLAGS,
  alias: {
    kind: "list",
    value: "OLD=NEW",
    help: "answer a retired Codex model with a current one; repeatable",
  },
  "cache-ttl": {
    kind: "text",
    value: "TIME",
    help: "how long lists of models and Codex conversations are kept (default 6h)",
  },
  rate: {
    kind: "text",
    value: "N/m",
    help: "requests a minute for the --api-key (default: not limited), and for new keys (default 60/m)",
  },
  burst: { kind: "text", value: "N", help: "requests that may come at once where a rate is set (default 10)" },
  "quota-tokens": {
    kind: "text",
    value: "N[/WINDOW]",
    help: "tokens the --api-key, and each new key, may use in all, or in each 5h, day, 7d or month (default 0: not limited)",
  },
  "unknown-price": {
    kind: "text",
    value: "refuse|allow",
    help: "what to do with a request of unknown price on a key with credit (default refuse)",
  },
  "stats-path": { kind: "text", value: "FILE", help: "mirror each ledger row to this file as a line of JSON" },
  "retention-days": { kind: "text", value: "N", help: "forget ledger rows after so many days (default 0: never)" },
  "max-body": { kind: "text", value: "SIZE", help: "the largest request body (default 64MiB)" },
  "allow-origin": { kind: "list", value: "ORIGIN", help: "let pages of this origin call; * for all; repeatable" },
  "allow-host": { kind: "list", value: "NAME", help: "answer to this Host name besides the loopback ones; repeatable" },
  "connect-timeout": { kind: "text", value: "TIME", help: "for a connection to an upstream (default 10s)" },
  "headers-timeout": { kind: "text", value: "TIME", help: "for an upstream's first answer (default 10m)" },
  "keep-alive": {
    kind: "text",
    value: "TIME",
    help: "bridge an upstream's silence on streams after this (default 30s; 0 never)",
  },
  drain: { kind: "text", value: "TIME", help: "how long running answers may finish after Ctrl-C (default 10s)" },
  "log-level": { kind: "text", value: "LEVEL", help: "debug, info, warn or error (default info)" },
  "log-requests": { kind: "switch", help: "log a line for each request, without bodies or secrets" },
} as const satisfies Flags;

/** What was given of them. */
export type ServeValues = FlagValues<typeof SERVE_FLAGS>;

/** What `serve` runs with. */
export interface ServeSettings {
  readonly process: Omit<ProcessSettings, "onAnswered" | "openKeeper">;
  readonly sandbox: boolean;
  readonly drainMs: number;
  readonly logLevel: LogLevel;
  readonly logRequests: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Turns flags and environment into settings. Throws `Misuse`. */
export function serveSettings(values: ServeValues, environment: Environment): ServeSettings {
  const { host, port } = hostAndPort("listen", values.listen ?? "127.0.0.1:8390");
  const allowedOrigins = (values["allow-origin"] ?? []).map(allowedOrigin);
  if (values["allow-any-key"] === true && allowedOrigins.includes("*")) {
    throw new Misuse(
      "--allow-any-key with --allow-origin '*' would let every web page spend your tokens: choose one of them.",
    );
  }
  return {
    process: {
      host,
      port,
      dataDirectory: values["data-dir"] ?? ownDataDirectory(environment, values.sandbox === true),
      proxy: {
        upstreams: {
          openai: upstream(
            "openai",
            "openai-base-url",
            values["openai-base-url"] ?? "https://api.openai.com/v1",
            environment["OPENAI_API_KEY"],
          ),
          openrouter: upstream(
            "openrouter",
            "openrouter-base-url",
            values["openrouter-base-url"] ?? "https://openrouter.ai/api/v1",
            environment["OPENROUTER_API_KEY"],
          ),
          codex: codexUpstream(values["base-url"] ?? "https://chatgpt.com/backend-api/codex"),
        },
        routes: (values.route ?? []).map(modelRoute),
        defaultModel: values.model,
        allowedHosts: [...(values["allow-host"] ?? []).map(allowedHost), ...ownHost(host)],
        allowedOrigins,
        allowAnyKey: values["allow-any-key"] === true,
        unknownPrice: unknownPrice(values["unknown-price"] ?? "refuse"),
        maximumBodyBytes: bytes("max-body", values["max-body"] ?? "64MiB"),
        modelCacheMs: durationMs("cache-ttl", values["cache-ttl"] ?? "6h"),
      },
      aliases: Object.fromEntries((values.alias ?? []).map(alias)),
      keyDefaults: keyDefaults(values),
      fixedKey: fixedKey(values),
      statsPath: values["stats-path"],
      retentionDays: wholeNumber("retention-days", values["retention-days"] ?? "0"),
      keepAliveAfterMs: durationMs("keep-alive", values["keep-alive"] ?? "30s"),
      network: {
        ...networkSettings(environment),
        connectTimeoutMs: durationMs("connect-timeout", values["connect-timeout"] ?? "10s"),
        headersTimeoutMs: durationMs("headers-timeout", values["headers-timeout"] ?? "10m"),
      },
    },
    sandbox: values.sandbox === true,
    drainMs: durationMs("drain", values.drain ?? "10s"),
    logLevel: logLevel(values["log-level"] ?? "info"),
    logRequests: values["log-requests"] === true,
  };
}

/** Pretend money must not mix with the real: a sandbox without a folder of the user's choice keeps its books beside the ledger. */
function ownDataDirectory(environment: Environment, sandbox: boolean): string {
  const directory = dataDirectory({ environment, platform: process.platform, homeDirectory: homedir() });
  return sandbox ? join(directory, "sandbox") : directory;
}

function allowedOrigin(text: string): string {
  const origin = originOf(text);
  if (origin !== undefined) return origin;
  throw new Misuse(`--allow-origin takes an origin like https://app.example, or * for all, not "${text}".`);
}

function allowedHost(text: string): string {
  const name = hostNameOf(text);
  if (name !== undefined) return name;
  throw new Misuse(`--allow-host takes the name of a host like my-machine.lan, not "${text}".`);
}

function upstream(name: UpstreamName, flag: string, written: string, key: string | undefined): Upstream {
  try {
    return { name, baseUrl: versionedBaseUrl(written), apiKey: key === "" ? undefined : key };
  } catch {
    throw new Misuse(`--${flag} takes an http or https URL, not "${written}".`);
  }
}

/** The limits of the fixed key are those of new keys too, where they are given. */
function keyDefaults(values: ServeValues): KeyDefaults {
  const rate = values.rate === undefined ? undefined : requestsPerMinute("rate", values.rate);
  const quota = quotaOfFlag(values);
  return {
    ratePerMinute: values.rate === undefined ? KEY_DEFAULTS.ratePerMinute : (rate ?? null),
    burst: values.burst === undefined ? KEY_DEFAULTS.burst : Math.max(1, wholeNumber("burst", values.burst)),
    quotaTokens: quota.tokens,
    quotaWindow: quota.window,
  };
}

function quotaOfFlag(values: ServeValues): ReturnType<typeof quotaOf> {
  try {
    return quotaOf(values["quota-tokens"] ?? "0");
  } catch (error) {
    throw error instanceof KeyMistake ? new Misuse(`--quota-tokens: ${error.message}`) : error;
  }
}

function unknownPrice(text: string): UnknownPricePolicy {
  if (text === "refuse" || text === "allow") return text;
  throw new Misuse(`--unknown-price takes refuse or allow, not "${text}".`);
}

/** The backend's paths follow its base URL at once: it has no version. */
function codexUpstream(written: string): Upstream {
  try {
    const url = new URL(written);
    // A ChatGPT token must not travel in the clear.
    const isLocal = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
    if (url.protocol !== "https:" && !(url.protocol === "http:" && isLocal)) throw new TypeError("not https");
    return { name: "codex", baseUrl: `${url.origin}${url.pathname.replace(/\/+$/, "")}`, apiKey: undefined };
  } catch {
    throw new Misuse(`--base-url takes an https URL, or http on this machine, not "${written}".`);
  }
}

function alias(text: string): [string, string] {
  const at = text.indexOf("=");
  const [old, current] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || current === "") throw new Misuse(`--alias takes OLD=NEW, two names of models, not "${text}".`);
  return [old, current];
}

function fixedKey(values: ServeValues): ProcessSettings["fixedKey"] {
  const quota = quotaOfFlag(values);
  const rate = rateOf(values.rate ?? "0", values.burst ?? "10");
  const secret = values["api-key"];
  if (secret === undefined) return undefined;
  // What is not visible ASCII cannot be written into a header.
  if (!/^[\x21-\x7e]{8,}$/.test(secret)) {
    throw new Misuse("--api-key takes a key of at least 8 letters, digits and signs, so that nobody guesses it.");
  }
  const limits = { rate, quotaTokens: quota.tokens ?? undefined, quotaWindow: quota.window };
  return { secret, key: { ...unlimitedKey("fixed", "fixed"), ...limits } };
}

function modelRoute(text: string): ModelRoute {
  const at = text.lastIndexOf("=");
  const upstream = text.slice(at + 1);
  if (at < 1 || (upstream !== "openai" && upstream !== "openrouter" && upstream !== "codex")) {
    throw new Misuse(`--route takes PATTERN=openai, PATTERN=openrouter or PATTERN=codex, not "${text}".`);
  }
  return { pattern: text.slice(0, at), upstream };
}

/** An address that is listened on by the user's word is a name that may stand in `Host`. */
function ownHost(host: string): string[] {
  return host === "0.0.0.0" || host === "::" ? [] : [host.includes(":") ? `[${host}]` : host.toLowerCase()];
}

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((one) => one === text);
  if (level === undefined) throw new Misuse(`--log-level takes debug, info, warn or error, not "${text}".`);
  return level;
}
