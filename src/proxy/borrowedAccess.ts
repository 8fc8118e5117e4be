import type { Call } from "./call.ts";
import { pathOf } from "./call.ts";
import type { CodexAccess } from "../codex/tokenClaims.ts";
import { bearer, type KeyRing, LOCAL_KEY_PREFIX } from "./localKey.ts";

/** A caller's own ChatGPT token and account, as Codex sends them. */
export type BorrowedAccess = Pick<CodexAccess, "accessToken" | "accountId">;

/** What Codex asks its backend for under `openai_base_url`. */
const CODEX_PATHS = /^\/v1\/(?:responses(?:\/compact)?|models)\/?$/;

/**
 * The ChatGPT token that a caller brings along; undefined where it brings none. Its local key then stands in the path or in a header of
 * ours: a bearer that is a local key is no token, and goes nowhere.
 */
export function borrowedAccess(call: Call, target: string, ring: KeyRing | undefined): BorrowedAccess | undefined {
  return CODEX_PATHS.test(pathOf(target)) ? accessBroughtAlong(call, ring) : undefined;
}

/** The same for any path. */
export function accessBroughtAlong(call: Call, ring: KeyRing | undefined): BorrowedAccess | undefined {
  const accountId = call.exchange.header("chatgpt-account-id");
  if (accountId === undefined || accountId === "") return undefined;
  const accessToken = bearer(call.exchange);
  if (accessToken === undefined || accessToken === "" || accessToken.startsWith(LOCAL_KEY_PREFIX)) return undefined;
  return ring?.find(accessToken) === undefined ? { accessToken, accountId } : undefined;
}
