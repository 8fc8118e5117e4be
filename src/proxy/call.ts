import type { UpstreamName } from "../ledger/usageRow.ts";
import type { Exchange } from "./exchange.ts";
import type { LocalKey } from "./localKey.ts";

/** One request on its way through the proxy: who asks, since when, and what every answer to it carries. */
export interface Call {
  readonly exchange: Exchange;
  /** The id of its ledger row, which the client sees as `x-request-id`. */
  readonly id: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** On the monotonic clock, in milliseconds. */
  readonly arrivedAt: number;
  /** The target with repeated slashes and the path key taken out. */
  readonly target: string;
  /** A local key in the path, `/k/KEY/v1/...`. */
  readonly pathKey: string | undefined;
  /** The path as the upstream will see it, with its `/v1`, whichever route leads there; empty until the guard has looked at it. */
  upstreamPath: string;
  /** Once they are known, for whoever is told of a refusal: whose request it is, and where it was to go. */
  key: LocalKey | undefined;
  model: string | null | undefined;
  upstream: UpstreamName | undefined;
  /** What its key has left when it is answered: name, value, name, value. Empty while no key with limits is known. */
  limitHeaders: () => readonly string[];
  /** The page that asks, once it is allowed. */
  origin: string | undefined;
  /** Whether it was handed to the relay, which tells of its end. */
  relayed: boolean;
  /** Whether the request log has heard of its end. */
  told: boolean;
}

const PATH_KEY = /^\/k\/([^/?]+)(?=\/|\?|$)/;

/** Takes a path key out of a target, and repeats out of its slashes (Codex sends `//responses` when its base URL ends in a slash). */
export function normalTarget(target: string): { readonly target: string; readonly pathKey: string | undefined } {
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  const single = path.includes("//") ? path.replaceAll(/\/{2,}/g, "/") : path;
  const match = PATH_KEY.exec(single);
  const rest = match === null ? single : single.slice(match[0].length) || "/";
  return { target: query === -1 ? rest : rest + target.slice(query), pathKey: match?.[1] };
}

/** A target's path, without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}

/** A call's path for the request log: without its query, and without a local key that was written into the wrong place. */
export function loggedPath(call: Call): string {
  return pathOf(call.target).replaceAll(/pb(?:_|%5f)[^/]*/gi, "pb_...");
}
