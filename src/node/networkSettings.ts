import type { UpstreamDispatcherSettings } from "./upstreamDispatcher.ts";

/** The forward proxies that an environment names, in either case, as curl and most others read them. */
export function networkSettings(
  environment: Readonly<Record<string, string | undefined>>,
): Pick<UpstreamDispatcherSettings, "httpProxy" | "httpsProxy" | "noProxy"> {
  return {
    httpProxy: environment["HTTP_PROXY"] ?? environment["http_proxy"],
    httpsProxy: environment["HTTPS_PROXY"] ?? environment["https_proxy"],
    noProxy: environment["NO_PROXY"] ?? environment["no_proxy"],
  };
}
