import type { UpstreamName } from "../ledger/usageRow.ts";

/** One upstream as it is configured now. */
export interface Upstream {
  readonly name: UpstreamName;
  /** With its version: `https://api.openai.com/v1`, no trailing slash. */
  readonly baseUrl: string;
  /** The upstream's own key; undefined where none is set. */
  readonly apiKey: string | undefined;
}

const VERSION = /\/v\d+$/;

/** Base URLs are written as their users write them, with or without the version; this is the one with it. Throws on what is no http(s) URL. */
export function versionedBaseUrl(written: string): string {
  const url = new URL(written);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new TypeError(`${written} is not an http or https URL`);
  const path = url.pathname.replace(/\/+$/, "");
  return `${url.origin}${VERSION.test(path) ? path : `${path}/v1`}`;
}

/** The upstream's URL for a path that begins with `/v1`, query included. */
export function upstreamUrl(upstream: Upstream, target: string): string {
  return upstream.baseUrl + target.slice("/v1".length);
}

/**
 * What follows `/api/proxy/NAME` as a path that begins with `/v1`: nothing means the chat completions endpoint, and
 * the version may be left out.
 */
export function explicitTarget(rest: string): string {
  const query = rest.indexOf("?");
  const path = (query === -1 ? rest : rest.slice(0, query)).replace(/^\/+/, "/");
  const search = query === -1 ? "" : rest.slice(query);
  if (path === "" || path === "/") return `/v1/chat/completions${search}`;
  return `${path === "/v1" || path.startsWith("/v1/") ? path : `/v1${path}`}${search}`;
}
