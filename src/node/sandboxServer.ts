import { setTimeout as delay } from "node:timers/promises";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import type { Server } from "node:http";
import type { Clock } from "../ports.ts";
import { createSandbox } from "../sandbox/sandbox.ts";
import { decodeBody } from "./contentDecoders.ts";
import { listenOn } from "./listenOn.ts";
import { leaveUntyped } from "./untypedAnswer.ts";

/** The pretend upstreams on a loopback port of their own, so that requests to them take the same way as real ones. */
export interface SandboxServer {
  readonly openaiBaseUrl: string;
  readonly openrouterBaseUrl: string;
  /** Of the Codex backend; the plan's use is told at `../wham/usage`. */
  readonly codexBaseUrl: string;
  /** The issuer of the sign-in with ChatGPT. */
  readonly authBaseUrl: string;
  close(): Promise<void>;
}

/** Rejects with a `ListenError`. `tokenDelayMs`: milliseconds between two tokens of a stream. */
export async function startSandboxServer(clock: Clock, tokenDelayMs: number): Promise<SandboxServer> {
  const sandbox = createSandbox({
    clock,
    tokenDelayMs,
    wait: async (ms, signal) => {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    },
  });
  const server = createAdaptorServer({
    fetch: async (request, bindings) =>
      breakingOff(await sandbox.fetch(await unpacked(request)), (bindings as HttpBindings).outgoing),
    overrideGlobalObjects: false,
  }) as Server;
  const { port } = await listenOn(server, "127.0.0.1", 0);
  const origin = `http://127.0.0.1:${port}`;
  return {
    openaiBaseUrl: `${origin}/openai/v1`,
    openrouterBaseUrl: `${origin}/openrouter/api/v1`,
    codexBaseUrl: `${origin}/codex/backend-api/codex`,
    authBaseUrl: `${origin}/auth`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Codex packs its bodies (zstd) where it is signed in with ChatGPT, and the backend unpacks them; the portable sandbox cannot. */
async function unpacked(request: Request): Promise<Request> {
  const encoding = request.headers.get("content-encoding");
  if (encoding === null || encoding === "identity") return request;
  const body = await decodeBody(encoding, new Uint8Array(await request.arrayBuffer()), MAX_BODY_BYTES);
  const headers = new Headers(request.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  return new Request(request.url, { method: request.method, headers, body: body ?? null, signal: request.signal });
}

/** A body that breaks off destroys its connection; left to itself, the server would print the error and send its text. */
function breakingOff(response: Response, outgoing: HttpBindings["outgoing"]): Response {
  if (response.body === null) return response;
  leaveUntyped(response, outgoing);
  const reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch {
          outgoing.destroy();
          controller.close();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}
