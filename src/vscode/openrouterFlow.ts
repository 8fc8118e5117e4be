import { createHash, randomBytes } from "node:crypto";

import { isJsonObject } from "../wire/json.ts";

/** One attempt to get a key from OpenRouter by PKCE, as openrouter.ai/docs/use-cases/oauth-pkce describes it. */
export interface OpenRouterAttempt {
  /** The page where the user says yes. */
  readonly url: string;
  /** Takes the callback's query. Rejects with an error whose message is for the user. */
  complete(parameters: URLSearchParams): Promise<string>;
}

/** What an attempt is made with. */
export interface OpenRouterFlowParts {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Where the browser is sent back to. */
  readonly callbackUrl: string;
  /** What ties the callback to this attempt; OpenRouter has no `state` of its own, so it stands in the callback's address. */
  readonly state: string;
  readonly siteUrl?: string;
}

const SITE_URL = "https://openrouter.ai";
const TIMEOUT_MS = 30_000;

/** Begins an attempt, with a verifier of its own. */
export function beginOpenRouterSignIn(parts: OpenRouterFlowParts): OpenRouterAttempt {
  const { fetch, callbackUrl, state, siteUrl = SITE_URL } = parts;
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const query = new URLSearchParams({
    callback_url: callbackUrl,
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  return {
    url: `${siteUrl}/auth?${query.toString()}`,
    async complete(parameters) {
      if (parameters.get("state") !== state)
        throw new Error("This answer belongs to another sign-in: open the newest sign-in page again.");
      const code = parameters.get("code");
      if (code === null || code === "") throw new Error("OpenRouter sent no code: start the sign-in again.");
      let response: Response;
      try {
        response = await fetch(`${siteUrl}/api/v1/auth/keys`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ code, code_verifier: verifier, code_challenge_method: "S256" }),
          redirect: "manual",
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
      } catch {
        throw new Error("OpenRouter cannot be reached: check the network and the editor's proxy.");
      }
      const body: unknown = await response.json().catch(() => undefined);
      const key = isJsonObject(body) ? body["key"] : undefined;
      if (!response.ok || typeof key !== "string" || key === "")
        throw new Error(`OpenRouter gave no key (status ${response.status}): start the sign-in again.`);
      return key;
    },
  };
}

/** A new state, unguessable. */
export function newState(): string {
  return randomBytes(18).toString("base64url");
}
