import type { CodexTokens } from "../codex/credentialStore.ts";
import { isJsonObject } from "../wire/json.ts";

/** ChatGPT tokens as they are kept in SecretStorage. */
export function tokensText(tokens: CodexTokens): string {
  return JSON.stringify(tokens);
}

/** Those of a kept text; undefined for none, and for what cannot be understood. */
export function tokensOfText(text: string | undefined): CodexTokens | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
  if (!isJsonObject(read) || typeof read["accessToken"] !== "string") return undefined;
  const textOf = (name: string): string | undefined => (typeof read[name] === "string" ? read[name] : undefined);
  return {
    accessToken: read["accessToken"],
    refreshToken: textOf("refreshToken"),
    idToken: textOf("idToken"),
    accountId: textOf("accountId"),
    refreshedAt: typeof read["refreshedAt"] === "number" ? read["refreshedAt"] : undefined,
  };
}
