import type { Clock } from "../ports.ts";
import { Bag, type BagItem } from "../proxy/bag.ts";

/** A stream whose silence is bridged. */
export interface WatchedStream extends BagItem {
  /** Monotonic milliseconds. */
  lastByteAt: number;
  /** Called when nothing was sent for the keep-alive interval. */
  bridgeSilence(): void;
}

/** How many times per interval the streams are looked at: a bridge comes at most a quarter of the interval late. */
const LOOKS_PER_INTERVAL = 4;
const SHORTEST_LOOK_MS = 10;

/** Finds the silent ones among all open streams with a single coarse timer, so that no chunk has to move a timer of its own. */
export class SilenceWatch {
  readonly #keepAliveAfterMs: number;
  readonly #clock: Clock;
  readonly #streams = new Bag<WatchedStream>();
  #timer: NodeJS.Timeout | undefined;

  /** @param keepAliveAfterMs milliseconds of silence; 0 never bridges. */
  constructor(keepAliveAfterMs: number, clock: Clock) {
    this.#keepAliveAfterMs = keepAliveAfterMs;
    this.#clock = clock;
  }

  /** Monotonic milliseconds, for `lastByteAt`. */
  now(): number {
    return this.#clock.monotonic();
  }

  add(stream: WatchedStream): void {
    if (this.#keepAliveAfterMs <= 0) return;
    this.#streams.add(stream);
    this.#timer ??= setInterval(
      this.#look,
      Math.max(SHORTEST_LOOK_MS, this.#keepAliveAfterMs / LOOKS_PER_INTERVAL),
    ).unref();
  }

  delete(stream: WatchedStream): void {
    this.#streams.delete(stream);
  }

  readonly #look = (): void => {
    // The timer is stopped here and not in `delete`, so that short requests one after another do not start and stop it each time.
    if (this.#streams.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = this.now();
    for (const stream of this.#streams) {
      if (now - stream.lastByteAt < this.#keepAliveAfterMs) continue;
      stream.lastByteAt = now;
      stream.bridgeSilence();
    }
  };
}
