import type { Fetch } from "../codex/backendRequest.ts";
import { isJsonObject } from "../wire/json.ts";
import type { KeyedUpstream } from "./controlCredentials.ts";

/** Whether an upstream takes a key. */
export interface KeyVerdict {
  readonly verdict: "accepted" | "refused" | "unreachable";
  /** One sentence for the user. */
  readonly message: string;
}

/** Asks an upstream about a key. Never rejects. */
export type VerifyKey = (upstream: KeyedUpstream, key: string) => Promise<KeyVerdict>;

/** What is left on an OpenRouter key, in dollars; null: no bound, or not told. */
export interface OpenRouterBalance {
  readonly used: number;
  readonly limit: number | null;
  readonly limitRemaining: number | null;
  readonly credits: number | null;
}

const TIMEOUT_MS = 15_000;
const NAMES = { openai: "OpenAI", openrouter: "OpenRouter" } as const;
/** Both answer about the key itself, and cost nothing: OpenRouter's list of models is public, so it would take any key. */
const PATHS = { openai: "/models", openrouter: "/key" } as const;

/** Makes the question. `baseUrl` gives the upstream's, with its version. */
export function createVerifyKey(fetch: () => Fetch, baseUrl: (upstream: KeyedUpstream) => string): VerifyKey {
  return async (upstream, key) => {
    const name = NAMES[upstream];
    let response: Response;
    try {
      response = await ask(fetch(), `${baseUrl(upstream)}${PATHS[upstream]}`, key);
      await response.body?.cancel();
    } catch {
      return {
        verdict: "unreachable",
        message: `${name} cannot be reached: check the network and the editor's proxy.`,
      };
    }
    const { status, ok } = response;
    if (ok) return { verdict: "accepted", message: `${name} accepts this key.` };
    if (status === 401 || status === 403)
      return { verdict: "refused", message: `${name} does not accept this key: check that you copied all of it.` };
    return { verdict: "unreachable", message: `${name} answered with status ${status}: try again later.` };
  };
}

/** Asks OpenRouter what is left; undefined where it does not say. Never rejects. */
export async function openRouterBalance(
  fetch: Fetch,
  baseUrl: string,
  key: string,
): Promise<OpenRouterBalance | undefined> {
  const [own, account] = await Promise.all([
    data(fetch, `${baseUrl}/key`, key),
    data(fetch, `${baseUrl}/credits`, key),
  ]);
  if (own === undefined) return undefined;
  const [total, spent] = [account?.["total_credits"], account?.["total_usage"]];
  return {
    used: numberOr(own["usage"]) ?? 0,
    limit: numberOr(own["limit"]),
    limitRemaining: numberOr(own["limit_remaining"]),
    credits: typeof total === "number" && typeof spent === "number" ? total - spent : null,
  };
}

async function data(fetch: Fetch, url: string, key: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const response = await ask(fetch, url, key);
    if (!response.ok) {
      await response.body?.cancel();
      return undefined;
    }
    const body: unknown = await response.json();
    const inner = isJsonObject(body) ? body["data"] : undefined;
    return isJsonObject(inner) ? inner : undefined;
  } catch {
    return undefined;
  }
}

function ask(fetch: Fetch, url: string, key: string): Promise<Response> {
  return fetch(url, {
    headers: { authorization: `Bearer ${key}`, accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

function numberOr(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
