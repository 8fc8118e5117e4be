import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { RelayFailure, type RelayFailureReason, type RequestBody } from "../proxy/exchange.ts";

/** Who gets the next bytes of the body. */
interface Consumer {
  chunk(bytes: Buffer): void;
  complete(): void;
  failed(failure: RelayFailure): void;
}

/** The body as the upstream gets it. A missing `contentLength` with a stream means that its length is not known in advance. */
export interface UpstreamBody {
  readonly bytes: Buffer | Readable | null;
  readonly contentLength: number | undefined;
}

/** The client's body on its way through: what was read ahead is kept and goes first, the rest flows at the reader's pace. */
export class NodeBody implements RequestBody {
  readonly #incoming: IncomingMessage;
  readonly #maximumBytes: number;
  /** From content-length; undefined where the client sends chunks. */
  readonly #declaredBytes: number | undefined;
  #invite: (() => void) | undefined;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #receivedBytes = 0;
  #complete: boolean;
  #handedOn = false;
  #attached = false;
  #failure: RelayFailure | undefined;
  #consumer: Consumer | undefined;

  /** @param invite sends `100 Continue`; called once, when the body is first wanted. */
  constructor(incoming: IncomingMessage, maximumBytes: number, invite: (() => void) | undefined) {
    this.#incoming = incoming;
    this.#maximumBytes = maximumBytes;
    this.#invite = invite;
    const declared = incoming.headers["content-length"];
    const chunked = incoming.headers["transfer-encoding"] !== undefined;
    // RFC 9112 section 6.3: transfer-encoding overrides content-length, and with neither there is no body.
    this.#declaredBytes = chunked ? undefined : declared === undefined ? 0 : Number(declared);
    this.#complete = this.#declaredBytes === 0;
  }

  get isThere(): boolean {
    return this.#declaredBytes !== 0;
  }

  peek(look: (chunk: Uint8Array) => boolean, limitBytes: number): Promise<void> {
    for (const chunk of this.#kept) if (look(chunk)) return Promise.resolve();
    if (this.#keptBytes >= limitBytes) return Promise.resolve();
    return this.#readUntil((chunk) => look(chunk) || this.#keptBytes >= limitBytes);
  }

  whole(): Promise<Uint8Array> {
    return this.#readUntil(() => false).then(() => this.#joined());
  }

  /**
   * Waits until what came in the same packet as the head has been parsed. Node announces a request before it parses the body behind
   * the head; one tick later a small body is there and can be handled in one piece.
   */
  arrival(): Promise<void> {
    if (this.#complete || this.#attached) return Promise.resolve();
    return new Promise((resolve) => process.nextTick(resolve));
  }

  /** What the upstream gets of the client's body. Can be streamed once; a body that was read wholly can be had again. */
  forUpstream(): UpstreamBody {
    this.#stillHere();
    this.#readBuffered();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#complete) {
      const bytes = this.#joined();
      return { bytes: bytes.length === 0 ? null : bytes, contentLength: undefined };
    }
    this.#handedOn = true;
    return { bytes: this.#stream(), contentLength: this.#declaredBytes };
  }

  #stillHere(): void {
    if (this.#handedOn) throw new Error("The client's body has already been streamed to an upstream.");
  }

  #joined(): Buffer {
    if (this.#kept.length !== 1) this.#kept = [Buffer.concat(this.#kept, this.#keptBytes)];
    return this.#kept[0] as Buffer;
  }

  async #readUntil(enough: (chunk: Buffer) => boolean): Promise<void> {
    this.#stillHere();
    const already = this.#kept.length;
    await this.arrival();
    this.#readBuffered();
    if (this.#failure !== undefined) throw this.#failure;
    for (const chunk of this.#kept.slice(already)) if (enough(chunk)) return;
    if (this.#complete) return;
    await new Promise<void>((resolve, reject) => {
      this.#consume({
        chunk: (bytes) => {
          this.#keep(bytes);
          if (enough(bytes)) {
            this.#release();
            resolve();
          }
        },
        complete: resolve,
        failed: reject,
      });
    });
  }

  /** Takes what has already arrived, without a listener and without waiting: most bodies come in the same packet as their head. */
  #readBuffered(): void {
    if (this.#complete || this.#failure !== undefined) return;
    if (this.#declaredBytes !== undefined && this.#declaredBytes > this.#maximumBytes) {
      this.#fail("body_too_large");
      return;
    }
    if (this.#incoming.destroyed && !this.#incoming.complete) {
      this.#fail("client_left");
      return;
    }
    this.#invite?.();
    this.#invite = undefined;
    if (this.#attached) return;
    const bytes: Buffer | null = this.#incoming.read();
    if (bytes !== null && this.#count(bytes)) this.#keep(bytes);
    const ended = this.#incoming.complete && this.#incoming.readableLength === 0;
    if (ended || this.#receivedBytes === this.#declaredBytes) this.#completed();
  }

  #keep(bytes: Buffer): void {
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
  }

  /** False when the bytes are too many. */
  #count(bytes: Buffer): boolean {
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > this.#maximumBytes) {
      this.#fail("body_too_large");
      return false;
    }
    return true;
  }

  #consume(consumer: Consumer): void {
    this.#consumer = consumer;
    if (!this.#attached) {
      this.#attached = true;
      this.#incoming
        .on("data", this.#onData)
        .on("end", this.#completed)
        .on("error", this.#onGone)
        .on("close", this.#onGone);
    }
    this.#incoming.resume();
  }

  /** Reads nothing more until the next consumer comes. */
  #release(): void {
    this.#consumer = undefined;
    if (!this.#complete) this.#incoming.pause();
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#failure !== undefined || !this.#count(bytes)) return;
    if (this.#consumer === undefined) this.#keep(bytes);
    else this.#consumer.chunk(bytes);
    // With a known length the last byte is the end: no need to wait for the stream to say so in a later tick.
    if (this.#receivedBytes === this.#declaredBytes) this.#completed();
  };

  readonly #completed = (): void => {
    if (this.#complete || this.#failure !== undefined) return;
    this.#complete = true;
    // Lets the stream reach its own end, without which the connection is not reused.
    this.#incoming.resume();
    const consumer = this.#consumer;
    this.#consumer = undefined;
    consumer?.complete();
  };

  readonly #onGone = (): void => {
    if (!this.#complete) this.#fail("client_left");
  };

  #fail(reason: RelayFailureReason): void {
    if (this.#failure !== undefined) return;
    this.#failure = new RelayFailure(reason);
    this.#incoming.pause();
    const consumer = this.#consumer;
    this.#consumer = undefined;
    consumer?.failed(this.#failure);
  }

  #stream(): Readable {
    const first = this.#kept;
    this.#kept = [];
    let started = false;
    const stream: Readable = new Readable({
      read: () => {
        if (started) {
          this.#incoming.resume();
          return;
        }
        started = true;
        for (const chunk of first) stream.push(chunk);
        this.#consume({
          chunk: (bytes) => {
            if (!stream.push(bytes)) this.#incoming.pause();
          },
          complete: () => stream.push(null),
          failed: (failure) => stream.destroy(failure),
        });
      },
      destroy: (error, done) => {
        this.#release();
        done(error);
      },
    });
    // Undici listens while the request is running; an error that comes before or after must not become an uncaught exception.
    return stream.on("error", ignore);
  }
}

function ignore(): void {}
