import { isJsonObject, type JsonObject } from "../wire/json.ts";
import type { CodexTokens } from "./credentialStore.ts";
import { SIGN_IN_ADVICE } from "./signInAdvice.ts";
import { SignInError } from "./signInError.ts";

/** What a request to the Codex backend is made with. */
export interface CodexAccess {
  readonly accessToken: string;
  readonly accountId: string;
  readonly planType: string | undefined;
  readonly email: string | undefined;
  /** The backend wants `x-openai-fedramp: true` for these accounts. */
  readonly isFedramp: boolean;
  /** For `x-openai-internal-codex-residency`; undefined where the account is not bound to a region. */
  readonly residency: string | undefined;
  /** When the access token ends, in milliseconds since the epoch; undefined where it does not say. */
  readonly expiresAt: number | undefined;
}

const AUTH_CLAIM = "https://api.openai.com/auth";
const PROFILE_CLAIM = "https://api.openai.com/profile";

/**
 * The claims of a JSON Web Token; undefined where it is none. The signature is not checked: these come from the issuer's token endpoint
 * over TLS (OpenID Connect Core 3.1.3.7, item 6), and the backend checks the token itself.
 */
export function claimsOf(token: string | undefined): JsonObject | undefined {
  if (token === undefined) return undefined;
  // Every request asks several times for those of the same two tokens, and to decode them takes a tenth of a millisecond.
  if (read.has(token)) return read.get(token);
  const claims = decoded(token);
  const [oldest] = read.keys();
  if (read.size >= MAXIMUM_READ && oldest !== undefined) read.delete(oldest);
  read.set(token, claims);
  return claims;
}

/** The tokens that were read last. */
const read = new Map<string, JsonObject | undefined>();
/** Two of the sign-in in use, and two of the one before. */
const MAXIMUM_READ = 4;

function decoded(token: string): JsonObject | undefined {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined;
  try {
    const base64 = payload.replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isJsonObject(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}

/** When an access token ends, in milliseconds since the epoch; undefined where it does not say. */
export function expiryOf(accessToken: string): number | undefined {
  const expiry = claimsOf(accessToken)?.["exp"];
  return typeof expiry === "number" && Number.isFinite(expiry) ? expiry * 1000 : undefined;
}

/** The account that the tokens are for; undefined where nothing names one. */
export function accountIdOf(tokens: CodexTokens): string | undefined {
  if (tokens.accountId !== undefined) return tokens.accountId;
  const both = [claimsOf(tokens.idToken), claimsOf(tokens.accessToken)];
  return (
    first(both, (claims) => text(authClaim(claims)["chatgpt_account_id"])) ??
    first(both, (claims) => text(claims["chatgpt_account_id"])) ??
    first(both, firstOrganization)
  );
}

/** What the tokens give access to. Throws a `SignInError` where they name no account, which the backend insists on. */
export function accessOf(tokens: CodexTokens): CodexAccess {
  const accountId = accountIdOf(tokens);
  if (accountId === undefined) {
    throw new SignInError(
      "failed",
      `The sign-in names no ChatGPT account: ${SIGN_IN_ADVICE}, or set ACCOUNT_ID where the credentials come from the environment.`,
    );
  }
  const both = [claimsOf(tokens.idToken), claimsOf(tokens.accessToken)];
  const residency = first(both, (claims) => text(authClaim(claims)["chatgpt_compute_residency"]));
  return {
    accessToken: tokens.accessToken,
    accountId,
    planType: first(both, (claims) => text(authClaim(claims)["chatgpt_plan_type"])),
    email: first(both, emailOf),
    isFedramp: both.some((claims) => claims !== undefined && authClaim(claims)["chatgpt_account_is_fedramp"] === true),
    residency: residency === "no_constraint" ? undefined : residency,
    expiresAt: expiryOf(tokens.accessToken),
  };
}

function authClaim(claims: JsonObject): JsonObject {
  const claim = claims[AUTH_CLAIM];
  return isJsonObject(claim) ? claim : {};
}

function emailOf(claims: JsonObject): string | undefined {
  const profile = claims[PROFILE_CLAIM];
  return text(claims["email"]) ?? (isJsonObject(profile) ? text(profile["email"]) : undefined);
}

function firstOrganization(claims: JsonObject): string | undefined {
  const organizations = authClaim(claims)["organizations"] ?? claims["organizations"];
  const [organization]: readonly unknown[] = Array.isArray(organizations) ? organizations : [];
  return isJsonObject(organization) ? text(organization["id"]) : undefined;
}

function first(
  all: readonly (JsonObject | undefined)[],
  pick: (claims: JsonObject) => string | undefined,
): string | undefined {
  for (const claims of all) {
    const found = claims === undefined ? undefined : pick(claims);
    if (found !== undefined) return found;
  }
  return undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
