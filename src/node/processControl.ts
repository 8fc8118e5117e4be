import type { ServerResponse } from "node:http";

import type { PlanPicture } from "../codex/planPicture.ts";
import type { SignInStatus } from "../codex/tokenKeeper.ts";
import { reportUsage } from "../ledger/reports.ts";
import { groupJson, rowJson } from "../ledger/usageJson.ts";
import type { UsageLedger } from "../ledger/usageLedger.ts";
import type { Clock, Log, Sql } from "../ports.ts";
import type { LiveRequests } from "../proxy/liveRequests.ts";
import type { ListedModel } from "../proxy/modelList.ts";
import type { ProxySettings } from "../proxy/proxySettings.ts";
import { type ControlApi, createControlApi } from "./controlApi.ts";
import { addUsageViewRoutes } from "./controlUsageView.ts";
import { createControlEvents } from "./controlEvents.ts";
import { startControlServer } from "./controlServer.ts";
import type { ControlClaim } from "./controlClaim.ts";
import { addRowRoutes } from "./controlRows.ts";
import type { ControlEvent, ControlPhase, ControlState } from "./controlState.ts";
import { addKeyRoutes } from "./controlKeys.ts";
import type { KeyKeeping } from "./keyKeeping.ts";
import { localZoneOffset } from "./localZone.ts";
import { createIdleExit, type IdleExit } from "./idleExit.ts";
import { VERSION } from "./version.ts";

/** What whoever starts the process adds to its control. */
export interface ControlSettings {
  /** End the process when no window has been attached and no request in flight for so many milliseconds; undefined: never. */
  readonly exitWhenIdleMs?: number | undefined;
  /** Adds routes. */
  readonly addRoutes?: ((api: ControlApi, teller: ControlTeller) => void) | undefined;
}

/** Tells those who read the events. */
export interface ControlTeller {
  publish(make: () => ControlEvent): void;
  /** What the process tells of itself has changed. */
  publishState(): void;
  /** Windows that are attached now. */
  visitors(): number;
}

/** What the control of a process works with. */
export interface ProcessControlParts {
  readonly claim: ControlClaim;
  readonly dataDirectory: string;
  readonly settings: ControlSettings;
  readonly proxy: () => ProxySettings;
  readonly sql: Sql;
  readonly ledger: UsageLedger;
  /** Where a damaged ledger was put. */
  readonly ledgerSetAside?: string | undefined;
  readonly liveRequests: LiveRequests;
  readonly clock: Clock;
  readonly log: Log;
  readonly later: (delayMs: number, work: () => void) => () => void;
  /** Resolves with undefined where nothing is known. */
  readonly keyKeeping: KeyKeeping;
  readonly models: () => Promise<readonly ListedModel[]>;
  readonly plan: () => Promise<PlanPicture | undefined>;
  /** Undefined where there is nothing to sign in to. */
  readonly signIn: (() => Promise<SignInStatus>) | undefined;
  /** Ends the process; called again with less it hurries. */
  readonly stop: (graceMs: number) => void;
}

/** The control of a running process: its socket, its events, and its reasons to end. */
export interface ProcessControl {
  /** Counts a request on the port until its answer is over. */
  count(outgoing: ServerResponse): void;
  /** The port is open: from now on questions are answered. */
  opened(url: string): void;
  /** The upstream may have told something new of the plan. */
  planMayHaveChanged(): void;
  /** The process is on its way down. */
  draining(): void;
  /** Closes the socket. */
  close(): Promise<void>;
}

/** The answers of an older process may take as long as agents' answers do. */
const DRAIN_GRACE_MS = 2 * 3_600_000;
const IDLE_STOP_GRACE_MS = 1_000;
/** Every answer tells of the plan, and its parts come one after the other. */
const PLAN_DELAY_MS = 1_000;

/** Opens the control socket. Rejects with a `ControlError`. */
export async function startProcessControl(parts: ProcessControlParts): Promise<ProcessControl> {
  const { claim, settings, liveRequests, clock, log, later } = parts;
  const startedAt = clock.now();
  let url = "";
  let phase: ControlPhase = "running";
  let inFlight = 0;
  let idle: IdleExit | undefined;
  let unwatch: (() => void) | undefined;
  let markReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    markReady = resolve;
  });
  const events = createControlEvents({
    later,
    onWatched(watched) {
      unwatch?.();
      unwatch = watched
        ? liveRequests.listen((requests) => events.publish(() => ({ type: "requests", requests })))
        : undefined;
    },
    onVisitors: (count) => idle?.visitors(count),
  });
  parts.ledger.onRecorded((row) => events.publish(() => ({ type: "row", row: rowJson(row) })));
  let planIsDue = false;

  function state(): ControlState {
    const { dataDirectory, ledgerSetAside } = parts;
    const upstreams = Object.values(parts.proxy().upstreams).map(({ name, baseUrl, apiKey }) => ({
      name,
      baseUrl,
      hasKey: apiKey !== undefined,
    }));
    const { visitors } = events;
    return {
      version: VERSION,
      pid: process.pid,
      startedAt,
      url,
      dataDirectory,
      phase,
      inFlight,
      visitors,
      upstreams,
      ledgerSetAside,
    };
  }

  function draining(): void {
    idle?.stop();
    if (phase === "draining") return;
    phase = "draining";
    events.publish(() => ({ type: "state", state: state() }));
  }

  const api = createControlApi({
    log,
    ready,
    state,
    drain(reason) {
      log.info("Another process takes over: running answers may finish.", { reason, inFlight });
      server.release();
      claim.release();
      parts.stop(DRAIN_GRACE_MS);
    },
    stop: parts.stop,
    events,
    liveRequests: () => liveRequests.list(),
    usage: (query) =>
      reportUsage(parts.sql, { ...query, zoneOffset: localZoneOffset }).map((group) => groupJson(query.groupBy, group)),
    models: parts.models,
    plan: parts.plan,
    signIn: parts.signIn,
  });
  addRowRoutes(api, parts.sql);
  addUsageViewRoutes(api, parts.sql, () => clock.now());
  addKeyRoutes(api, parts.keyKeeping, () => events.publish(() => ({ type: "keys" })));
  settings.addRoutes?.(api, {
    publish: (make) => events.publish(make),
    publishState: () => events.publish(() => ({ type: "state", state: state() })),
    visitors: () => events.visitors,
  });
  const server = await startControlServer({ path: claim.path, app: api, log });

  return {
    count(outgoing) {
      inFlight += 1;
      idle?.inFlight(inFlight);
      outgoing.once("close", () => {
        inFlight -= 1;
        idle?.inFlight(inFlight);
      });
    },
    opened(address) {
      url = address;
      markReady();
      const { exitWhenIdleMs } = settings;
      if (exitWhenIdleMs === undefined) return;
      idle = createIdleExit({
        graceMs: exitWhenIdleMs,
        later,
        exit() {
          log.info("Ending: no window is attached and no request is running.");
          parts.stop(IDLE_STOP_GRACE_MS);
        },
      });
    },
    planMayHaveChanged() {
      if (planIsDue || unwatch === undefined) return;
      planIsDue = true;
      later(PLAN_DELAY_MS, () => {
        planIsDue = false;
        parts.plan().then(
          (plan) => {
            if (plan !== undefined) events.publish(() => ({ type: "plan", plan }));
          },
          (error: Error) => log.warn("The plan's windows cannot be told.", { cause: error.message }),
        );
      });
    },
    draining,
    async close() {
      draining();
      server.release();
      events.close();
      await server.close();
    },
  };
}
