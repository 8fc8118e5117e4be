import { type ControlApi, createControlApi, type ControlParts } from "../../src/node/controlApi.ts";
import { createControlEvents, type ControlEvents } from "../../src/node/controlEvents.ts";
import type { ControlState } from "../../src/node/controlState.ts";
import { listeningLog } from "../ledger/temporaryLedger.ts";

/** A state with plausible values. */
export function someState(changes: Partial<ControlState> = {}): ControlState {
  return {
    version: "1.2.3",
    pid: process.pid,
    startedAt: 1_000,
    url: "http://127.0.0.1:8390",
    dataDirectory: "/data",
    phase: "running",
    inFlight: 0,
    visitors: 0,
    upstreams: [{ name: "openai", baseUrl: "https://api.openai.com/v1", hasKey: true }],
    ...changes,
  };
}

/** Timers that run when the test says so. */
export interface HandTimers {
  readonly later: (delayMs: number, work: () => void) => () => void;
  /** Delays of those that wait, in the order in which they were set. */
  readonly waiting: readonly number[];
  /** Runs what waits now. */
  run(): void;
}

export function handTimers(): HandTimers {
  let set: { readonly delayMs: number; readonly work: () => void }[] = [];
  return {
    later(delayMs, work) {
      const timer = { delayMs, work };
      set.push(timer);
      return () => {
        set = set.filter((one) => one !== timer);
      };
    },
    get waiting() {
      return set.map(({ delayMs }) => delayMs);
    },
    run() {
      const due = set;
      set = [];
      for (const { work } of due) work();
    },
  };
}

/** Events that nobody acts upon. */
export function quietEvents(): ControlEvents {
  return createControlEvents({
    later: handTimers().later,
    onWatched: () => undefined,
    onVisitors: () => undefined,
  });
}

/** A control API whose parts do nothing unless the test passes others. */
export function someApi(parts: Partial<ControlParts> = {}): ControlApi {
  return createControlApi({
    log: listeningLog(),
    ready: Promise.resolve(),
    state: () => someState(),
    drain: () => undefined,
    stop: () => undefined,
    events: quietEvents(),
    liveRequests: () => [],
    usage: () => [],
    models: async () => [],
    ...parts,
  });
}
