import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Exchange } from "../proxy/exchange.ts";
import { answerBrokenRequest, answerForeignTarget, refusalResponse } from "./brokenRequest.ts";
import { listenOn } from "./listenOn.ts";
import type { NodeExchanges } from "./nodeExchange.ts";

/** What a route finds in Hono's `c.env`. */
export interface ListenerBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly exchange: Exchange;
}

/** Where to listen, and who answers. */
export interface ListenerSettings {
  /** Usually `app.fetch`. */
  readonly fetch: (request: Request, bindings: ListenerBindings) => Response | Promise<Response>;
  readonly exchanges: NodeExchanges;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Milliseconds within which a request's head must arrive, default 60 seconds. Bodies and answers may take as long as they like. */
  readonly headTimeoutMs?: number;
}

/** An open port. */
export interface Listener {
  readonly host: string;
  /** The real one, where 0 was asked for. */
  readonly port: number;
  /** Takes no new connection, lets running answers finish, and closes what is left after `graceMs` milliseconds. */
  drain(graceMs: number): Promise<void>;
  /** Closes everything now. */
  close(): Promise<void>;
}

const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const HEAD_TIMEOUT_MS = 60_000;
/** A connection on which nothing moves at all is given up after two hours; the upstream's own limit of silence is shorter. */
const DEAD_CONNECTION_MS = 7_200_000;
const MAXIMUM_HEAD_BYTES = 65_536;
const DRAIN_LOOK_MS = 50;

/** Opens the port. Rejects with a `ListenError` whose message says what to do. */
export async function startListener(settings: ListenerSettings): Promise<Listener> {
  const headTimeoutMs = settings.headTimeoutMs ?? HEAD_TIMEOUT_MS;
  const server = createServer({
    keepAlive: true,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    headersTimeout: headTimeoutMs,
    // Node would count a slow upload as a slow request.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5000, headTimeoutMs / 2),
    maxHeaderSize: MAXIMUM_HEAD_BYTES,
    // Node would answer without a body; the request listener refuses a missing host in the OpenAI shape.
    requireHostHeader: false,
  });
  server.timeout = DEAD_CONNECTION_MS;
  // Node would drop the lines above its default of 2000 silently; the head's size limits them already.
  server.maxHeadersCount = 0;

  const state = { draining: false };
  // Node does not count a connection as idle before its first request.
  const unused = new Set<Socket>();
  server.on("connection", (socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  const answer = (expectsContinue: boolean) => {
    const listen = getRequestListener(
      (request, bindings) => {
        const { incoming, outgoing } = bindings as { incoming: IncomingMessage; outgoing: ServerResponse };
        return settings.fetch(request, {
          incoming,
          outgoing,
          exchange: settings.exchanges(incoming, outgoing, expectsContinue),
        });
      },
      { overrideGlobalObjects: false, errorHandler: refusalResponse },
    );
    return (incoming: IncomingMessage, outgoing: ServerResponse): void => {
      unused.delete(incoming.socket);
      outgoing.on("error", ignore);
      if (state.draining) outgoing.shouldKeepAlive = false;
      // RFC 9112 section 3.2.2 lets the target's host overrule the Host header; nobody who means us writes one, and refusing it leaves
      // the check of the Host header a single place.
      if (incoming.url?.startsWith("/") === true) void listen(incoming, outgoing);
      else answerForeignTarget(outgoing);
    };
  };
  server.on("request", answer(false));
  server.on("checkContinue", answer(true));
  // Other expectations may be disregarded (RFC 9110 section 10.1.1); Node would answer 417 without a body.
  server.on("checkExpectation", answer(false));
  server.on("clientError", answerBrokenRequest);
  server.on("connect", (_request, socket) => answerBrokenRequest(new Error("CONNECT"), socket));

  const { host, port } = await listenOn(server, settings.host, settings.port);
  server.on("error", ignore);
  return {
    host,
    port,
    drain: (graceMs) => {
      state.draining = true;
      for (const socket of unused) socket.destroy();
      return drainServer(server, graceMs);
    },
    close: () => drainServer(server, 0),
  };
}

function drainServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    // Connections that become idle after `server.close` stay open until their keep-alive timeout, so they are looked for.
    const idle = setInterval(() => server.closeIdleConnections(), DRAIN_LOOK_MS);
    const grace = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(grace);
      resolve();
    });
    if (graceMs <= 0) server.closeAllConnections();
  });
}

function ignore(): void {}
