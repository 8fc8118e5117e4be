import {
  type ClientEnding,
  type Exchange,
  type HeaderPairs,
  RelayFailure,
  type RelayObserver,
  type RelayOutcome,
  type UpstreamRequest,
} from "./exchange.ts";
import { createFetchBody, type FetchBody } from "./fetchBody.ts";

/** What the web-standard making of the exchange needs. */
export interface FetchExchangeParts {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly maximumBodyBytes: () => number;
  /** How long the upstream may take to its head, in milliseconds. */
  readonly headersTimeoutMs: number;
  /** After how much silence the observer is asked for a bridge, in milliseconds. */
  readonly keepAliveAfterMs: number;
  readonly later: (delayMs: number, work: () => void) => () => void;
  /** The client's address, where the platform tells it. */
  readonly remoteAddress?: string;
}

/** Statuses whose answers have no body (Fetch standard, "null body status"). */
const NULL_BODY_STATUSES = new Set([101, 204, 205, 304]);

/** The exchange through `fetch` and streams: on Workers, and in tests that open no socket. */
export function createFetchExchange(request: Request, parts: FetchExchangeParts): Exchange {
  const start = request.url.indexOf("/", request.url.indexOf("//") + 2);
  const body = createFetchBody(request, parts.maximumBodyBytes());
  const headers: string[] = [];
  request.headers.forEach((value, name) => headers.push(name, value));
  return {
    method: request.method,
    target: start === -1 ? "/" : request.url.slice(start),
    header: (name) => request.headers.get(name) ?? undefined,
    headers,
    remoteAddress: parts.remoteAddress,
    body,
    relay: (upstream, observer) => relay(request, body, upstream, observer, parts),
  };
}

async function relay(
  client: Request,
  body: FetchBody,
  upstream: UpstreamRequest,
  observer: RelayObserver,
  parts: FetchExchangeParts,
): Promise<Response> {
  const abort = new AbortController();
  let reason: "client_left" | "upstream_timeout" | "body_too_large" | "stopped" | undefined;
  const leave = (): void => {
    reason = "client_left";
    abort.abort();
  };
  if (client.signal.aborted) leave();
  client.signal.addEventListener("abort", leave, { once: true });
  observer.started?.(() => {
    reason = "stopped";
    abort.abort();
  });
  const cancelTimeout = parts.later(parts.headersTimeoutMs, () => {
    reason = "upstream_timeout";
    abort.abort();
  });
  let answer: Response;
  try {
    abort.signal.throwIfAborted();
    answer = await parts.fetch(upstream.url, {
      method: upstream.method,
      headers: pairsOf(upstream.headers),
      redirect: "manual",
      signal: abort.signal,
      ...requestBody(upstream.body, body),
    });
  } catch (error) {
    client.signal.removeEventListener("abort", leave);
    if (error instanceof RelayFailure) throw error;
    if (body.tooLarge) throw new RelayFailure("body_too_large", { cause: error });
    throw new RelayFailure(reason ?? "upstream_unreachable", { cause: error });
  } finally {
    cancelTimeout();
  }
  // `fetch` has unpacked the body already, so what speaks of the packed one must not go on.
  const packed = answer.headers.has("content-encoding");
  const received: string[] = [];
  answer.headers.forEach((value, name) => {
    if (!(packed && (name === "content-encoding" || name === "content-length"))) received.push(name, value);
  });
  const head = observer.head(answer.status, received);
  if (head === "declined") {
    client.signal.removeEventListener("abort", leave);
    await answer.body?.cancel();
    throw new RelayFailure("declined");
  }
  const ended = oneEnding(observer, () => client.signal.removeEventListener("abort", leave));
  const source = NULL_BODY_STATUSES.has(answer.status) ? null : answer.body;
  if (source === null && head !== "held") {
    await ended("complete");
    return new Response(null, { status: head.status, headers: pairsOf(head.headers) });
  }
  const stream = pipe(source ?? emptyStream(), observer, ended, abort, parts, () =>
    reason === "client_left" || reason === "stopped" ? reason : "upstream_cut",
  );
  if (head === "held") return heldResponse(stream, observer);
  return new Response(stream, { status: head.status, headers: pairsOf(head.headers) });
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

/** Waits for the first bytes, in front of which the observer knows its head. */
async function heldResponse(stream: ReadableStream<Uint8Array>, observer: RelayObserver): Promise<Response> {
  const reader = stream.getReader();
  const first = await reader.read().catch((error: unknown) => ({ error }));
  const head = observer.heldHead?.();
  const rest = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if ("error" in first) controller.error(first.error);
        else if (first.done) controller.close();
        else controller.enqueue(first.value);
      },
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(rest, head === undefined ? {} : { status: head.status, headers: pairsOf(head.headers) });
}

type End = (outcome: RelayOutcome) => Promise<ClientEnding>;

function oneEnding(observer: RelayObserver, cleanUp: () => void): End {
  let ending: Promise<ClientEnding> | undefined;
  return (outcome) => {
    if (ending === undefined) {
      cleanUp();
      ending = Promise.resolve(observer.end(outcome));
    }
    return ending;
  };
}

function pipe(
  source: ReadableStream<Uint8Array>,
  observer: RelayObserver,
  ended: End,
  abort: AbortController,
  parts: FetchExchangeParts,
  brokenBy: () => "client_left" | "stopped" | "upstream_cut",
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let cancelSilence: (() => void) | undefined;

  function watchSilence(controller: ReadableStreamDefaultController<Uint8Array>): void {
    cancelSilence = parts.later(parts.keepAliveAfterMs, () => {
      const bridge = observer.silence();
      if (bridge !== undefined) controller.enqueue(bridge);
      watchSilence(controller);
    });
  }

  async function finish(controller: ReadableStreamDefaultController<Uint8Array>, outcome: RelayOutcome): Promise<void> {
    const { lastBytes, how } = await ended(outcome);
    if (outcome === "client_left") {
      controller.error(new RelayFailure("client_left"));
      return;
    }
    if (lastBytes !== undefined && lastBytes.length > 0) controller.enqueue(lastBytes);
    if (how === "end") controller.close();
    else controller.error(new RelayFailure("upstream_cut"));
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        watchSilence(controller);
        try {
          for (;;) {
            const { done, value } = await reader.read();
            if (done) {
              await finish(controller, "complete");
              return;
            }
            const changed = observer.chunk(value);
            const bytes = changed ?? value;
            if (bytes.length === 0) continue;
            controller.enqueue(bytes);
            return;
          }
        } catch {
          await finish(controller, brokenBy());
        } finally {
          cancelSilence?.();
        }
      },
      async cancel() {
        cancelSilence?.();
        abort.abort();
        await ended("client_left");
      },
    },
    { highWaterMark: 0 },
  );
}

function requestBody(body: UpstreamRequest["body"], own: FetchBody): RequestInit {
  if (body === "none") return {};
  if (body !== "client") return { body: new Uint8Array(body) };
  const stream = own.stream();
  // Half duplex is the only kind that fetch knows, and has to be said.
  return stream instanceof Uint8Array
    ? { body: new Uint8Array(stream) }
    : ({ body: stream, duplex: "half" } as RequestInit);
}

function pairsOf(headers: HeaderPairs): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < headers.length; index += 2) pairs.push([headers[index] ?? "", headers[index + 1] ?? ""]);
  return pairs;
}
