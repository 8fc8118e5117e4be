import type { AnswerMeter } from "./answerReading.ts";
import { changeBody } from "./bodyChange.ts";
import { bookkeeping } from "./books.ts";
import type { Call } from "./call.ts";
import type { Destination } from "./destination.ts";
import { type HeaderPairs, RelayFailure, type RelayObserver } from "./exchange.ts";
import { upstreamHeaders } from "./headerPolicy.ts";
import { checkTarget } from "./localKey.ts";
import type { ProxyParts } from "./proxyParts.ts";
import { upstreamUrl } from "./upstream.ts";

/** What goes along with a request that is otherwise passed on as it came. */
export interface Companion {
  /** Headers of ours: name, value, name, value. */
  readonly headers?: HeaderPairs;
  /** Is shown the headers of the answer; returns what they are taken for. */
  readonly onHead?: (status: number, headers: HeaderPairs) => HeaderPairs;
  /** Reads the answer where it is a stream of events, in place of the meter of its dialect. */
  readonly streamMeter?: AnswerMeter;
}

/** Relays one request, metered where its endpoint carries usage. Throws an `ApiError` when nothing could be relayed. */
export async function forward(
  parts: ProxyParts,
  call: Call,
  destination: Destination,
  companion: Companion = {},
): Promise<Response> {
  const { exchange } = call;
  const { upstream, credential, target, kind, key, facts } = destination;
  const settings = parts.settings();
  checkTarget(target, parts.keyRing);
  const books = bookkeeping(parts, call, destination);
  try {
    const defaultModel = credential.kind === "key" ? settings.defaultModel : undefined;
    const request = { facts, upstream, key, defaultModel };
    const change = await changeBody(exchange, kind, request, parts.decodeBody);
    const headers = upstreamHeaders(exchange.headers, credential, {
      dropEncoding: change !== undefined,
      plainAnswer: change?.hidesUsage === true,
    });
    if (companion.headers !== undefined) headers.push(...companion.headers);
    const observer = books.observer({
      hidesUsage: change?.hidesUsage === true,
      streamMeter: companion.streamMeter,
    });
    call.relayed = true;
    return await exchange.relay(
      {
        url: upstreamUrl(upstream, target),
        method: exchange.method,
        headers,
        body: change?.body ?? (exchange.body.isThere ? "client" : "none"),
      },
      companion.onHead === undefined ? observer : watched(observer, companion.onHead),
    );
  } catch (error) {
    if (!(error instanceof RelayFailure)) throw error;
    throw books.failed(error, settings);
  }
}

function watched(observer: RelayObserver, onHead: NonNullable<Companion["onHead"]>): RelayObserver {
  return { ...observer, head: (status, headers) => observer.head(status, onHead(status, headers)) };
}
