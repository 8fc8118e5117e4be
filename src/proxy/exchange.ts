/**
 * One request of a client, seen without its platform. There are two makings: on Node the bytes are piped from `undici` to
 * the client's socket, elsewhere through `fetch` and streams. Both keep the same promises, and the same tests run against both.
 */
export interface Exchange {
  readonly method: string;
  /** Path and query exactly as the client sent them. */
  readonly target: string;
  /** One header by its lower-case name. */
  header(name: string): string | undefined;
  /** All headers as received: name, value, name, value, repeats included. */
  readonly headers: HeaderPairs;
  /** The client's address without its port; undefined where the platform does not tell. */
  readonly remoteAddress: string | undefined;
  readonly body: RequestBody;
  /**
   * Sends a request upstream and its answer to the client, with back-pressure both ways. Redirects are not followed, interim (1xx)
   * answers are swallowed, trailers are dropped.
   *
   * Resolves with the response that the route handler must return. Rejects with a `RelayFailure` when nothing has been sent to the
   * client yet; once the head is out, a failure goes to `observer.end` instead.
   */
  relay(request: UpstreamRequest, observer: RelayObserver): Promise<Response>;
}

/** Header lines in order: name, value, name, value. */
export type HeaderPairs = readonly string[];

/** The client's body, of which nothing is read before it is asked for. */
export interface RequestBody {
  /** Whether there is one, as far as the head tells. One of unknown length may turn out to have no bytes. */
  readonly isThere: boolean;
  /**
   * Reads ahead until `look` returns true, the body ends, or `limitBytes` are read. What was read is kept and goes upstream first.
   * Throws a `RelayFailure` when the client leaves or the body passes the size limit.
   */
  peek(look: (chunk: Uint8Array) => boolean, limitBytes: number): Promise<void>;
  /** The whole body in one piece, what was peeked included. Throws like `peek`. */
  whole(): Promise<Uint8Array>;
}

/** What goes upstream. */
export interface UpstreamRequest {
  readonly url: string;
  readonly method: string;
  /** Without hop-by-hop headers, `host` and `content-length`: those are the relay's. */
  readonly headers: HeaderPairs;
  /** The client's own body, streamed through byte for byte; or these bytes instead; or none. */
  readonly body: "client" | "none" | Uint8Array;
}

/** Reads along while an answer passes, and decides the little that is changed in it. Must not throw. */
export interface RelayObserver {
  /** The request is on its way; `stop` breaks it off with the outcome `stopped`, and does nothing once it is over. */
  started?(stop: () => void): void;
  /**
   * The upstream's final head. Returns the one that the client gets; or `held`, to send none before the first bytes do (`heldHead`);
   * or `declined`, upon which the client gets nothing, `relay` rejects with that reason, and the request may be sent again.
   */
  head(status: number, headers: HeaderPairs): ClientHead | "held" | "declined";
  /** The head that was held: asked for once, in front of the first bytes or of the end. */
  heldHead?(): ClientHead;
  /** A piece of the body. Returns what the client gets instead; undefined passes the piece on as it is. */
  chunk(bytes: Uint8Array): Uint8Array | undefined;
  /**
   * The answer is over; called exactly once after `head`. Returns how the client's answer ends.
   * After `client_left` what it returns is of no interest. A promise (only where a compressed answer has yet to be unpacked) is waited for
   * before the client's answer ends.
   */
  end(outcome: RelayOutcome): ClientEnding | Promise<ClientEnding>;
  /** The upstream has been silent for the keep-alive interval. Returns bytes that bridge the silence, where the place allows them. */
  silence(): Uint8Array | undefined;
}

/** The status line and headers that the client gets. */
export interface ClientHead {
  readonly status: number;
  /** Without hop-by-hop headers. `content-length` only where the body passes unchanged. */
  readonly headers: HeaderPairs;
}

/** How an answer ended whose head had been sent. */
export type RelayOutcome = "complete" | "client_left" | "upstream_cut" | "upstream_timeout" | "stopped";

/** `destroy` breaks the connection, so that nobody takes a truncated answer for a finished one. */
export interface ClientEnding {
  readonly lastBytes: Uint8Array | undefined;
  readonly how: "end" | "destroy";
}

/** Why nothing could be sent to the client. */
export type RelayFailureReason =
  | "client_left"
  | "body_too_large"
  | "upstream_unreachable"
  | "upstream_timeout"
  | "upstream_cut"
  /** Somebody stopped it. */
  | "stopped"
  /** The observer did not want this answer. */
  | "declined";

/** A relay that failed before the client's head was sent. */
export class RelayFailure extends Error {
  readonly reason: RelayFailureReason;

  constructor(reason: RelayFailureReason, options?: ErrorOptions) {
    super(`relay failed: ${reason}`, options);
    this.name = "RelayFailure";
    this.reason = reason;
  }
}
