import { existsSync, lstatSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";

import type { Log } from "../ports.ts";
import { ControlError, makeControlDirectory } from "./controlDirectory.ts";
import { guardingDirectory } from "./controlPath.ts";

/** What a route of the control API finds in Hono's `c.env`. */
export interface ControlBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** Where to listen, and who answers. */
export interface ControlServerOptions {
  /** Whoever starts the server must hold the lock of its data directory: what is found at this place is removed. */
  readonly path: string;
  /** The control API, with whatever routes were added to it. */
  readonly app: { fetch(request: Request, bindings: ControlBindings): Response | Promise<Response> };
  readonly log: Log;
  /** Milliseconds between two looks whether the socket is still in its place, default 30 seconds. */
  readonly placeLookMs?: number;
}

/** An open control socket. */
export interface ControlServer {
  /** Takes no new connection and gives the place free; open connections stay. */
  release(): void;
  /** Lets answers that are on their way arrive, and closes all connections. */
  close(): Promise<void>;
}

/** Sessions that end take `$XDG_RUNTIME_DIR` with them, and cleaners empty temporary folders, while a process may live on. */
const PLACE_LOOK_MS = 30_000;
const CLOSING_GRACE_MS = 1_000;

/** Opens the control socket. Rejects with a `ControlError`. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { path, app, log } = options;
  let released = false;
  const listen = getRequestListener((request, bindings) => app.fetch(request, bindings as ControlBindings), {
    overrideGlobalObjects: false,
  });
  const server = createServer((incoming, outgoing) => {
    outgoing.on("error", () => undefined);
    if (released) outgoing.shouldKeepAlive = false;
    void listen(incoming, outgoing);
  });
  // Streams of events and drains may last.
  server.requestTimeout = 0;

  async function open(): Promise<void> {
    const directory = guardingDirectory(path);
    if (directory !== undefined) {
      makeControlDirectory(directory);
      removeStale(path);
    }
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error): void =>
        reject(
          new ControlError(`The control socket ${path} cannot be opened (${error.message}): set XDG_RUNTIME_DIR.`, {
            cause: error,
          }),
        );
      server.once("error", failed);
      server.listen(path, () => {
        server.off("error", failed);
        resolve();
      });
    });
  }

  await open();
  server.on("error", (error) => log.warn("The control socket failed.", { cause: error.message }));
  const look = setInterval(() => {
    if (released || !isGone(path)) return;
    // The old place is closed first: closing it later would remove the new one.
    server.close();
    open().then(
      () => log.info("The control socket had been removed, and was put back."),
      (error: Error) => log.warn("The control socket was removed and cannot be put back.", { cause: error.message }),
    );
  }, options.placeLookMs ?? PLACE_LOOK_MS).unref();

  function release(): void {
    if (released) return;
    released = true;
    clearInterval(look);
    server.close();
  }

  return {
    release,
    close() {
      release();
      return new Promise((resolve) => {
        const finished = (): void => {
          clearTimeout(grace);
          resolve();
        };
        const grace = setTimeout(() => server.closeAllConnections(), CLOSING_GRACE_MS);
        server.getConnections((_error, count) => {
          if (count === 0) finished();
          else server.once("close", finished);
          server.closeIdleConnections();
        });
      });
    },
  };
}

function isGone(path: string): boolean {
  return guardingDirectory(path) !== undefined && !existsSync(path);
}

function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new ControlError(`${path} is in the way of the control socket: remove it.`);
  rmSync(path, { force: true });
}
