import type { Clock } from "../ports.ts";
import { type CodexConversations, createCodexConversations } from "./codexConversations.ts";
import { type CodexLimits, createCodexLimits } from "./codexLimits.ts";
import { createGrants, type Grants } from "./issuerGrants.ts";
import { createTokenIssuer, type TokenIssuer } from "./issuerTokens.ts";

/** What the pretend Codex backend and its issuer remember. */
export interface CodexMemory {
  readonly tokens: TokenIssuer;
  readonly grants: Grants;
  readonly conversations: CodexConversations;
  readonly limits: CodexLimits;
}

/** Nobody has signed in, nothing was said. The lifetime is in milliseconds. */
export function createCodexMemory(clock: Clock, accessTokenLifetimeMs: number): CodexMemory {
  return {
    tokens: createTokenIssuer(clock, accessTokenLifetimeMs),
    grants: createGrants(clock),
    conversations: createCodexConversations(),
    limits: createCodexLimits(clock),
  };
}
