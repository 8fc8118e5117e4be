import type { OutgoingHttpHeader, ServerResponse } from "node:http";
import type { Log } from "../ports.ts";
import type { ClientEnding, ClientHead } from "../proxy/exchange.ts";
import type { Flushable, TurnFlush } from "./turnFlush.ts";

/** Learns how the client keeps up. */
export interface WriterOwner {
  /** The first bytes, or the bytes of a later turn, were handed to the socket. */
  flushed(): void;
  /** The client reads more slowly than we write: stop until `drained`. */
  blocked(): void;
  drained(): void;
}

/** Up to here the pieces of a turn are copied into one write, above it they are written one by one under a cork. */
const MERGE_LIMIT_BYTES = 65_536;

const NOTHING = Buffer.alloc(0);

/** One client's answer. Collects what a turn of the event loop brings and hands it to the socket in one piece at its end. */
export class ClientWriter implements Flushable {
  readonly #outgoing: ServerResponse;
  readonly #turns: TurnFlush;
  readonly #owner: WriterOwner;
  readonly #log: Log | undefined;
  #head: ClientHead | undefined;
  #framed = true;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ending: ClientEnding | undefined;
  #requested = false;
  #blocked = false;

  constructor(outgoing: ServerResponse, turns: TurnFlush, owner: WriterOwner, log: Log | undefined) {
    this.#outgoing = outgoing;
    this.#turns = turns;
    this.#owner = owner;
    this.#log = log;
  }

  get isBlocked(): boolean {
    return this.#blocked;
  }

  head(head: ClientHead): void {
    this.#head = head;
    this.#request();
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    this.#request();
  }

  end(ending: ClientEnding): void {
    if (ending.lastBytes !== undefined) this.write(ending.lastBytes);
    this.#ending = ending;
    this.#request();
  }

  /** Forgets what has not been sent and closes the connection. */
  discard(): void {
    this.#head = undefined;
    this.#chunks = [];
    this.#ending = undefined;
    this.#outgoing.destroy();
  }

  flush(): void {
    this.#requested = false;
    const outgoing = this.#outgoing;
    if (!outgoing.destroyed) {
      try {
        this.#send(outgoing);
      } catch (error) {
        // A head that Node refuses (ERR_INVALID_CHAR, ERR_HTTP_INVALID_STATUS_CODE): the close of the connection tells the relay.
        this.#log?.warn("An answer cannot be sent to the client: the connection was closed", {
          cause: error instanceof Error ? error.message : String(error),
        });
        outgoing.destroy();
      }
    }
    this.#owner.flushed();
  }

  #request(): void {
    if (this.#requested) return;
    this.#requested = true;
    this.#turns.request(this);
  }

  #send(outgoing: ServerResponse): void {
    const head = this.#head;
    if (head !== undefined) {
      this.#head = undefined;
      outgoing.writeHead(head.status, head.headers as unknown as OutgoingHttpHeader[]);
      this.#framed = outgoing.chunkedEncoding || hasContentLength(head);
    }
    const last = this.#lastPiece(outgoing);
    const ending = this.#ending;
    if (ending === undefined) {
      if (last === undefined) {
        if (head !== undefined) outgoing.flushHeaders();
      } else if (!outgoing.write(last)) this.#block(outgoing);
      return;
    }
    this.#ending = undefined;
    switch (ending.how) {
      case "end":
        outgoing.end(last);
        return;
      case "destroy":
        outgoing.write(last ?? NOTHING, () => breakOff(outgoing, this.#framed));
        return;
    }
  }

  /** Writes all that was collected but for the last piece, which the caller writes or ends with. */
  #lastPiece(outgoing: ServerResponse): Uint8Array | undefined {
    const chunks = this.#chunks;
    if (chunks.length === 0) return undefined;
    const bytes = this.#bytes;
    this.#chunks = [];
    this.#bytes = 0;
    if (chunks.length === 1) return chunks[0];
    if (bytes <= MERGE_LIMIT_BYTES) return Buffer.concat(chunks, bytes);
    const last = chunks.pop();
    for (const chunk of chunks) outgoing.write(chunk);
    return last;
  }

  #block(outgoing: ServerResponse): void {
    if (this.#blocked) return;
    this.#blocked = true;
    outgoing.once("drain", () => {
      this.#blocked = false;
      this.#owner.drained();
    });
    this.#owner.blocked();
  }
}

/**
 * Closes the connection without the end of the message. Where the message has a frame of its own (chunks, content-length) its absence
 * shows the cut, RFC 9112 section 8. Where the close itself is the end (HTTP/1.0), only a reset shows it.
 */
function breakOff(outgoing: ServerResponse, framed: boolean): void {
  if (framed) outgoing.destroy();
  else outgoing.socket?.resetAndDestroy();
}

function hasContentLength(head: ClientHead): boolean {
  return head.headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === "content-length");
}
