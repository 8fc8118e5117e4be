import type { IncomingMessage, ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import type { Clock, Log } from "../ports.ts";
import { type Exchange, type HeaderPairs, type RelayObserver, type UpstreamRequest } from "../proxy/exchange.ts";
import { NodeBody, type UpstreamBody } from "./nodeBody.ts";
import { NodeRelay, type RelayHouse } from "./nodeRelay.ts";
import { SilenceWatch } from "./silenceWatch.ts";
import type { TurnFlush } from "./turnFlush.ts";

/** What all exchanges of a process share. */
export interface NodeExchangeSettings {
  readonly dispatcher: Dispatcher;
  /** A larger body is not read to its end; its request fails with `body_too_large`. */
  readonly maximumBodyBytes: number;
  /** Milliseconds after which an observer is asked to bridge the upstream's silence; 0 never asks. */
  readonly keepAliveAfterMs: number;
  /** What clients see of a turn of the event loop leaves through this. */
  readonly turns: TurnFlush;
  readonly clock: Clock;
  /** Is told of answers that Node refuses to send. */
  readonly log?: Log;
}

/** Makes the exchange of one request. `expectsContinue`: the client waits for `100 Continue` before it sends its body. */
export type NodeExchanges = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  expectsContinue?: boolean,
) => Exchange;

/** The making of `Exchange` on Node: one per process, since its requests share their flushes and their keep-alive timer. */
export function createNodeExchanges(settings: NodeExchangeSettings): NodeExchanges {
  const house: RelayHouse = {
    dispatcher: settings.dispatcher,
    turns: settings.turns,
    watch: new SilenceWatch(settings.keepAliveAfterMs, settings.clock),
    log: settings.log,
  };
  return (incoming, outgoing, expectsContinue = false) =>
    new NodeExchange(house, incoming, outgoing, settings.maximumBodyBytes, expectsContinue);
}

class NodeExchange implements Exchange {
  readonly body: NodeBody;
  readonly #house: RelayHouse;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;

  constructor(
    house: RelayHouse,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    maximumBodyBytes: number,
    expectsContinue: boolean,
  ) {
    this.#house = house;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.body = new NodeBody(incoming, maximumBodyBytes, expectsContinue ? invitation(outgoing) : undefined);
  }

  get method(): string {
    return this.#incoming.method ?? "GET";
  }

  get target(): string {
    return this.#incoming.url ?? "/";
  }

  get headers(): HeaderPairs {
    return this.#incoming.rawHeaders;
  }

  get remoteAddress(): string | undefined {
    return this.#incoming.socket.remoteAddress;
  }

  header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return typeof value === "object" ? value.join(", ") : value;
  }

  async relay(request: UpstreamRequest, observer: RelayObserver): Promise<Response> {
    if (request.body === "client") await this.body.arrival();
    return new Promise((resolve, reject) => {
      const body = this.#upstreamBody(request.body);
      new NodeRelay(this.#house, this.#incoming, this.#outgoing, observer, resolve, reject).start(request, body);
    });
  }

  #upstreamBody(body: UpstreamRequest["body"]): UpstreamBody {
    if (body === "client") return this.body.forUpstream();
    if (body === "none" || body.length === 0) return { bytes: null, contentLength: undefined };
    return { bytes: Buffer.from(body.buffer, body.byteOffset, body.byteLength), contentLength: undefined };
  }
}

/** Sends `100 Continue` when called. */
function invitation(outgoing: ServerResponse): () => void {
  // RFC 9110 section 10.1.1: a client that was not invited may or may not send its body after our final answer. What comes next on
  // the connection is then ambiguous, so it is only kept open where the body was invited.
  const reusable = outgoing.shouldKeepAlive;
  outgoing.shouldKeepAlive = false;
  return () => {
    outgoing.shouldKeepAlive = reusable;
    outgoing.writeContinue();
  };
}
