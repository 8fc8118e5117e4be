import { hostName } from "./allowedNames.ts";
import { ApiError } from "../wire/errors.ts";
import { spoken } from "../wire/retryBait.ts";
import { carriesJson } from "./endpoint.ts";
import type { Exchange, HeaderPairs } from "./exchange.ts";
import type { ProxySettings } from "./proxySettings.ts";

/**
 * The checks that need no key and no body. A web page must neither reach us by a name it controls (DNS rebinding: `Host`) nor
 * across origins (`Origin`), and a form that a page may send unasked (`text/plain`) is no JSON request.
 */
export function checkHost(exchange: Exchange, settings: ProxySettings): void {
  const host = exchange.header("host");
  const name = host === undefined || repeatsHost(exchange.headers) ? undefined : hostName(host);
  if (name !== undefined && (isLoopback(name) || settings.allowedHosts.includes(name))) return;
  throw new ApiError(
    "host_not_allowed",
    "Patchbay answers to loopback names such as 127.0.0.1 and localhost only: use one of them, or allow this host with --allow-host (in VS Code: 'patchbay.allowedHosts').",
  );
}

/** Returns the origin to mirror in CORS headers; undefined when the caller is no page. */
export function checkOrigin(origin: string | undefined, settings: ProxySettings): string | undefined {
  if (origin === undefined) return undefined;
  if (isLocalOrigin(origin) || settings.allowedOrigins.includes("*") || settings.allowedOrigins.includes(origin))
    return origin;
  throw new ApiError(
    "origin_not_allowed",
    "Pages of this origin may not use Patchbay: allow the origin with --allow-origin (in VS Code: 'patchbay.allowedOrigins') if the page is yours.",
  );
}

/** Refuses paths that an upstream would resolve to something else than we routed by. */
export function checkPath(path: string): void {
  // Nearly no path of an API has any of these.
  if (!/[.%\\]/.test(path)) return;
  if (!/(?:^|\/|%2f|%5c)(?:\.|%2e){1,2}(?:\/|%2f|%5c|$)/i.test(path) && !path.includes("\\")) return;
  throw new ApiError("invalid_request", "The path contains '.' or '..' segments: write it out.");
}

/** Content type and size, as far as the headers tell. `path` is the upstream path with its `/v1`. */
export function checkBodyHeaders(exchange: Exchange, path: string, settings: ProxySettings): void {
  const length = Number(exchange.header("content-length") ?? 0);
  if (length > settings.maximumBodyBytes) throw tooLarge(settings);
  if (!exchange.body.isThere || exchange.method === "GET" || exchange.method === "HEAD") return;
  const type = exchange.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const json = type === "application/json" || type.endsWith("+json");
  const simpleForm = type === "" || type === "text/plain" || type === "application/x-www-form-urlencoded";
  if (carriesJson(path) ? !json : simpleForm) {
    throw new ApiError(
      "unsupported_media_type",
      "Send this request's body as JSON with 'Content-Type: application/json'.",
    );
  }
}

/** The refusal of a body above the limit. */
export function tooLarge(settings: ProxySettings): ApiError {
  return new ApiError(
    "request_too_large",
    `The request's body is larger than this proxy's limit${spoken(` of ${sizeText(settings.maximumBodyBytes)}`, "")}: send less, or raise the limit with --max-body.`,
  );
}

function sizeText(bytes: number): string {
  const [unit, divisor] = bytes >= 1024 * 1024 ? ["MiB", 1024 * 1024] : ["KiB", 1024];
  return `${Math.round((bytes / divisor) * 10) / 10} ${unit}`;
}

/** Of two hosts nobody knows which one is meant (RFC 9112 section 3.2). */
function repeatsHost(headers: HeaderPairs): boolean {
  let hosts = 0;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  return hosts > 1;
}

function isLoopback(name: string): boolean {
  return name === "localhost" || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name) || name.endsWith(".localhost");
}

function isLocalOrigin(origin: string): boolean {
  if (origin.startsWith("vscode-webview://")) return true;
  const name = /^https?:\/\/(\[[0-9a-fA-F:]+\]|[^:/]+)(:\d{1,5})?$/.exec(origin)?.[1];
  return name !== undefined && isLoopback(name.toLowerCase());
}
