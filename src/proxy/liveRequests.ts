import { NO_TOKENS } from "../ledger/costEstimate.ts";
import type { UpstreamName } from "../ledger/usageRow.ts";
import type { TokenUsage } from "../wire/usage.ts";
import type { AnswerReading } from "./answerReading.ts";
import { Bag, type BagItem } from "./bag.ts";

/** What is known of a request when it goes upstream. */
export interface LiveFacts {
  /** That of its ledger row. */
  readonly id: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** On the monotonic clock, in milliseconds. */
  readonly arrivedAt: number;
  readonly keyId: string;
  readonly keyLabel: string;
  /** As asked for. */
  readonly model: string | null;
  readonly client: string | null;
  readonly upstream: UpstreamName;
}

/** A request on its way. Whoever relays it writes on these fields as it goes, which costs nothing; nobody is told of it. */
export interface LiveRequest {
  /** Bytes of the answer so far. */
  bytes: number;
  /** On the monotonic clock, in milliseconds; null until a token has come. */
  firstTokenAt: number | null;
  /** What reads the answer; undefined until its head has come, and where nothing is read. */
  meter: { readonly reading: AnswerReading } | undefined;
  /** It is sent upstream now, which `stop` breaks off: at once where its key was revoked while it was on its way to here. */
  started(stop: () => void): void;
  /** Ended, whichever way. Calling it again does no harm. */
  end(): void;
}

/** How far a request has come: sent upstream, answered with some bytes, or over. */
export type LivePhase = "waiting" | "streaming" | "ended";

/** A request as those see it who watch. */
export interface LiveView {
  readonly id: string;
  readonly startedAt: number;
  readonly keyId: string;
  readonly keyLabel: string;
  /** As the upstream names it, or as asked for until it does. */
  readonly model: string | null;
  readonly client: string | null;
  readonly upstream: UpstreamName;
  readonly phase: LivePhase;
  /** From the request's arrival; null until a token has come. */
  readonly firstTokenMs: number | null;
  /** As the upstream reported, or until it does one for every event of output. */
  readonly outputTokens: number;
  /** Micro-dollars for what the upstream reported, or until it does for the output alone; null where the price is not known. */
  readonly costMicros: number | null;
  readonly bytes: number;
}

/** Micro-dollars for tokens of a model, or what the upstream charged; null where neither is known. */
export type LivePrice = (
  upstream: UpstreamName,
  model: string | null,
  serviceTier: string | null,
  tokens: TokenUsage,
  reported: number | null,
) => number | null;

/** The requests that are on their way now. */
export interface LiveRequests {
  begin(facts: LiveFacts): LiveRequest;
  /** Breaks off all requests of a key. */
  stopKey(keyId: string): void;
  list(): readonly LiveView[];
  /**
   * Shows those that changed since the last look, all in one list, at most four times a second. While nobody listens, nothing is kept
   * beside the requests themselves and no timer runs. Returns how to stop.
   */
  listen(listener: (changed: readonly LiveView[]) => void): () => void;
}

interface RunningRequest extends LiveRequest, BagItem {
  readonly facts: LiveFacts;
  /** Undefined until it is sent upstream. */
  stop: (() => void) | undefined;
}

const LOOK_INTERVAL_MS = 250;

/** `later` runs something after so many milliseconds and returns what cancels it. */
export function createLiveRequests(
  later: (delayMs: number, work: () => void) => () => void,
  isRevoked: (keyId: string) => boolean,
  price: LivePrice,
): LiveRequests {
  const running = new Bag<RunningRequest>();
  const listeners = new Set<(changed: readonly LiveView[]) => void>();
  let shown = new Map<RunningRequest, string>();
  let ended: LiveView[] = [];
  let cancel: (() => void) | undefined;

  function look(): void {
    cancel = undefined;
    const changed = ended;
    ended = [];
    for (const request of running) {
      const view = viewOf(request, "running");
      const trace = `${view.phase} ${view.bytes} ${view.outputTokens}`;
      if (shown.get(request) === trace) continue;
      shown.set(request, trace);
      changed.push(view);
    }
    arm();
    if (changed.length > 0) for (const listener of listeners) listener(changed);
  }

  /** Chunks do not tell of themselves, so while there is somebody to show them to, a running request is looked at regularly. */
  function arm(): void {
    if (cancel === undefined && listeners.size > 0 && (running.size > 0 || ended.length > 0))
      cancel = later(LOOK_INTERVAL_MS, look);
  }

  return {
    begin(facts) {
      const request: RunningRequest = {
        facts,
        place: -1,
        bytes: 0,
        firstTokenAt: null,
        meter: undefined,
        stop: undefined,
        started(stop) {
          request.stop = stop;
          if (isRevoked(facts.keyId)) stop();
        },
        end() {
          if (!running.delete(request)) return;
          shown.delete(request);
          if (listeners.size === 0) return;
          ended.push(viewOf(request, "ended"));
          arm();
        },
      };
      running.add(request);
      arm();
      return request;
    },
    stopKey(keyId) {
      for (const request of running) if (request.facts.keyId === keyId) request.stop?.();
    },
    list: () =>
      Array.from(running, (request) => viewOf(request, "running")).toSorted(
        (one, other) => one.startedAt - other.startedAt,
      ),
    listen(listener) {
      listeners.add(listener);
      arm();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        cancel?.();
        cancel = undefined;
        shown = new Map();
        ended = [];
      };
    },
  };

  function viewOf(request: RunningRequest, how: "running" | "ended"): LiveView {
    const { facts, bytes, firstTokenAt } = request;
    const { arrivedAt, ...told } = facts;
    const reading = request.meter?.reading;
    const model = reading?.model ?? facts.model;
    const outputTokens = reading?.usage?.tokens.output ?? reading?.deltas ?? 0;
    const tokens = reading?.usage?.tokens ?? { ...NO_TOKENS, output: outputTokens };
    const charged = reading?.usage?.costMicros ?? null;
    return {
      ...told,
      model,
      phase: how === "ended" ? "ended" : bytes > 0 ? "streaming" : "waiting",
      firstTokenMs: firstTokenAt === null ? null : Math.round(firstTokenAt - arrivedAt),
      outputTokens,
      costMicros: price(facts.upstream, model, reading?.serviceTier ?? null, tokens, charged),
      bytes,
    };
  }
}
