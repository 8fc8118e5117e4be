import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from "node:net";
import type { Dispatcher } from "undici";
import { startListener, type Listener } from "../../src/node/listener.ts";
import { createNodeExchanges } from "../../src/node/nodeExchange.ts";
import { createUpstreamDispatcher } from "../../src/node/upstreamDispatcher.ts";
import { TurnFlush } from "../../src/node/turnFlush.ts";
import type { Log } from "../../src/ports.ts";
import { RelayFailure, type Exchange, type RelayObserver } from "../../src/proxy/exchange.ts";

/** Everything a test opened, closed after it in reverse order. */
export class Opened {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  async closeAll(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close();
  }
}

/** Rejects when the promise takes longer, so that a regression fails fast and says where. */
export async function within<Value>(promise: Promise<Value>, what: string, milliseconds = 3000): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the condition holds; looked at once per turn of the event loop. */
export function until(holds: () => boolean, what: string, milliseconds = 3000): Promise<void> {
  let given = false;
  const holding = new Promise<void>((resolve) => {
    const look = (): void => {
      if (given) return;
      if (holds()) resolve();
      else setTimeout(look, 1);
    };
    look();
  });
  return within(holding, what, milliseconds).finally(() => {
    given = true;
  });
}

export async function httpUpstream(
  opened: Opened,
  answer: (incoming: IncomingMessage, outgoing: ServerResponse) => unknown,
): Promise<{ url: string; server: Server }> {
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  await listen(opened, server);
  return { url: urlOf(server), server };
}

/** An upstream on bare TCP: `answer` gets the socket once the request's head has arrived. */
export async function tcpUpstream(opened: Opened, answer: (socket: Socket, head: string) => unknown): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => {});
    let received = "";
    const onData = (bytes: Buffer): void => {
      received += bytes.toString("latin1");
      if (!received.includes("\r\n\r\n")) return;
      socket.off("data", onData);
      socket.resume();
      void answer(socket, received);
    };
    socket.on("data", onData);
  });
  await listen(opened, server);
  return urlOf(server);
}

async function listen(opened: Opened, server: Server | TcpServer): Promise<void> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.add(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

export function portOf(server: TcpServer): number {
  return (server.address() as AddressInfo).port;
}

function urlOf(server: TcpServer): string {
  return `http://127.0.0.1:${portOf(server)}`;
}

export interface RelayOptions {
  readonly maximumBodyBytes?: number;
  readonly keepAliveAfterMs?: number;
  readonly dispatcher?: Dispatcher;
  readonly beforeFlush?: () => void;
  readonly log?: Log;
  /** Runs before the relay, for instance to read the body. */
  readonly before?: (exchange: Exchange) => Promise<void>;
  readonly observer?: Partial<RelayObserver>;
}

export interface RelayRig {
  readonly listener: Listener;
  readonly url: string;
  readonly port: number;
  /** What `observer.end` was told, and the reasons of relays that failed before the head. */
  readonly outcomes: string[];
  readonly failures: RelayFailure[];
}

const NOT_FORWARDED = /^(host|content-length|connection|keep-alive|transfer-encoding|expect|te|trailer|upgrade)$/i;

/** A listener that relays everything to the upstream, through as little as possible of what is not under test. */
export async function startRelay(opened: Opened, upstream: string, options: RelayOptions = {}): Promise<RelayRig> {
  const dispatcher = options.dispatcher ?? createUpstreamDispatcher();
  opened.add(() => dispatcher.destroy());
  const outcomes: string[] = [];
  const failures: RelayFailure[] = [];
  const observer: RelayObserver = {
    head: (status, headers) => ({
      status,
      headers: pairs(headers, /^(connection|keep-alive|transfer-encoding|trailer)$/i),
    }),
    chunk: () => undefined,
    end: (outcome) => ({ lastBytes: undefined, how: outcome === "complete" ? "end" : "destroy" }),
    silence: () => undefined,
    ...options.observer,
  };
  const recording: RelayObserver = {
    ...observer,
    end: (outcome) => {
      outcomes.push(outcome);
      return observer.end(outcome);
    },
  };
  const listener = await startListener({
    host: "127.0.0.1",
    port: 0,
    exchanges: createNodeExchanges({
      dispatcher,
      maximumBodyBytes: options.maximumBodyBytes ?? 2 ** 30,
      keepAliveAfterMs: options.keepAliveAfterMs ?? 0,
      turns: new TurnFlush(options.beforeFlush ?? (() => {})),
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      ...(options.log === undefined ? {} : { log: options.log }),
    }),
    fetch: async (_request, { exchange }) => {
      try {
        await options.before?.(exchange);
        return await exchange.relay(
          {
            url: upstream + exchange.target,
            method: exchange.method,
            headers: pairs(exchange.headers, NOT_FORWARDED),
            body: "client",
          },
          recording,
        );
      } catch (error) {
        if (!(error instanceof RelayFailure)) throw error;
        failures.push(error);
        return new Response(error.reason, { status: 502 });
      }
    },
  });
  opened.add(() => listener.close());
  return { listener, url: `http://127.0.0.1:${listener.port}`, port: listener.port, outcomes, failures };
}

function pairs(headers: readonly string[], without: RegExp): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    if (!without.test(headers[index]!)) kept.push(headers[index]!, headers[index + 1]!);
  }
  return kept;
}

/** A client on bare TCP. */
export class RawClient {
  readonly socket: Socket;
  closed = false;
  reset = false;
  #received: Buffer[] = [];

  constructor(opened: Opened, port: number, options: { allowHalfOpen?: boolean } = {}) {
    this.socket = connect({ port, host: "127.0.0.1", ...options });
    this.socket.on("error", (error: NodeJS.ErrnoException) => {
      this.reset = error.code === "ECONNRESET";
    });
    this.socket.on("data", (bytes: Buffer) => this.#received.push(bytes));
    this.socket.on("close", () => {
      this.closed = true;
    });
    opened.add(() => this.socket.destroy());
  }

  get text(): string {
    return Buffer.concat(this.#received).toString("latin1");
  }

  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  receives(part: string, milliseconds?: number): Promise<void> {
    return until(
      () => this.text.includes(part),
      `receiving ${JSON.stringify(part)}, got ${JSON.stringify(this.text.slice(0, 400))}`,
      milliseconds,
    );
  }

  closes(milliseconds?: number): Promise<void> {
    return until(() => this.closed, "the close of the connection", milliseconds);
  }
}

export async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
