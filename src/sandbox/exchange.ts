import type { Clock } from "../ports.ts";
import { parseJsonObject } from "./jsonBody.ts";
import type { CodexMemory } from "./codexMemory.ts";
import { errorObject, refuse, type Refusal, RefusedError, type Upstream } from "./refusal.ts";
import type { ResponseStore } from "./responseStore.ts";
import { noteUsage, type ServedEntry, type ServedLog } from "./served.ts";
import { sha256, sha256Text } from "./sha256.ts";
import { type Steps, stepStream } from "./stepStream.ts";

/** What all requests share: the effects and the memory of the sandbox. */
export interface Room {
  readonly clock: Clock;
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds before every streamed token, unless the prompt says otherwise. */
  readonly tokenDelay: number;
  readonly served: ServedLog;
  readonly responses: ResponseStore;
  /** How often this prompt has been seen, this time included. */
  readonly seen: (prompt: string) => number;
  readonly codex: CodexMemory;
}

/** One request on its way to an answer. */
export interface Exchange {
  readonly room: Room;
  readonly upstream: Upstream;
  readonly request: Request;
  readonly entry: ServedEntry;
  /** SHA-256 of method, path and body, hexadecimal: what ids are made from. */
  readonly seed: string;
  readonly bearer: string;
  /** Further headers of the answer, whatever it becomes. */
  readonly answerHeaders: Headers;
  /** The JSON body; throws a RefusedError where there is none. */
  readonly body: () => Record<string, unknown>;
}

/** Takes in a request, has it answered, and turns whatever goes wrong into the upstream's error body. */
export async function serve(
  room: Room,
  upstream: Upstream,
  path: string,
  request: Request,
  access: "key" | "public",
  work: (exchange: Exchange) => Promise<Response> | Response,
): Promise<Response> {
  const headerNames = [...request.headers.keys()];
  const ownHeaders = new Headers({ "x-patchbay-sandbox": "1" });
  const entry = room.served.open(upstream, `${request.method} ${path}`, headerNames);
  try {
    const bytes = new Uint8Array(await request.arrayBuffer());
    entry.bodyBytes = bytes.length;
    entry.bodySha256 = await sha256(bytes);
    const seed = await sha256Text(`${upstream} ${request.method} ${path} ${entry.bodySha256}`);
    const bearer = checkCredential(request.headers, access);
    const body = (): Record<string, unknown> => parseJsonObject(bytes);
    return await work({ room, upstream, request, entry, seed, bearer, answerHeaders: ownHeaders, body });
  } catch (error) {
    const refusal =
      error instanceof RefusedError ? error.refusal : refuse(500, "The sandbox stumbled over this request.").refusal;
    return refusedAnswer(room, upstream, entry, refusal, ownHeaders);
  }
}

/** A complete JSON answer. A usage in it has to be noted by whoever knows where it stands. */
export function jsonAnswer(exchange: Exchange, body: unknown, usage?: unknown): Response {
  if (usage !== undefined) noteUsage(exchange.entry, usage);
  exchange.entry.status = 200;
  exchange.room.served.close(exchange.entry, "finished");
  return new Response(JSON.stringify(body), { headers: answerHeaders(exchange, "application/json") });
}

/** An answer whose body is taken step by step; without a type where the upstream leaves that out. */
export function stepAnswer(exchange: Exchange, contentType: string | undefined, steps: Steps): Response {
  const { room, entry, request } = exchange;
  entry.status = 200;
  const body = stepStream(steps, {
    wait: room.wait,
    signal: request.signal,
    ended: (ending) => {
      room.served.close(entry, ending);
    },
  });
  return new Response(body, { headers: answerHeaders(exchange, contentType) });
}

function answerHeaders(exchange: Exchange, contentType: string | undefined): Headers {
  const { entry, seed, upstream } = exchange;
  const headers = new Headers(exchange.answerHeaders);
  if (contentType !== undefined) headers.set("content-type", contentType);
  if (contentType === "text/event-stream") headers.set("cache-control", "no-cache");
  switch (upstream) {
    case "openai":
      headers.set("x-request-id", `req_${seed.slice(0, 32)}`);
      headers.set("openai-processing-ms", "1");
      headers.set("openai-version", "2020-10-01");
      headers.set("x-ratelimit-limit-requests", "10000");
      headers.set("x-ratelimit-remaining-requests", "9999");
      headers.set("x-ratelimit-reset-requests", "6ms");
      break;
    case "openrouter":
      if (entry.id !== null) headers.set("x-generation-id", entry.id);
      break;
    case "codex":
      headers.set("x-oai-request-id", `req_${seed.slice(0, 32)}`);
      if (entry.model !== null) headers.set("openai-model", entry.model);
      break;
  }
  return headers;
}

function refusedAnswer(
  room: Room,
  upstream: Upstream,
  entry: ServedEntry,
  refusal: Refusal,
  headers: Headers,
): Response {
  entry.status = refusal.status;
  entry.errorCode = refusal.code;
  room.served.close(entry, "refused");
  if (refusal.retryAfterSeconds !== undefined) headers.set("retry-after", String(refusal.retryAfterSeconds));
  if (typeof refusal.body === "string") {
    headers.set("content-type", "text/html; charset=UTF-8");
    return new Response(refusal.body, { status: refusal.status, headers });
  }
  const body = refusal.body ?? { error: errorObject(upstream, refusal) };
  return Response.json(body, { status: refusal.status, headers });
}

const CREDENTIAL_HEADERS = ["authorization", "x-api-key", "api-key", "x-daemon-token"];

function checkCredential(headers: Headers, access: "key" | "public"): string {
  for (const name of CREDENTIAL_HEADERS) {
    // A key of the proxy's own must never reach an upstream: that has to fail loudly.
    if (/(^|\s)pb_/.test(headers.get(name) ?? ""))
      throw refuse(400, `A local Patchbay key reached the upstream in the header ${name}.`, "local_key_leaked");
  }
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.get("authorization") ?? "")?.[1] ?? "";
  if (access === "public") return bearer;
  if (bearer === "")
    throw refuse(401, "You didn't provide an API key. Send it as `Authorization: Bearer KEY`.", "invalid_api_key");
  if (bearer.startsWith("sk-bad")) throw refuse(401, "Incorrect API key provided.", "invalid_api_key");
  return bearer;
}
