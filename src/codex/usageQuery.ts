import type { Clock, Log } from "../ports.ts";
import type { JsonObject } from "../wire/json.ts";
import { askBackendForObject, type BackendAccess, besideBackend, causeOf } from "./backendRequest.ts";

/** Asks how much of the plan is used, for times when no answers tell. */
export interface UsageQuery {
  /** Asks now, unless that was done within the last minute. All callers wait for the same answer. Never rejects. */
  ask(): Promise<void>;
}

/** What the query is made from. */
export interface UsageQueryParts extends BackendAccess {
  readonly clock: Clock;
  readonly log: Log;
  /** Takes the answer of `wham/usage`. */
  readonly noteUsage: (usage: JsonObject) => void;
}

const BETWEEN_QUESTIONS_MS = 60_000;

/** Nothing is asked before the first `ask`. */
export function createUsageQuery(parts: UsageQueryParts): UsageQuery {
  const { clock } = parts;
  let askedAt = -Infinity;
  let isFailing = false;
  let underway: Promise<void> | undefined;

  async function question(): Promise<void> {
    try {
      const headers = await parts.headers();
      if (headers === undefined) return;
      askedAt = clock.monotonic();
      parts.noteUsage(await askBackendForObject(parts.fetch, besideBackend(parts.baseUrl(), "/usage"), headers));
      isFailing = false;
    } catch (error) {
      askedAt = clock.monotonic();
      if (!isFailing) parts.log.warn("The use of the ChatGPT plan is not to be had", { cause: causeOf(error) });
      isFailing = true;
    }
  }

  return {
    ask() {
      const due = clock.monotonic() >= askedAt + BETWEEN_QUESTIONS_MS;
      if (underway === undefined && due) underway = question().finally(() => (underway = undefined));
      return underway ?? Promise.resolve();
    },
  };
}
