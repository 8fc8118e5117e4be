import type { Clock, Log } from "../ports.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { askBackendForObject, type BackendAccess, BackendRefusal, besideBackend, causeOf } from "./backendRequest.ts";
import { shortHash } from "./shortHash.ts";
import type { CodexAccess } from "./tokenClaims.ts";

/** Who asks: any sign-in, our own or a caller's. */
export type RoutedAccess = Pick<CodexAccess, "accessToken" | "accountId">;

/** Where a workspace's requests have to go. */
export interface WorkspaceRoute {
  /** The value of `x-openai-account-routing-override`; undefined where none is needed. */
  readonly override: string | undefined;
  /** The origin that takes the place of the backend's own (`https://gov.chatgpt.com`); undefined where it is the backend's own. */
  readonly origin: string | undefined;
}

/** Where the requests of a workspace with a data residency have to be handled. */
export interface WorkspaceRouting {
  /** The route of an account; nothing in particular for every personal account, and where it is not to be had. Never rejects. */
  route(access: RoutedAccess): Promise<WorkspaceRoute>;
}

/** What the question is made from. */
export interface WorkspaceRoutingParts extends Omit<BackendAccess, "headers"> {
  readonly clock: Clock;
  readonly log: Log;
  /** What a request of ours says of its sender. */
  readonly headersOf: (access: RoutedAccess) => Readonly<Record<string, string>>;
}

interface Known {
  readonly route: WorkspaceRoute;
  /** On the monotonic clock. */
  readonly goodUntil: number;
}

const CACHE_MS = 3_600_000;
/** After a failure the upstream is left alone for this long: requests wait for the answer. */
const RETRY_AFTER_MS = 300_000;
/** One user has few accounts; whoever names more pushes out the oldest. */
const MAXIMUM_PLACES = 64;
const NOWHERE_ELSE: WorkspaceRoute = { override: undefined, origin: undefined };
const NO_CONSTRAINT = "NO_CONSTRAINT";
/** Where everything goes that nobody sends elsewhere; a base URL of the user's own goes before it. */
const COMMON_ORIGIN = "https://chatgpt.com";

/** Asks `wham/accounts/check`, once for a sign-in however many requests wait, and keeps the answer for an hour. */
export function createWorkspaceRouting(parts: WorkspaceRoutingParts): WorkspaceRouting {
  const known = new Map<string, Known>();
  const underway = new Map<string, Promise<WorkspaceRoute>>();
  const failed = new Set<string>();

  function note(place: string, told: Known): void {
    known.delete(place);
    known.set(place, told);
    const [oldest] = known.keys();
    if (known.size <= MAXIMUM_PLACES || oldest === undefined) return;
    known.delete(oldest);
    failed.delete(oldest);
  }

  async function ask(place: string, baseUrl: string, access: RoutedAccess): Promise<WorkspaceRoute> {
    try {
      const url = besideBackend(baseUrl, "/accounts/check");
      const answer = await askBackendForObject(parts.fetch, url, parts.headersOf(access));
      const route = routeOf(answer, access.accountId, baseUrl);
      note(place, { route, goodUntil: parts.clock.monotonic() + CACHE_MS });
      failed.delete(place);
      return route;
    } catch (error) {
      const last = known.get(place)?.route ?? NOWHERE_ELSE;
      // That says something of this token, and nothing of the account: the next one may be good.
      if (error instanceof BackendRefusal && error.status === 401) return last;
      note(place, { route: last, goodUntil: parts.clock.monotonic() + RETRY_AFTER_MS });
      if (!failed.has(place)) {
        parts.log.warn("The routing of the ChatGPT workspace is not to be had; requests go without it", {
          cause: causeOf(error),
        });
      }
      failed.add(place);
      return last;
    }
  }

  function routeOf(answer: JsonObject, accountId: string, baseUrl: string): WorkspaceRoute {
    // The list form only: the older form, a map by account id, has no routing fields.
    const accounts = Array.isArray(answer["accounts"]) ? answer["accounts"].filter(isJsonObject) : [];
    const account = accounts.find(({ id }) => id === accountId);
    const told = textOf(account?.["workspace_backend_origin"]);
    const isCommon = told === undefined || told === COMMON_ORIGIN;
    const origin = isCommon ? undefined : originWithin(told, baseUrl);
    if (!isCommon && origin === undefined) {
      parts.log.warn(
        "The ChatGPT workspace names a place that tokens are not sent to; its requests go to the backend",
        {
          backend: new URL(baseUrl).origin,
        },
      );
    }
    return {
      override: overrideOf(account?.["account_routing_override"]),
      origin: origin === new URL(baseUrl).origin ? undefined : origin,
    };
  }

  return {
    async route(access) {
      const baseUrl = parts.baseUrl();
      // By the token too: a caller that names an account which is not its own must not answer for those whose it is.
      const place = `${access.accountId} ${shortHash(access.accessToken)} ${baseUrl}`;
      const last = known.get(place);
      if (last !== undefined && last.goodUntil > parts.clock.monotonic()) return last.route;
      const running = underway.get(place) ?? ask(place, baseUrl, access).finally(() => underway.delete(place));
      underway.set(place, running);
      return running;
    },
  };
}

/** A text that constrains something. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.toUpperCase() !== NO_CONSTRAINT ? value : undefined;
}

function overrideOf(value: unknown): string | undefined {
  const override = textOf(value);
  // It becomes a header: anything else than a plain word would break the request.
  return override !== undefined && /^[\w.-]{1,64}$/.test(override) ? override : undefined;
}

/** The origin, where a token may go to it: the backend's own host or one below it, and no less guarded on the way. */
function originWithin(told: string, baseUrl: string): string | undefined {
  if (!URL.canParse(told)) return undefined;
  const { protocol, hostname, username, password, origin } = new URL(told);
  const own = new URL(baseUrl);
  if (origin === own.origin) return origin;
  const isWithin = hostname === own.hostname || hostname.endsWith(`.${own.hostname}`);
  const isGuarded = protocol === "https:" || protocol === own.protocol;
  return isGuarded && isWithin && username === "" && password === "" ? origin : undefined;
}
