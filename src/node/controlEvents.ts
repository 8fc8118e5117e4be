import type { ControlEvent } from "./controlState.ts";

/** Who reads an event stream: a window keeps the process alive, anybody else only looks. */
export type Reader = "window" | "onlooker";

/** One reader of the events. */
export interface EventSubscription {
  readonly reader: Reader;
  /** What the reader is to be told first. */
  readonly first: readonly ControlEvent[];
  /** The reader was too slow: its connection is of no use any more. */
  readonly onDropped: () => void;
}

/** The event stream's sending side. */
export interface ControlEvents {
  /** Sends to all readers. Where there are none, the event is not even made. */
  publish(make: () => ControlEvent): void;
  /** The bytes of one reader's stream. Cancelling it ends the subscription. */
  open(subscription: EventSubscription): ReadableStream<Uint8Array>;
  readonly visitors: number;
  /** Ends all streams. */
  close(): void;
}

/** What the events need from outside. */
export interface EventParts {
  /** Runs something after so many milliseconds; returns what cancels it. */
  readonly later: (delayMs: number, work: () => void) => () => void;
  /** The first reader has come (true), the last one has gone (false): sources start and stop. */
  readonly onWatched: (watched: boolean) => void;
  /** How many windows are attached now. */
  readonly onVisitors: (count: number) => void;
}

/** Readers and proxies in between take a longer silence for a broken connection. */
export const HEARTBEAT_MS = 15_000;
/** What waits for a reader that does not read; it is dropped rather than let the process grow. */
const MAXIMUM_BUFFERED_BYTES = 1024 * 1024;

interface Stream {
  readonly subscription: EventSubscription;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
}

/** Sends events to whoever reads them. Without readers no timer runs and nothing is made. */
export function createControlEvents(parts: EventParts): ControlEvents {
  const encoder = new TextEncoder();
  const streams = new Set<Stream>();
  const heartbeat = encoder.encode(": heartbeat\n\n");
  let cancelHeartbeat: (() => void) | undefined;
  let visitors = 0;

  function beat(): void {
    cancelHeartbeat = parts.later(HEARTBEAT_MS, beat);
    for (const stream of streams) send(stream, heartbeat);
  }

  function bytesOf(event: ControlEvent): Uint8Array {
    return encoder.encode(`data: ${JSON.stringify(event)}\n\n`);
  }

  function send(stream: Stream, bytes: Uint8Array): void {
    if ((stream.controller.desiredSize ?? 0) > 0) stream.controller.enqueue(bytes);
    else {
      remove(stream);
      stream.controller.close();
      stream.subscription.onDropped();
    }
  }

  function add(stream: Stream): void {
    streams.add(stream);
    if (streams.size === 1) {
      cancelHeartbeat = parts.later(HEARTBEAT_MS, beat);
      parts.onWatched(true);
    }
    if (stream.subscription.reader === "window") countVisitors();
  }

  function remove(stream: Stream): void {
    if (!streams.delete(stream)) return;
    if (streams.size === 0) {
      cancelHeartbeat?.();
      parts.onWatched(false);
    }
    if (stream.subscription.reader === "window") countVisitors();
  }

  function countVisitors(): void {
    visitors = [...streams].filter(({ subscription }) => subscription.reader === "window").length;
    parts.onVisitors(visitors);
  }

  return {
    publish(make) {
      if (streams.size === 0) return;
      const bytes = bytesOf(make());
      for (const stream of streams) send(stream, bytes);
    },
    open(subscription) {
      let stream: Stream | undefined;
      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            stream = { subscription, controller };
            for (const event of subscription.first) controller.enqueue(bytesOf(event));
            add(stream);
          },
          cancel() {
            if (stream !== undefined) remove(stream);
          },
        },
        new ByteLengthQueuingStrategy({ highWaterMark: MAXIMUM_BUFFERED_BYTES }),
      );
    },
    get visitors() {
      return visitors;
    },
    close() {
      for (const stream of streams) {
        remove(stream);
        stream.controller.close();
      }
    },
  };
}
