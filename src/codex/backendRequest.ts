import { isJsonObject, type JsonObject } from "../wire/json.ts";

/** Web `fetch`, as whoever starts the program gives it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What a request of ours to the backend says of its sender; undefined where nobody is signed in. */
export type BackendHeaders = () => Promise<Readonly<Record<string, string>> | undefined>;

/** What the small requests to the Codex backend need. */
export interface BackendAccess {
  readonly fetch: Fetch;
  /** The base URL of the Codex backend, `https://chatgpt.com/backend-api/codex` unless the user says otherwise. */
  readonly baseUrl: () => string;
  /** Authorization, account and the sender's own name. */
  readonly headers: BackendHeaders;
}

/** The backend answered, but not what was asked for; the message says how and holds nothing private. */
export class BackendRefusal extends Error {
  override readonly name = "BackendRefusal";
  /** Undefined where the answer was a good one of the wrong kind. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

const TIMEOUT_MS = 8_000;

/**
 * The address of a service beside the Codex backend. What chatgpt.com has below `/backend-api/wham` is at other hosts below
 * `/api/codex`, which is how Codex CLI 0.169 tells them apart.
 */
export function besideBackend(baseUrl: string, path: `/${string}`): string {
  const shared = /^.*?\/backend-api(?=\/|$)/.exec(baseUrl)?.[0];
  if (shared !== undefined) return `${shared}/wham${path}`;
  return `${baseUrl.replace(/\/+$/, "").replace(/(?:\/api)?\/codex$/, "")}/api/codex${path}`;
}

/**
 * Asks one small question. A redirect is not followed, because the token must not travel. Rejects where the backend is not
 * reached in time or answers with another status than 200 and those that `accepted` lists.
 */
export async function askBackend(
  fetch: Fetch,
  url: string,
  headers: Readonly<Record<string, string>>,
  accepted: readonly number[] = [],
): Promise<Response> {
  const response = await fetch(url, {
    headers: { accept: "application/json", ...headers },
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status === 200 || accepted.includes(response.status)) return response;
  await response.body?.cancel();
  throw new BackendRefusal(`answered with status ${response.status}`, response.status);
}

/** The same for a question whose answer is a JSON object. */
export async function askBackendForObject(
  fetch: Fetch,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<JsonObject> {
  const answer: unknown = await (await askBackend(fetch, url, headers)).json();
  if (!isJsonObject(answer)) throw new BackendRefusal("answered with something else than a JSON object");
  return answer;
}

/** What a log line may say of a failure. Foreign messages are left out: they quote headers and bodies, and so tokens. */
export function causeOf(error: unknown): string {
  if (error instanceof BackendRefusal) return error.message;
  if (!(error instanceof Error)) return "unknown";
  const code = isJsonObject(error.cause) ? error.cause["code"] : undefined;
  return typeof code === "string" ? code : error.name;
}
