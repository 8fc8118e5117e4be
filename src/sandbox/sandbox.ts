import { Hono } from "hono";
import type { Clock } from "../ports.ts";
import type { Room } from "./exchange.ts";
import { openAiRoutes } from "./openaiRoutes.ts";
import { openRouterRoutes } from "./openrouterRoutes.ts";
import { createResponseStore } from "./responseStore.ts";
import { createServedLog, type ServedRequest } from "./served.ts";

/** What a sandbox needs from outside. */
export interface SandboxOptions {
  readonly clock: Clock;
  /** Resolves after so many milliseconds; resolves or rejects early when the signal aborts. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds before every streamed token; 15 unless given. */
  readonly tokenDelayMs?: number;
}

/** Pretend upstreams: they answer like the real ones, cost nothing and say so. */
export interface Sandbox {
  /**
   * Can be given to any client that takes a `fetch`, and to a server: a Request is taken as it is, an address with its `init`.
   * Never rejects for a bad request.
   */
  readonly fetch: (input: Request | string | URL, init?: RequestInit) => Promise<Response>;
  /** What was served, oldest first; a live view that keeps the last 2000. */
  readonly served: readonly ServedRequest[];
}

/** The path below which the pretend OpenAI API answers. */
export const OPENAI_BASE_PATH = "/openai/v1";

/** The path below which the pretend OpenRouter API answers. */
export const OPENROUTER_BASE_PATH = "/openrouter/api/v1";

const DEFAULT_TOKEN_DELAY_MS = 15;
const SERVED_LIMIT = 2000;
const STORED_RESPONSES_LIMIT = 200;
const SEEN_PROMPTS_LIMIT = 2000;

/** A sandbox that has served nothing yet. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const room: Room = {
    clock: options.clock,
    wait: options.wait,
    tokenDelay: options.tokenDelayMs ?? DEFAULT_TOKEN_DELAY_MS,
    served: createServedLog(options.clock, SERVED_LIMIT),
    responses: createResponseStore(STORED_RESPONSES_LIMIT),
    seen: createCounter(SEEN_PROMPTS_LIMIT),
  };
  const app = new Hono();
  app.route(OPENAI_BASE_PATH, openAiRoutes(room, OPENAI_BASE_PATH));
  app.route(OPENROUTER_BASE_PATH, openRouterRoutes(room, OPENROUTER_BASE_PATH));
  app.get("/sandbox/served", () => ownAnswer({ served: room.served.entries }));
  app.get("/sandbox", () => ownAnswer(information()));
  app.get("/sandbox/", () => ownAnswer(information()));
  app.notFound(() =>
    ownAnswer(
      {
        error: {
          message: "The sandbox has nothing here.",
          type: "invalid_request_error",
          param: null,
          code: "unknown_url",
        },
      },
      404,
    ),
  );
  return {
    fetch: async (input, init) => {
      // A server's own kind of Request comes with things of its own beside it, and the global constructor would not accept it.
      const ready = typeof input === "object" && !(input instanceof URL);
      return await app.fetch(ready ? input : new Request(input, init));
    },
    served: room.served.entries,
  };
}

function information(): Record<string, unknown> {
  return {
    name: "Patchbay sandbox",
    about: "Pretend upstreams. No model answers here and nothing is charged.",
    upstreams: { openai: OPENAI_BASE_PATH, openrouter: OPENROUTER_BASE_PATH },
    served: "/sandbox/served",
  };
}

function ownAnswer(body: unknown, status = 200): Response {
  return Response.json(body, { status, headers: { "x-patchbay-sandbox": "1" } });
}

function createCounter(limit: number): (key: string) => number {
  const counts = new Map<string, number>();
  return (key) => {
    const count = (counts.get(key) ?? 0) + 1;
    // Deleted first, so that the oldest key in the map is the one not seen for longest.
    counts.delete(key);
    counts.set(key, count);
    const oldest = counts.keys().next().value;
    if (counts.size > limit && oldest !== undefined) counts.delete(oldest);
    return count;
  };
}
