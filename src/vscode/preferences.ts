import type { WindowSettings } from "../node/windowSettings.ts";
import type { WindowStart } from "../node/windowStart.ts";
import type { Settings } from "./contributions.ts";

/** Reads a setting of ours. */
export type ReadSetting = <Name extends keyof Settings>(name: Name) => Settings[Name];

/** Reads a setting of the editor's; undefined where it has none. */
export type ReadEditorSetting = (name: string) => unknown;

/** What the process is told of the settings while it runs. */
export function windowSettings(read: ReadSetting, editor: ReadEditorSetting): WindowSettings {
  const model = read("defaultModel").trim();
  return {
    baseUrls: {
      ...given("openai", read("openaiBaseUrl")),
      ...given("openrouter", read("openrouterBaseUrl")),
      ...given("codex", read("codexBaseUrl")),
    },
    routes: Object.entries(read("routes")).map(([pattern, upstream]) => ({ pattern, upstream })),
    aliases: { ...read("modelAliases") },
    ...(model === "" ? {} : { defaultModel: model }),
    allowedHosts: [...read("allowedHosts")],
    allowedOrigins: [...read("allowedOrigins")],
    unknownPrice: read("unknownPrice"),
    network: network(editor),
  };
}

/** What a process is started with. */
export function windowStart(read: ReadSetting, dataDirectory: string, sandbox: boolean): WindowStart {
  return {
    dataDirectory,
    port: read("port"),
    sandbox,
    exitWhenIdleMs: read("exitWhenIdleSeconds") * 1000,
    retentionDays: read("retentionDays"),
    logRequests: read("logRequests"),
  };
}

/** The settings that a running process cannot take up: they need a restart. */
export const RESTART_SETTINGS: readonly (keyof Settings)[] = [
  "port",
  "exitWhenIdleSeconds",
  "retentionDays",
  "logRequests",
];

function network(editor: ReadEditorSetting): WindowSettings["network"] {
  const proxy = editor("http.proxy");
  const noProxy = editor("http.noProxy");
  // `http.proxySupport: off` says that extensions go without the editor's proxy.
  const isOff = editor("http.proxySupport") === "off";
  return {
    ...(typeof proxy === "string" && proxy !== "" && !isOff ? { proxy } : {}),
    noProxy: Array.isArray(noProxy) ? noProxy.filter((one) => typeof one === "string") : [],
    strictTls: editor("http.proxyStrictSSL") !== false,
    systemCertificates: editor("http.systemCertificates") !== false,
  };
}

function given<Name extends string>(name: Name, url: string): Partial<Record<Name, string>> {
  return url.trim() === "" ? {} : ({ [name]: url.trim() } as Partial<Record<Name, string>>);
}
