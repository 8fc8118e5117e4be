import { Hono } from "hono";
import type { Clock } from "../ports.ts";
import { codexControls } from "./codexControls.ts";
import { createCodexMemory } from "./codexMemory.ts";
import { codexRoutes } from "./codexRoutes.ts";
import type { Room } from "./exchange.ts";
import { issuerRoutes } from "./issuerRoutes.ts";
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
  /** Milliseconds that an access token of the pretend issuer is good for; ten days unless given, as from the real one. */
  readonly accessTokenLifetimeMs?: number;
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

/** The path below which the pretend ChatGPT backend answers; Codex's own base URL is `/codex` below it. */
export const CODEX_BASE_PATH = "/codex/backend-api";

/** The path of the pretend sign-in issuer. */
export const ISSUER_BASE_PATH = "/auth";

const DEFAULT_TOKEN_DELAY_MS = 15;
const DEFAULT_ACCESS_TOKEN_LIFETIME_MS = 10 * 24 * 60 * 60_000;
const SERVED_LIMIT = 2000;
const STORED_RESPONSES_LIMIT = 200;
const SEEN_PROMPTS_LIMIT = 2000;

/** A sandbox that has served nothing yet. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const codex = createCodexMemory(options.clock, options.accessTokenLifetimeMs ?? DEFAULT_ACCESS_TOKEN_LIFETIME_MS);
  const room: Room = {
    clock: options.clock,
    wait: options.wait,
    tokenDelay: options.tokenDelayMs ?? DEFAULT_TOKEN_DELAY_MS,
    served: createServedLog(options.clock, SERVED_LIMIT),
    responses: createResponseStore(STORED_RESPONSES_LIMIT),
    seen: createCounter(SEEN_PROMPTS_LIMIT),
    codex,
  };
  const app = new Hono();
  app.route(OPENAI_BASE_PATH, openAiRoutes(room, OPENAI_BASE_PATH));
  app.route(OPENROUTER_BASE_PATH, openRouterRoutes(room, OPENROUTER_BASE_PATH));
  app.route(CODEX_BASE_PATH, codexRoutes(room, CODEX_BASE_PATH));
  app.route(ISSUER_BASE_PATH, issuerRoutes(codex.tokens, codex.grants, ISSUER_BASE_PATH));
  app.route("/sandbox/codex", codexControls(codex, options.clock, ISSUER_BASE_PATH));
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
    upstreams: { openai: OPENAI_BASE_PATH, openrouter: OPENROUTER_BASE_PATH, codex: `${CODEX_BASE_PATH}/codex` },
    issuer: ISSUER_BASE_PATH,
    served: "/sandbox/served",
    codexControls: "/sandbox/codex",
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
