import { isJsonObject, type JsonObject } from "../wire/json.ts";
import type { CodexTokens } from "./credentialStore.ts";
import { CODEX_CLIENT_ID } from "./oauthIssuer.ts";
import { accountIdOf } from "./tokenClaims.ts";

/**
 * The document of a credentials file. Throws a `SyntaxError` where the text is no JSON object; an empty text, as a crash of a program that
 * writes in place leaves it, is an empty document.
 */
export function parseAuthFile(content: string): JsonObject {
  if (content.trim() === "") return {};
  let document: unknown;
  try {
    document = JSON.parse(content);
  } catch {
    // The parser's own message quotes the text, tokens and all.
    document = undefined;
  }
  if (!isJsonObject(document)) throw new SyntaxError("not a JSON object");
  return document;
}

/** The tokens in a document of the shape of Codex's `auth.json` (0.169, and older ones with fewer members); undefined where there are none. */
export function tokensOfAuthFile(document: JsonObject): CodexTokens | undefined {
  const { tokens } = document;
  if (!isJsonObject(tokens)) return undefined;
  const accessToken = text(tokens["access_token"]);
  if (accessToken === undefined) return undefined;
  const refreshedAt = Date.parse(text(document["last_refresh"]) ?? "");
  return {
    accessToken,
    refreshToken: text(tokens["refresh_token"]),
    idToken: text(tokens["id_token"]),
    accountId: text(tokens["account_id"]),
    refreshedAt: Number.isNaN(refreshedAt) ? undefined : refreshedAt,
  };
}

/** The document with other tokens. What is not ours to know stays, except what belongs to the sign-in of another account. */
export function withTokens(document: JsonObject, tokens: CodexTokens, issuer: string): JsonObject {
  const accountId = accountIdOf(tokens);
  const former = isJsonObject(document["tokens"]) ? document["tokens"] : {};
  const kept = former["account_id"] === accountId ? former : {};
  return {
    ...document,
    auth_mode: "chatgpt",
    OPENAI_API_KEY: document["OPENAI_API_KEY"] ?? null,
    tokens: {
      ...kept,
      id_token: tokens.idToken,
      access_token: tokens.accessToken,
      refresh_token: tokens.refreshToken,
      oauth_provenance: kept["oauth_provenance"] ?? { issuer, client_id: CODEX_CLIENT_ID },
      account_id: accountId,
    },
    last_refresh: tokens.refreshedAt === undefined ? undefined : new Date(tokens.refreshedAt).toISOString(),
  };
}

/** The document of somebody who signed out. */
export function withoutTokens(document: JsonObject): JsonObject {
  const { last_refresh: _lastRefresh, ...rest } = document;
  const hasKey = typeof document["OPENAI_API_KEY"] === "string";
  return { ...rest, auth_mode: hasKey ? "apikey" : "chatgpt", tokens: null };
}

/** As Codex writes it: indented by two, without a line end. */
export function authFileText(document: JsonObject): string {
  return JSON.stringify(document, null, 2);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
