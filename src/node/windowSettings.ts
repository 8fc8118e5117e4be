import * as z from "zod/mini";
import { hostNameOf, originOf } from "../proxy/allowedNames.ts";
import type { ProxySettings } from "../proxy/proxySettings.ts";
import { type Upstream, versionedBaseUrl } from "../proxy/upstream.ts";
import { ApiError } from "../wire/errors.ts";
import type { JsonObject } from "../wire/json.ts";
import type { UpstreamDispatcherSettings } from "./upstreamDispatcher.ts";

const upstreamName = z.enum(["openai", "openrouter", "codex"]);
/** Left out: the real one. */
const baseUrl = z.optional(z.string());

const settingsSchema = z.object({
  baseUrls: z.object({ openai: baseUrl, openrouter: baseUrl, codex: baseUrl }),
  /** Which upstream answers the models that match a pattern, first match wins. */
  routes: z.array(z.object({ pattern: z.string(), upstream: upstreamName })),
  /** Retired models and what answers in their place. */
  aliases: z.record(z.string(), z.string()),
  defaultModel: z.optional(z.string()),
  allowedHosts: z.array(z.string()),
  allowedOrigins: z.array(z.string()),
  /** What is done with a request of a key with credit whose price nobody knows. */
  unknownPrice: z.enum(["refuse", "allow"]),
  /** The editor's own way to the network. */
  network: z.object({
    /** May carry a password: never to be logged. */
    proxy: z.optional(z.string()),
    noProxy: z.array(z.string()),
    strictTls: z.boolean(),
    systemCertificates: z.boolean(),
  }),
});

/** What a window tells the process of its user's settings. All of it can change while requests are running. */
export type WindowSettings = z.infer<typeof settingsSchema>;

/** What is in force until a window has told its own. */
export const INITIAL_SETTINGS: WindowSettings = {
  baseUrls: {},
  routes: [],
  aliases: {},
  allowedHosts: [],
  allowedOrigins: [],
  unknownPrice: "refuse",
  network: { noProxy: [], strictTls: true, systemCertificates: true },
};

const BASE_URLS = {
  openai: "https://api.openai.com/v1",
  openrouter: "https://openrouter.ai/api/v1",
  codex: "https://chatgpt.com/backend-api/codex",
} as const;
const MAXIMUM_REQUEST_BYTES = 64 * 1024 * 1024;
const MODEL_CACHE_MS = 6 * 3_600_000;

/** Reads settings from a request. Throws an `ApiError` that names the setting. */
export function readWindowSettings(body: JsonObject): WindowSettings {
  const read = settingsSchema.safeParse(body);
  if (!read.success) {
    const path = read.error.issues[0]?.path.join(".") ?? "";
    throw new ApiError("invalid_request", `The setting \`${path}\` has a value that Patchbay cannot use: correct it.`);
  }
  const { baseUrls, network } = read.data;
  for (const [name, written] of Object.entries(baseUrls)) {
    if (written !== undefined && !isHttp(written))
      throw new ApiError("invalid_request", `The base URL of ${name} must be an http or https URL: correct it.`);
  }
  // What is wrong with it must not be told with it: it may hold a password.
  if (network.proxy !== undefined && network.proxy !== "" && !isHttp(withScheme(network.proxy)))
    throw new ApiError("invalid_request", "The editor's http.proxy is no http or https URL: correct it.");
  return read.data;
}

/** Settings as the proxy reads them. `keyOf` gives the key of an upstream that has one. */
export function proxySettings(
  { baseUrls, routes, defaultModel, allowedHosts, allowedOrigins, unknownPrice }: WindowSettings,
  keyOf: (upstream: "openai" | "openrouter") => string | undefined,
): ProxySettings {
  const keyed = (name: "openai" | "openrouter"): Upstream => ({
    name,
    baseUrl: versionedBaseUrl(baseUrls[name] ?? BASE_URLS[name]),
    apiKey: keyOf(name),
  });
  return {
    upstreams: {
      openai: keyed("openai"),
      openrouter: keyed("openrouter"),
      codex: { name: "codex", baseUrl: (baseUrls.codex ?? BASE_URLS.codex).replace(/\/+$/, ""), apiKey: undefined },
    },
    routes,
    defaultModel,
    allowedHosts: allowedHosts.flatMap((name) => hostNameOf(name) ?? []),
    allowedOrigins: allowedOrigins.flatMap((origin) => originOf(origin) ?? []),
    allowAnyKey: false,
    unknownPrice,
    maximumBodyBytes: MAXIMUM_REQUEST_BYTES,
    modelCacheMs: MODEL_CACHE_MS,
  };
}

/** The editor's way to the network, as the dispatcher takes it. Where the editor names no proxy, the environment's counts, as in the editor. */
export function dispatcherSettings(
  { proxy, noProxy, strictTls, systemCertificates }: WindowSettings["network"],
  environment: Pick<UpstreamDispatcherSettings, "httpProxy" | "httpsProxy" | "noProxy">,
): UpstreamDispatcherSettings {
  const common = { strictTls, systemCertificates };
  if (proxy === undefined || proxy === "") {
    const added = [environment.noProxy ?? "", ...noProxy].filter((one) => one !== "").join(",");
    return { ...common, ...environment, noProxy: added };
  }
  return { ...common, httpProxy: proxy, httpsProxy: proxy, noProxy: noProxy.join(",") };
}

function isHttp(written: string): boolean {
  return URL.canParse(written) && /^https?:$/.test(new URL(written).protocol);
}

function withScheme(address: string): string {
  return address.includes("://") ? address : `http://${address}`;
}
