import type { ControlClient } from "../node/controlClient.ts";
import type { ControlEvent, ControlState } from "../node/controlState.ts";
import type { Log } from "../ports.ts";
import { isOlderVersion } from "./versionOrder.ts";

/** How this window stands to the proxy process. */
export type ConnectionStatus =
  /** Looking for a process, or starting one. */
  | "starting"
  /** Answering; this window started it. */
  | "running"
  /** Answering; somebody else started it. */
  | "attached"
  /** Answering on another port than the wished one, which another program has. */
  | "port_conflict"
  | "failed"
  | "stopped";

/** The connection as it is shown. */
export interface ConnectionView {
  readonly status: ConnectionStatus;
  /** Where clients reach the proxy; undefined while nobody can. */
  readonly url: string | undefined;
  /** What happened and what to do, where there is something to say. */
  readonly reason: string | undefined;
  /** Pretend upstreams answer. */
  readonly sandbox: boolean;
  readonly state: ControlState | undefined;
}

/** What handing over settings and secrets brought. */
export interface Handover {
  readonly sandbox: boolean;
  /** The port that the process was started for; undefined where it does not say. */
  readonly wishedPort: number | undefined;
  /** Why a part was not taken. */
  readonly problem: string | undefined;
}

/** What the connection works with. */
export interface ConnectionParts {
  /** Ours. */
  readonly version: string;
  /** The process that is there; undefined for none. Rejects with a sentence where one is in the way. */
  readonly find: () => Promise<ControlClient | undefined>;
  /** Starts a process. Resolves when it has been, `exited` when it is gone. Rejects with a sentence. */
  readonly spawn: () => Promise<{ readonly exited: Promise<void> }>;
  /** Whether the process is one that windows start, which may be replaced by a newer one. */
  readonly isOfWindows: (client: ControlClient) => Promise<boolean>;
  /** Hands settings and secrets over. */
  readonly handOver: (client: ControlClient) => Promise<Handover>;
  /** Why the process that was started last is not there. */
  readonly lastFailure: () => Promise<string | undefined>;
  /** Resolves after so many milliseconds, or when the signal aborts. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly monotonic: () => number;
  readonly log: Log;
  /** The process had died and was started again: told once. */
  readonly onRevived: () => void;
}

/** This window's connection to the proxy process. */
export interface ProxyConnection {
  readonly view: ConnectionView;
  /** The process, while one answers. */
  readonly client: ControlClient | undefined;
  /** Finds or starts the process, and keeps it up from now on. Resolves when it answers or has failed. */
  start(): Promise<void>;
  /** Ends the process, for all windows. */
  stop(graceMs: number): Promise<void>;
  /** Puts a new process in the place of the present one, whose running answers may finish. */
  restart(): Promise<void>;
  onChange(listener: () => void): void;
  onEvent(listener: (event: ControlEvent) => void): void;
  /** Lets go of the process, which goes on for others. */
  dispose(): void;
}

const FIND_INTERVAL_MS = 100;
const START_DEADLINE_MS = 20_000;
/** A process that was asked to end may be followed by another window's newer one. */
const SUCCESSOR_DEADLINE_MS = 10_000;
/** A process that ran for so long has not died of its start. */
const STEADY_MS = 60_000;
/** Before each new start after a death; after the last one it has failed. */
const BACK_OFF_MS = [0, 500, 1_000, 2_000, 5_000, 15_000] as const;

type Ending = "let_go" | "asked_to_end" | "died";

/** Makes the connection, stopped. */
export function createProxyConnection(parts: ConnectionParts): ProxyConnection {
  const { log, wait, monotonic } = parts;
  const changeListeners: (() => void)[] = [];
  const eventListeners: ((event: ControlEvent) => void)[] = [];
  let view = viewOf("stopped");
  let client: ControlClient | undefined;
  let session: AbortController | undefined;
  let settled: PromiseWithResolvers<undefined> = Promise.withResolvers();
  let saidRevived = false;

  function show(next: ConnectionView): void {
    view = next;
    if (next.status !== "starting") settled.resolve(undefined);
    for (const listener of changeListeners) listener();
  }

  /** Keeps the window connected until the signal aborts, or until there is nothing more to connect to. */
  async function run(signal: AbortSignal): Promise<void> {
    let mayStart = true;
    let deaths = 0;
    while (!signal.aborted) {
      let found: { readonly client: ControlClient; readonly startedHere: boolean } | undefined;
      try {
        found = await reach(mayStart, signal);
      } catch (error) {
        if (!signal.aborted) show(viewOf("failed", sentenceOf(error)));
        return;
      }
      if (signal.aborted) return;
      if (found === undefined) return show(viewOf("stopped"));
      if (deaths > 0 && found.startedHere && !saidRevived) {
        saidRevived = true;
        parts.onRevived();
      }
      const since = monotonic();
      const ending = await follow(found.client, found.startedHere, signal);
      client = undefined;
      if (ending === "let_go") return;
      mayStart = ending === "died";
      deaths = ending === "died" ? (monotonic() - since > STEADY_MS ? 1 : deaths + 1) : 0;
      const pause = BACK_OFF_MS[Math.max(0, deaths - 1)];
      if (pause === undefined)
        return show(viewOf("failed", "The proxy process keeps ending: its log says why (Patchbay: Show Logs)."));
      show(viewOf("starting", deaths > 0 ? "The proxy process ended and is being started again." : undefined));
      await wait(pause, signal);
    }
  }

  /** The process that is there or comes; undefined where none does and none may be started. Rejects with a sentence. */
  async function reach(mayStart: boolean, signal: AbortSignal) {
    const present = await usable();
    if (present !== undefined || signal.aborted) return present && { client: present, startedHere: false };
    let gone = false;
    if (mayStart) {
      const spawned = await parts.spawn();
      void spawned.exited.then(() => {
        gone = true;
      });
    }
    const deadline = monotonic() + (mayStart ? START_DEADLINE_MS : SUCCESSOR_DEADLINE_MS);
    while (!signal.aborted && monotonic() < deadline) {
      // Looked at before the search: whoever was there until the end of it is found by it.
      const wasGone = gone;
      const found = await parts.find();
      if (found !== undefined) return { client: found, startedHere: mayStart && !gone };
      if (wasGone) break;
      await wait(FIND_INTERVAL_MS, signal);
    }
    if (!mayStart || signal.aborted) return undefined;
    throw new Error(
      (await parts.lastFailure()) ?? "The proxy process did not start: its log says why (Patchbay: Show Logs).",
    );
  }

  /** A process that takes requests and is not older than this extension; an older one is asked to give way. */
  async function usable(): Promise<ControlClient | undefined> {
    const found = await parts.find();
    if (found === undefined) return undefined;
    const { version, phase } = await found.state();
    if (phase === "draining") return undefined;
    if (!isOlderVersion(version, parts.version) || !(await parts.isOfWindows(found))) return found;
    log.info("An older proxy process hands over.", { version });
    await found.drain(`Patchbay ${parts.version} takes over`);
    return undefined;
  }

  async function follow(reached: ControlClient, startedHere: boolean, signal: AbortSignal): Promise<Ending> {
    try {
      const handover = await parts.handOver(reached);
      client = reached;
      for await (const event of reached.events(signal, "window")) {
        // Its last answers may take hours: whoever comes after it is there now, and so is its port.
        if (event.type === "state" && event.state.phase === "draining")
          return signal.aborted ? "let_go" : "asked_to_end";
        if (event.type === "state") show(upView(event.state, handover, startedHere));
        for (const listener of eventListeners) listener(event);
      }
    } catch (error) {
      if (!signal.aborted) log.warn("The connection to the proxy process broke.", { cause: sentenceOf(error) });
    }
    return signal.aborted ? "let_go" : "died";
  }

  function begin(): Promise<void> {
    session?.abort();
    const own = new AbortController();
    session = own;
    settled = Promise.withResolvers();
    show(viewOf("starting"));
    void run(own.signal).catch((error: unknown) => show(viewOf("failed", sentenceOf(error))));
    return settled.promise;
  }

  /** Ends this window's part; returns the process that was there. */
  function letGo(): ControlClient | undefined {
    const former = client;
    session?.abort();
    session = undefined;
    client = undefined;
    return former;
  }

  return {
    get view() {
      return view;
    },
    get client() {
      return client;
    },
    start: () => (session === undefined || isOver(view.status) ? begin() : settled.promise),
    async stop(graceMs) {
      const former = letGo() ?? (await parts.find().catch(() => undefined));
      show(viewOf("stopped"));
      await former?.stop(graceMs);
    },
    async restart() {
      const former = letGo() ?? (await parts.find().catch(() => undefined));
      show(viewOf("starting"));
      await former?.drain("Patchbay: Restart Proxy").catch((error: unknown) => {
        log.warn("The former proxy process did not give way.", { cause: sentenceOf(error) });
      });
      return begin();
    },
    onChange: (listener) => void changeListeners.push(listener),
    onEvent: (listener) => void eventListeners.push(listener),
    dispose() {
      letGo();
      changeListeners.length = 0;
      eventListeners.length = 0;
      settled.resolve(undefined);
    },
  };
}

/** Whether a process answers. */
export function isUp(status: ConnectionStatus): boolean {
  switch (status) {
    case "running":
    case "attached":
    case "port_conflict":
      return true;
    case "starting":
    case "failed":
    case "stopped":
      return false;
  }
}

function isOver(status: ConnectionStatus): boolean {
  return status === "failed" || status === "stopped";
}

function viewOf(status: "starting" | "failed" | "stopped", reason?: string): ConnectionView {
  return { status, url: undefined, reason, sandbox: false, state: undefined };
}

function upView(state: ControlState, handover: Handover, startedHere: boolean): ConnectionView {
  const { sandbox, wishedPort, problem } = handover;
  const port = Number(new URL(state.url).port);
  const moved = wishedPort !== undefined && wishedPort !== 0 && wishedPort !== port;
  return {
    status: moved ? "port_conflict" : startedHere ? "running" : "attached",
    url: state.url,
    reason:
      problem ??
      (moved
        ? `Port ${wishedPort} is taken by another program, so the proxy listens on ${port}: connect your tools again, or choose another port.`
        : undefined),
    sandbox,
    state,
  };
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
