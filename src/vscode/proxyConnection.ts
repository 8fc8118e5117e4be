import type { ControlClient } from "../node/controlClient.ts";
import type { ControlEvent } from "../node/controlState.ts";
import type { Log } from "../ports.ts";
import { type ConnectionView, type Handover, isOver, upView, viewOf } from "./connectionView.ts";
import { isOlderVersion } from "./versionOrder.ts";

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
  /** Attaches when a process is there, at some time, and starts none. */
  lookOut(): void;
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
/** A process that was asked to end may be followed by another window's newer one; a later one is found all the same. */
const SUCCESSOR_DEADLINE_MS = 3_000;
/** A look is a file and a socket, so it may be taken for as long as the window is open. */
const LOOK_OUT_INTERVAL_MS = 5_000;
/** A process that ran for so long has not died of its start. */
const STEADY_MS = 60_000;
/** Before each new start after a death; after the last one it has failed. */
const BACK_OFF_MS = [0, 500, 1_000, 2_000, 5_000, 15_000] as const;

type Ending = "let_go" | "asked_to_end" | "died";

type Aim =
  /** A process must be had. */
  | "start"
  /** The one that was asked to end may be followed by another. */
  | "find_successor"
  /** None is wanted here, but another window may start one. */
  | "look_out";

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
  let isDisposed = false;

  function show(next: ConnectionView): void {
    view = next;
    if (next.status !== "starting") settled.resolve(undefined);
    for (const listener of changeListeners) listener();
  }

  /** Keeps the window connected until the signal aborts. */
  async function run(signal: AbortSignal, first: Aim): Promise<void> {
    let aim = first;
    let deaths = 0;
    const rest = (next: ConnectionView): void => {
      show(next);
      aim = "look_out";
      deaths = 0;
    };
    while (!signal.aborted) {
      let found: { readonly client: ControlClient; readonly startedHere: boolean } | undefined;
      try {
        if (aim === "look_out") await somebodyCame(signal);
        found = await reach(aim !== "find_successor", signal);
      } catch (error) {
        if (!signal.aborted) rest(viewOf("failed", sentenceOf(error)));
        continue;
      }
      if (signal.aborted) return;
      if (found === undefined) {
        rest(viewOf("stopped"));
        continue;
      }
      if (deaths > 0 && found.startedHere && !saidRevived) {
        saidRevived = true;
        parts.onRevived();
      }
      const since = monotonic();
      const ending = await follow(found.client, found.startedHere, signal);
      client = undefined;
      if (ending === "let_go") return;
      aim = ending === "died" ? "start" : "find_successor";
      deaths = ending === "died" ? (monotonic() - since > STEADY_MS ? 1 : deaths + 1) : 0;
      const pause = BACK_OFF_MS[Math.max(0, deaths - 1)];
      if (pause === undefined) {
        rest(viewOf("failed", "The proxy process keeps ending: its log says why (Patchbay: Show Logs)."));
        continue;
      }
      show(viewOf("starting", deaths > 0 ? "The proxy process ended and is being started again." : undefined));
      await wait(pause, signal);
    }
  }

  /** Resolves when a process takes requests: another window has started one, or the one that was there answers again. */
  async function somebodyCame(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await wait(LOOK_OUT_INTERVAL_MS, signal);
      const found = signal.aborted ? undefined : await parts.find().catch(() => undefined);
      const state = await found?.state().catch(() => undefined);
      if (state?.phase === "running") return;
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
    settled = Promise.withResolvers();
    show(viewOf("starting"));
    keepRunning("start");
    return settled.promise;
  }

  function keepRunning(aim: Aim): void {
    session?.abort();
    const own = new AbortController();
    session = own;
    void run(own.signal, aim).catch((error: unknown) => show(viewOf("failed", sentenceOf(error))));
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
    lookOut: () => keepRunning("look_out"),
    start: () => (session === undefined || isOver(view.status) ? begin() : settled.promise),
    async stop(graceMs) {
      const former = letGo() ?? (await parts.find().catch(() => undefined));
      show(viewOf("stopped"));
      await former?.stop(graceMs);
      if (session === undefined && !isDisposed) keepRunning("look_out");
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
      isDisposed = true;
      letGo();
      changeListeners.length = 0;
      eventListeners.length = 0;
      settled.resolve(undefined);
    },
  };
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
