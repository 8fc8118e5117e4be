import type { Clock, Log } from "../ports.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { askBackendForObject, type BackendAccess, BackendRefusal, besideBackend, causeOf } from "./backendRequest.ts";

/** Where the requests of a workspace with a data residency have to be handled. */
export interface WorkspaceRouting {
  /**
   * The value of `x-openai-account-routing-override` for an account; undefined where there is none, which is so for every
   * personal account, and where it is not to be had. Never rejects.
   */
  override(accountId: string): Promise<string | undefined>;
}

/** What the question is made from. */
export interface WorkspaceRoutingParts extends Omit<BackendAccess, "headers"> {
  readonly clock: Clock;
  readonly log: Log;
  /** Authorization and account header of this account; undefined where it is no longer signed in. */
  readonly headers: (accountId: string) => ReturnType<BackendAccess["headers"]>;
}

interface Known {
  readonly override: string | undefined;
  /** On the monotonic clock. */
  readonly goodUntil: number;
}

const CACHE_MS = 3_600_000;
/** After a failure the upstream is left alone for this long: requests wait for the answer. */
const RETRY_AFTER_MS = 300_000;
/** One user has few accounts; whoever names more pushes out the oldest. */
const MAXIMUM_PLACES = 64;

/** Asks `wham/accounts/check`, once for an account however many requests wait, and keeps the answer for an hour. */
export function createWorkspaceRouting(parts: WorkspaceRoutingParts): WorkspaceRouting {
  const known = new Map<string, Known>();
  const underway = new Map<string, Promise<string | undefined>>();
  const failed = new Set<string>();

  function note(place: string, told: Known): void {
    known.delete(place);
    known.set(place, told);
    const [oldest] = known.keys();
    if (known.size <= MAXIMUM_PLACES || oldest === undefined) return;
    known.delete(oldest);
    failed.delete(oldest);
  }

  async function ask(place: string, baseUrl: string, accountId: string): Promise<string | undefined> {
    try {
      const headers = await parts.headers(accountId);
      if (headers === undefined) return undefined;
      const answer = await askBackendForObject(parts.fetch, besideBackend(baseUrl, "/accounts/check"), headers);
      const override = overrideOf(answer, accountId);
      note(place, { override, goodUntil: parts.clock.monotonic() + CACHE_MS });
      failed.delete(place);
      return override;
    } catch (error) {
      const last = known.get(place)?.override;
      // That says something of this token, and nothing of the account: the next one may be good.
      if (error instanceof BackendRefusal && error.status === 401) return last;
      note(place, { override: last, goodUntil: parts.clock.monotonic() + RETRY_AFTER_MS });
      if (!failed.has(place)) {
        parts.log.warn("The routing of the ChatGPT workspace is not to be had; requests go without it", {
          cause: causeOf(error),
        });
      }
      failed.add(place);
      return last;
    }
  }

  return {
    async override(accountId) {
      const baseUrl = parts.baseUrl();
      const place = `${accountId} ${baseUrl}`;
      const last = known.get(place);
      if (last !== undefined && last.goodUntil > parts.clock.monotonic()) return last.override;
      const running = underway.get(place) ?? ask(place, baseUrl, accountId).finally(() => underway.delete(place));
      underway.set(place, running);
      return running;
    },
  };
}

/** The list form only: the older form, a map by account id, has no routing fields. */
function overrideOf(answer: JsonObject, accountId: string): string | undefined {
  const accounts = Array.isArray(answer["accounts"]) ? answer["accounts"].filter(isJsonObject) : [];
  const override = accounts.find((account) => account["id"] === accountId)?.["account_routing_override"];
  // It becomes a header: anything else than a plain word would break the request.
  const isUsable = typeof override === "string" && /^[\w.-]{1,64}$/.test(override);
  return isUsable && override.toUpperCase() !== "NO_CONSTRAINT" ? override : undefined;
}
