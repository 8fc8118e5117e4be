import type { IncomingMessage, ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Dispatcher } from "undici";
import {
  RelayFailure,
  type ClientEnding,
  type HeaderPairs,
  type RelayObserver,
  type RelayOutcome,
  type UpstreamRequest,
} from "../proxy/exchange.ts";
import type { Log } from "../ports.ts";
import { ClientWriter, type WriterOwner } from "./clientWriter.ts";
import type { UpstreamBody } from "./nodeBody.ts";
import type { SilenceWatch, WatchedStream } from "./silenceWatch.ts";
import type { TurnFlush } from "./turnFlush.ts";
import { failureBeforeHead, outcomeAfterHead } from "./upstreamFailure.ts";

/** What all relays of a process share. */
export interface RelayHouse {
  readonly dispatcher: Dispatcher;
  readonly turns: TurnFlush;
  readonly watch: SilenceWatch;
  readonly log: Log | undefined;
}

/** `waiting` for the upstream's head, `streaming` its body, `over`: nothing more is taken from it. */
type Phase = "waiting" | "streaming" | "over";

/** One answer on its way from `undici` to the client's socket, without a stream or a promise per piece in between. */
export class NodeRelay implements Dispatcher.DispatchHandler, WriterOwner, WatchedStream {
  lastByteAt = 0;
  place = -1;
  readonly #house: RelayHouse;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #observer: RelayObserver;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (failure: RelayFailure) => void;
  readonly #writer: ClientWriter;
  #phase: Phase = "waiting";
  #isHeadHeld = false;
  #watchesSocket = false;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(
    house: RelayHouse,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    observer: RelayObserver,
    resolve: (response: Response) => void,
    reject: (failure: RelayFailure) => void,
  ) {
    this.#house = house;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#observer = observer;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#writer = new ClientWriter(outgoing, house.turns, this, house.log);
  }

  start(request: UpstreamRequest, body: UpstreamBody): void {
    if (this.#outgoing.destroyed || this.#incoming.socket.destroyed) {
      this.#leave();
      return;
    }
    this.#outgoing.on("close", this.#onClose).on("error", ignore);
    // A pipelined answer has no socket until its turn comes, and without one it never hears that the client left.
    if (this.#outgoing.socket === null) {
      this.#watchesSocket = true;
      this.#incoming.socket.on("close", this.#onClose);
    }

    this.#observer.started?.(this.#stop);
    if (this.#phase === "over") return;
    const pathStart = request.url.indexOf("/", request.url.indexOf("://") + 3);
    this.#house.dispatcher.dispatch(
      {
        origin: pathStart === -1 ? request.url : request.url.slice(0, pathStart),
        path: pathStart === -1 ? "/" : request.url.slice(pathStart),
        method: request.method,
        headers:
          body.contentLength === undefined
            ? (request.headers as string[])
            : [...request.headers, "content-length", String(body.contentLength)],
        body: body.bytes,
      },
      this,
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The client left while the request was waiting for its connection.
    if (this.#phase === "over") controller.abort(new RelayFailure("client_left"));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // RFC 9110 section 15.2: interim answers are the upstream's own affair.
    if (status < 200 || this.#phase !== "waiting") return;
    const head = this.#observer.head(status, headerPairs(controller.rawHeaders));
    if (head === "declined") {
      const failure = new RelayFailure("declined");
      this.#refuse(failure);
      controller.abort(failure);
      return;
    }
    this.#phase = "streaming";
    if (head === "held") this.#isHeadHeld = true;
    else this.#writer.head(head);
    this.lastByteAt = this.#house.watch.now();
    this.#house.watch.add(this);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#phase === "streaming") this.#write(this.#observer.chunk(chunk) ?? chunk);
  }

  onResponseEnd(): void {
    this.#finish("complete");
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#phase === "waiting") this.#refuse(failureBeforeHead(error, this.#controller !== undefined));
    else this.#finish(outcomeAfterHead(error));
  }

  flushed(): void {
    this.lastByteAt = this.#house.watch.now();
    // The route handler's epilogue runs after the first bytes have left and not before them. Later calls do nothing.
    this.#resolve(RESPONSE_ALREADY_SENT);
  }

  blocked(): void {
    this.#controller?.pause();
  }

  drained(): void {
    this.#controller?.resume();
  }

  bridgeSilence(): void {
    if (this.#writer.isBlocked || this.#phase !== "streaming") return;
    const bytes = this.#observer.silence();
    if (bytes !== undefined) this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#releaseHead();
    this.#writer.write(bytes);
  }

  #releaseHead(): void {
    if (!this.#isHeadHeld) return;
    this.#isHeadHeld = false;
    const head = this.#observer.heldHead?.();
    if (head !== undefined) this.#writer.head(head);
  }

  #finish(outcome: RelayOutcome): void {
    if (this.#phase !== "streaming") return;
    this.#close();
    const ending = this.#observer.end(outcome);
    if (ending instanceof Promise) ending.then(this.#end, this.#breakOff);
    else this.#end(ending);
  }

  readonly #end = (ending: ClientEnding): void => {
    this.#releaseHead();
    this.#writer.end(ending);
  };

  readonly #breakOff = (): void => this.#writer.end({ lastBytes: undefined, how: "destroy" });

  #refuse(failure: RelayFailure): void {
    this.#close();
    this.#reject(failure);
  }

  readonly #stop = (): void => {
    if (this.#phase === "over") return;
    const failure = new RelayFailure("stopped");
    if (this.#phase === "streaming") this.#finish("stopped");
    else this.#refuse(failure);
    this.#controller?.abort(failure);
  };

  #close(): void {
    this.#phase = "over";
    this.#house.watch.delete(this);
    if (this.#watchesSocket) this.#incoming.socket.off("close", this.#onClose);
  }

  readonly #onClose = (): void => {
    if (this.#phase !== "over") this.#leave();
  };

  #leave(): void {
    const begun = this.#phase === "streaming";
    const failure = new RelayFailure("client_left");
    this.#close();
    this.#controller?.abort(failure);
    if (begun) {
      void this.#observer.end("client_left");
      this.#writer.discard();
      this.#resolve(RESPONSE_ALREADY_SENT);
    } else this.#reject(failure);
  }
}

function headerPairs(rawHeaders: Dispatcher.DispatchController["rawHeaders"]): HeaderPairs {
  if (!Array.isArray(rawHeaders)) return [];
  // RFC 9110 section 5.5: field values are bytes; latin1 keeps each of them.
  return rawHeaders.map((line) => (typeof line === "string" ? line : line.toString("latin1")));
}

function ignore(): void {}
