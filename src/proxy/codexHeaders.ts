import type { CodexAccess } from "../codex/tokenClaims.ts";
import { SPOKEN_VERSION } from "../codex/catalogue.ts";
import type { Call } from "./call.ts";
import { isCodex } from "./clientIdentity.ts";
import type { HeaderPairs } from "./exchange.ts";
import { upstreamHeaders } from "./headerPolicy.ts";

/** What a request to the Codex backend with our own sign-in says of itself. */
export interface CodexHeaderFacts {
  readonly access: CodexAccess;
  readonly userAgent: string;
  /** Equal to the body's `prompt_cache_key`. */
  readonly sessionId: string;
  readonly turnState: string | undefined;
  readonly routingOverride: string | undefined;
  /** The request asks for a compaction. */
  readonly compacts: boolean;
}

/** Ours take the place of the caller's, whatever its spelling. */
const REPLACED: ReadonlySet<string> = new Set([
  "authorization",
  "chatgpt-account-id",
  "accept",
  "accept-encoding",
  "content-type",
  "content-encoding",
  "session-id",
  "session_id",
  "x-codex-turn-state",
  "x-codex-beta-features",
  "version",
  "x-openai-fedramp",
  "x-openai-internal-codex-residency",
  "x-openai-account-routing-override",
]);

/** Without this in `x-codex-beta-features` a request to compact is answered with a message like any other. */
const COMPACTION = "remote_compaction_v2";

/**
 * The headers of a request with our own sign-in. Codex's own requests keep what Codex says in them; every other caller is none of the
 * backend's business, and the request goes under our name.
 */
export function codexHeaders(call: Call, facts: CodexHeaderFacts): HeaderPairs {
  const { access } = facts;
  const headers = isCodex(call.exchange) ? kept(call) : ["originator", "patchbay", "user-agent", facts.userAgent];
  headers.push(
    "authorization",
    `Bearer ${access.accessToken}`,
    "chatgpt-account-id",
    access.accountId,
    "accept",
    "text/event-stream",
    // The answer is read as it passes.
    "accept-encoding",
    "identity",
    "content-type",
    "application/json",
    "session-id",
    facts.sessionId,
    // Some models are "not found" for requests that do not say which version of Codex' protocol they speak.
    "version",
    (isCodex(call.exchange) ? call.exchange.header("version") : undefined) ?? SPOKEN_VERSION,
  );
  const optional = {
    "x-codex-turn-state": facts.turnState,
    "x-codex-beta-features": betaFeatures(call, facts.compacts),
    "x-openai-fedramp": access.isFedramp ? "true" : undefined,
    "x-openai-internal-codex-residency": access.residency,
    "x-openai-account-routing-override": facts.routingOverride,
  };
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) headers.push(name, value);
  return headers;
}

function betaFeatures(call: Call, compacts: boolean): string | undefined {
  const own = isCodex(call.exchange) ? call.exchange.header("x-codex-beta-features") : undefined;
  if (!compacts || own?.includes(COMPACTION) === true) return own;
  return own === undefined || own === "" ? COMPACTION : `${own},${COMPACTION}`;
}

function kept(call: Call): string[] {
  const passing = upstreamHeaders(
    call.exchange.headers,
    { kind: "sign_in" },
    { dropEncoding: true, plainAnswer: true },
  );
  const headers: string[] = [];
  for (let index = 0; index < passing.length; index += 2) {
    const name = passing[index] ?? "";
    if (!REPLACED.has(name.toLowerCase())) headers.push(name, passing[index + 1] ?? "");
  }
  return headers;
}
