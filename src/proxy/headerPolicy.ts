import type { HeaderPairs } from "./exchange.ts";
import { LOCAL_KEY_PREFIX } from "./localKey.ts";

/**
 * Which headers pass, and why the others do not. Everything that is not named here goes through as it came, repeats and
 * order included.
 */

/** They speak of one connection only (RFC 9110 section 7.6.1), or are set anew for the next one. */
const CONNECTION_HEADERS = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const DROPPED_FROM_REQUEST: ReadonlySet<string> = new Set([
  ...CONNECTION_HEADERS,
  "host",
  "content-length",
  // The body is invited here; upstream it is simply sent (RFC 9110 section 10.1.1).
  "expect",
]);

/** Credentials for us, not for the upstream; cookies of a browser page belong to neither. */
const LOCAL_CREDENTIALS: ReadonlySet<string> = new Set(["authorization", "x-api-key", "x-daemon-token", "cookie"]);

/** Says whose ChatGPT token stood in `authorization`: without that token it is nobody's business. */
const TOKEN_OWNER = "chatgpt-account-id";

const DROPPED_FROM_RESPONSE: ReadonlySet<string> = new Set([
  ...CONNECTION_HEADERS,
  // Said of the upstream's host, which is not the client's.
  "alt-svc",
  "strict-transport-security",
  "set-cookie",
  // Ours tells about the row in the ledger; the upstream's goes on under another name.
  "x-request-id",
]);

/** A local key as a value, or behind a scheme, a name or a quote in it. */
const LOCAL_KEY = /(?:^|[^A-Za-z0-9_-])pb_/;

const CORS_PREFIX = "access-control-";

/** How a request authenticates upstream: with a key of ours, with what the caller sent, or with our sign-in, whose headers are made apart. */
export type UpstreamCredential =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "callers_own" }
  | { readonly kind: "sign_in" };

/** What a changed body asks of the headers. */
export interface BodyTraits {
  /** The body was unpacked on the way. */
  readonly dropEncoding: boolean;
  /** Something has to be taken out of the answer, which therefore must come uncompressed. */
  readonly plainAnswer: boolean;
}

/** The headers that go upstream. */
export function upstreamHeaders(headers: HeaderPairs, credential: UpstreamCredential, traits: BodyTraits): string[] {
  const kept: string[] = [];
  const named = connectionNamed(headers);
  let authorized = false;
  for (let index = 0; index < headers.length; index += 2) {
    const original = headers[index] ?? "";
    const name = original.toLowerCase();
    if (DROPPED_FROM_REQUEST.has(name) || named?.has(name) === true) continue;
    if (traits.dropEncoding && name === "content-encoding") continue;
    if (traits.plainAnswer && name === "accept-encoding") continue;
    const value = headers[index + 1] ?? "";
    // A local key in a header where nobody looks for one (`api-key`) stays here too.
    if (value.includes(LOCAL_KEY_PREFIX) && LOCAL_KEY.test(value)) continue;
    if (LOCAL_CREDENTIALS.has(name)) {
      if (credential.kind !== "callers_own" || name !== "authorization" || authorized) continue;
      // Only the first was looked at.
      authorized = true;
    }
    if (name === TOKEN_OWNER && credential.kind !== "callers_own") continue;
    kept.push(original, value);
  }
  if (traits.plainAnswer) kept.push("accept-encoding", "identity");
  if (credential.kind === "key") kept.push("authorization", `Bearer ${credential.key}`);
  return kept;
}

/** The headers of an upstream's answer that the client gets; ours are added by the caller. */
export function clientHeaders(
  headers: HeaderPairs,
  bodyPassesUnchanged: boolean,
  limits: "upstreams" | "ours" = "upstreams",
): string[] {
  const kept: string[] = [];
  const named = connectionNamed(headers);
  for (let index = 0; index < headers.length; index += 2) {
    const original = headers[index] ?? "";
    const value = headers[index + 1] ?? "";
    const name = original.toLowerCase();
    if (name === "x-request-id") kept.push("x-upstream-request-id", value);
    if (DROPPED_FROM_RESPONSE.has(name) || name.startsWith(CORS_PREFIX) || named?.has(name) === true) continue;
    if (name === "content-length" && !bodyPassesUnchanged) continue;
    // Two accounts of what is left in one answer would be none.
    if (limits === "ours" && name.startsWith("x-ratelimit-")) continue;
    kept.push(original, value);
  }
  return kept;
}

/** One header's value by its lower-case name. */
export function headerValue(headers: HeaderPairs, wanted: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (name.length === wanted.length && name.toLowerCase() === wanted) return headers[index + 1];
  }
  return undefined;
}

/** `Connection: close, x-internal` makes `x-internal` a hop-by-hop header too. */
function connectionNamed(headers: HeaderPairs): ReadonlySet<string> | undefined {
  const connection = headerValue(headers, "connection")?.toLowerCase();
  if (connection === undefined || connection === "keep-alive" || connection === "close") return undefined;
  return new Set(connection.split(",").map((name) => name.trim()));
}
