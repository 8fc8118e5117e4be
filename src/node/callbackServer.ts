import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ListenError, listenOn } from "./listenOn.ts";

/** What the browser is shown. */
export interface CallbackAnswer {
  readonly status: number;
  readonly title: string;
  readonly text: string;
}

/** How a callback is waited for. */
export interface CallbackServerParts {
  /** Ports in the order of their use. */
  readonly ports: readonly number[];
  /** Called for `GET` requests on any path. */
  readonly answer: (path: string, parameters: URLSearchParams) => Promise<CallbackAnswer>;
}

/** A port of the loopback interface that a browser is sent back to. */
export interface CallbackServer {
  readonly port: number;
  close(): Promise<void>;
}

type Answer = CallbackServerParts["answer"];

const HOST = "127.0.0.1";
const CANCEL_TIMEOUT_MS = 2_000;
const RETRY_FOR_MS = 2_000;
const RETRY_EVERY_MS = 200;

/**
 * Listens on the first port that can be had. Where another sign-in listens on the first one, it is asked to leave, which those of Codex
 * and opencode do. Rejects with a `ListenError` when all ports are taken.
 */
export async function startCallbackServer({ ports, answer }: CallbackServerParts): Promise<CallbackServer> {
  const { server, port } = await firstFree(ports, answer);
  // `localhost` is both, and browsers differ in which they try first. Where ::1 is not to be had, they go on to the other.
  const also = await listening("::1", port, answer).catch(() => undefined);
  return {
    port,
    async close() {
      await Promise.all([closed(server), also === undefined ? undefined : closed(also)]);
    },
  };
}

async function firstFree(
  ports: readonly number[],
  answer: Answer,
): Promise<{ readonly server: Server; readonly port: number }> {
  let taken: unknown;
  for (const [index, port] of ports.entries()) {
    try {
      return { port, server: await listening(HOST, port, answer) };
    } catch (error) {
      if (!(error instanceof ListenError) || error.problem !== "port_taken") throw error;
      taken = error;
    }
    const server = index === 0 ? await listeningAfterCancel(port, answer) : undefined;
    if (server !== undefined) return { port, server };
  }
  throw taken;
}

async function listeningAfterCancel(port: number, answer: Answer): Promise<Server | undefined> {
  await askToLeave(port);
  const deadline = performance.now() + RETRY_FOR_MS;
  while (performance.now() < deadline) {
    try {
      return await listening(HOST, port, answer);
    } catch {
      await sleep(RETRY_EVERY_MS);
    }
  }
  return undefined;
}

/** A new server for each attempt: one that failed to listen keeps what was waiting for it. */
async function listening(host: string, port: number, answer: Answer): Promise<Server> {
  const server = createServer((incoming, outgoing) => void respond(incoming, outgoing, answer));
  await listenOn(server, host, port);
  return server;
}

function askToLeave(port: number): Promise<void> {
  return new Promise((resolve) => {
    const request = get({ host: HOST, port, path: "/cancel", agent: false, timeout: CANCEL_TIMEOUT_MS }, (response) => {
      response.resume().once("close", resolve);
    });
    request.once("timeout", () => request.destroy());
    request.once("error", () => resolve());
    // A program that trickles its answer does not keep us.
    setTimeout(() => request.destroy(), CANCEL_TIMEOUT_MS).unref();
    request.once("close", resolve);
  });
}

async function respond(incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): Promise<void> {
  outgoing.on("error", () => undefined);
  const target = `http://${HOST}${incoming.url ?? "/"}`;
  let shown: CallbackAnswer = { status: 404, title: "Not found", text: "There is nothing here." };
  if (incoming.method === "GET" && URL.canParse(target)) {
    const url = new URL(target);
    // Another program asks for it by itself; a page in a browser has no business to.
    const isOfPage = url.pathname === "/cancel" && incoming.headers["sec-fetch-site"] !== undefined;
    if (!isOfPage) shown = await answer(url.pathname, url.searchParams);
  }
  outgoing.writeHead(shown.status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    connection: "close",
  });
  outgoing.end(page(shown));
}

function page({ title, text }: CallbackAnswer): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(title)} - Patchbay</title>
<h1>${escaped(title)}</h1>
<p>${escaped(text)}</p>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Lets the page that is being shown go out first. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 1_000).unref();
  });
}
