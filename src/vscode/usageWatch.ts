import type { PlanPicture } from "../codex/planPicture.ts";
import type { SignInStatus } from "../codex/tokenKeeper.ts";
import type { ControlBalances } from "../node/controlBalances.ts";
import type { ControlUsage } from "../node/controlState.ts";
import type { HeldCredentials } from "../node/controlCredentials.ts";
import type { KeyView } from "../node/keyKeeping.ts";
import { windowClient } from "../node/windowClient.ts";
import type { Log } from "../ports.ts";
import type { LiveView } from "../proxy/liveRequests.ts";
import type { ProxyConnection } from "./proxyConnection.ts";

/** What is known of the use of the process that this window is attached to. */
export interface UsageFacts {
  /** Since local midnight, by upstream, the dearest first. */
  readonly today: readonly ControlUsage[];
  /** On their way now. */
  readonly running: ReadonlyMap<string, LiveView>;
  readonly plan: PlanPicture | undefined;
  readonly signIn: SignInStatus | undefined;
  readonly keys: readonly KeyView[];
  readonly balances: ControlBalances | undefined;
  readonly held: HeldCredentials | undefined;
}

/** Keeps the facts up to date from the process's events. */
export interface UsageWatch {
  readonly facts: UsageFacts;
  /** Asks for everything anew, soon. */
  refresh(): void;
  /** Time has passed unseen, as while the machine slept: what belongs to another day is asked for anew, soon. */
  lookAtClock(): void;
  /** Is called when facts have changed, four times a second at most; `live` where only running requests have. */
  onChange(listener: (what: "all" | "live") => void): void;
}

/** What it works with. */
export interface UsageWatchParts {
  readonly connection: Pick<ProxyConnection, "client" | "onChange" | "onEvent">;
  readonly later: (delayMs: number, work: () => void) => () => void;
  readonly now: () => number;
  readonly log: Log;
}

const NOTHING: UsageFacts = {
  today: [],
  running: new Map(),
  plan: undefined,
  signIn: undefined,
  keys: [],
  balances: undefined,
  held: undefined,
};
/** Rows may come by the hundred. */
const REFRESH_DELAY_MS = 1_000;

/** Timers stand still while the machine sleeps: one for midnight alone would be late by a night. */
const CLOCK_LOOK_MS = 15 * 60_000;

/** Makes the watch. While nothing happens it runs no timer but the one that looks at the clock. */
export function createUsageWatch({ connection, later, now, log }: UsageWatchParts): UsageWatch {
  const listeners: ((what: "all" | "live") => void)[] = [];
  let facts = NOTHING;
  let attachedTo: unknown;
  let due = false;
  let asking = false;
  let askedOn = Number.NaN;
  let cancelClock: (() => void) | undefined;

  function tell(what: "all" | "live"): void {
    for (const listener of listeners) listener(what);
  }

  function refreshAfter(delayMs: number): void {
    if (due) return;
    due = true;
    later(delayMs, () => {
      due = false;
      void ask();
    });
  }

  async function ask(): Promise<void> {
    const { client } = connection;
    if (client === undefined) return;
    if (asking) return refreshAfter(REFRESH_DELAY_MS);
    asking = true;
    const extended = windowClient(client);
    const day = midnight(now());
    try {
      const [today, signIn, plan, keys, balances, held] = await Promise.all([
        client.usage({ by: "upstream", since: day }),
        client.signIn(),
        client.plan(),
        client.keys(),
        extended.balances(),
        extended.credentials(),
      ]);
      if (connection.client !== client) return;
      facts = { ...facts, today, signIn, plan, keys, balances, held };
      askedOn = day;
      watchClock();
      tell("all");
    } catch (error) {
      log.warn("The proxy process does not tell its usage.", { cause: error instanceof Error ? error.message : "" });
    } finally {
      asking = false;
    }
  }

  function watchClock(): void {
    cancelClock?.();
    cancelClock = later(Math.min(midnight(now(), 1) - now(), CLOCK_LOOK_MS), () => {
      lookAtClock();
      watchClock();
    });
  }

  function lookAtClock(): void {
    if (midnight(now()) !== askedOn) return refreshAfter(0);
    // Windows of the plan end, and nobody tells.
    tell("all");
  }

  connection.onChange(() => {
    if (connection.client === attachedTo) return;
    attachedTo = connection.client;
    cancelClock?.();
    facts = NOTHING;
    tell("all");
    if (connection.client !== undefined) refreshAfter(0);
  });

  connection.onEvent((event) => {
    switch (event.type) {
      case "requests": {
        const running = new Map(facts.running);
        for (const request of event.requests) {
          if (request.phase === "ended") running.delete(request.id);
          else running.set(request.id, request);
        }
        facts = { ...facts, running };
        tell("live");
        break;
      }
      case "plan":
        facts = { ...facts, plan: event.plan };
        tell("all");
        break;
      case "keys":
      case "row":
      case "state":
      case "credentials":
      case "refusal":
        refreshAfter(REFRESH_DELAY_MS);
        break;
    }
  });

  return {
    get facts() {
      return facts;
    },
    refresh: () => refreshAfter(0),
    lookAtClock,
    onChange: (listener) => void listeners.push(listener),
  };
}

/** Local midnight of today, or so many days later, in milliseconds since the Unix epoch. */
function midnight(at: number, days = 0): number {
  const date = new Date(at);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime();
}
