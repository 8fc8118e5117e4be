import type { Clock } from "../ports.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { fromBase64url, toBase64url } from "./base64url.ts";
import { accessClaims, idClaims, type SandboxUser, type TokenFacts } from "./issuerClaims.ts";
import { sha256Text } from "./sha256.ts";

/** What the token endpoint answers. */
export interface TokenAnswer {
  readonly id_token: string;
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: "Bearer";
  /** Seconds. */
  readonly expires_in: number;
  readonly scope: string;
}

/** One sign-in, whose tokens stand and fall together. */
export interface TokenOrder {
  readonly user: SandboxUser;
  /** The issuer's own address, for the claim `iss`. */
  readonly issuer: string;
  readonly scope: string;
  /** Milliseconds that the first access token is good for; the issuer's own lifetime unless given. */
  readonly lifetimeMs?: number;
}

/** Why a refresh token is not taken, in the words of the real issuer. */
export type RefreshRefusal = "refresh_token_expired" | "refresh_token_reused" | "refresh_token_invalidated";

/** What an access token is worth. */
export type AccessCheck =
  | { readonly kind: "valid"; readonly user: SandboxUser }
  | { readonly kind: "expired" | "invalidated" | "foreign" };

/** What happened since the sandbox began. */
export interface IssuerCounts {
  readonly signIns: number;
  readonly refreshes: number;
  /** Refreshes with a token that had been used before. */
  readonly reuses: number;
  readonly revocations: number;
}

/** Makes, renews and checks the tokens of the pretend issuer. */
export interface TokenIssuer {
  signIn(order: TokenOrder): Promise<TokenAnswer>;
  refresh(refreshToken: string, issuer: string): Promise<TokenAnswer | RefreshRefusal>;
  /** Ends the sign-in that a token of either kind belongs to; unknown ones are none of its business (RFC 7009 section 2.2). */
  revoke(token: string): Promise<void>;
  check(accessToken: string): Promise<AccessCheck>;
  /** No access token from before is good any more; with `signIns`, no refresh token either. */
  endAll(kind: "expired" | "invalidated", signIns: boolean): void;
  readonly counts: IssuerCounts;
}

interface Family extends TokenOrder {
  readonly id: string;
  /** The only refresh token that may be used is the one with this number. */
  serial: number;
  revoked: boolean;
}

const FAMILY_LIMIT = 500;

/** An issuer that nobody has signed in at. The lifetime is in milliseconds. */
export function createTokenIssuer(clock: Clock, accessTokenLifetimeMs: number): TokenIssuer {
  const families = new Map<string, Family>();
  // Tokens of an earlier sandbox must not be good here, and nothing in here has to be hard to guess.
  const secret = `patchbay-sandbox ${clock.now()}`;
  const counts = { signIns: 0, refreshes: 0, reuses: 0, revocations: 0 };
  const ended = { expired: 0, invalidated: 0 };
  let issued = 0;

  const sign = async (text: string): Promise<string> => (await sha256Text(`${secret} ${text}`)).slice(0, 43);

  async function jwt(claims: Record<string, unknown>): Promise<string> {
    const text = `${JWT_HEADER}.${toBase64url(JSON.stringify(claims))}`;
    return `${text}.${await sign(text)}`;
  }

  async function tokens(family: Family, lifetimeMs = accessTokenLifetimeMs): Promise<TokenAnswer> {
    issued += 1;
    const issuedAt = Math.floor(clock.now() / 1000);
    const lifetimeSeconds = Math.floor(lifetimeMs / 1000);
    const facts: TokenFacts = {
      user: family.user,
      issuer: family.issuer,
      scope: family.scope,
      issuedAt,
      expiresAt: issuedAt + lifetimeSeconds,
      tokenId: String(issued),
      familyId: family.id,
    };
    const refresh = `rt_${family.id}.${family.serial}`;
    return {
      id_token: await jwt(idClaims(facts)),
      access_token: await jwt(accessClaims(facts)),
      refresh_token: `${refresh}.${await sign(refresh)}`,
      token_type: "Bearer",
      expires_in: lifetimeSeconds,
      scope: family.scope,
    };
  }

  function end(family: Family): void {
    if (!family.revoked) counts.revocations += 1;
    family.revoked = true;
  }

  async function readRefreshToken(token: string): Promise<{ familyId: string; serial: number } | undefined> {
    const match = /^(rt_([^.]{1,100})\.(\d{1,9}))\.([0-9a-f]{43})$/.exec(token);
    if (match === null || match[4] !== (await sign(match[1] ?? ""))) return undefined;
    return { familyId: match[2] ?? "", serial: Number(match[3]) };
  }

  async function readAccessToken(token: string): Promise<JsonObject | undefined> {
    const end = token.lastIndexOf(".");
    if (token.slice(end + 1) !== (await sign(token.slice(0, end)))) return undefined;
    const claims: unknown = JSON.parse(fromBase64url(token.slice(token.indexOf(".") + 1, end)) ?? "null");
    return isJsonObject(claims) && typeof claims["session_id"] === "string" ? claims : undefined;
  }

  return {
    counts,
    async signIn(order) {
      counts.signIns += 1;
      const id = `${clock.now().toString(36)}-${counts.signIns}`;
      const family = { ...order, id, serial: 1, revoked: false };
      families.set(id, family);
      const oldest = families.keys().next().value;
      if (families.size > FAMILY_LIMIT && oldest !== undefined) families.delete(oldest);
      return await tokens(family, order.lifetimeMs);
    },
    async refresh(refreshToken, issuer) {
      const read = await readRefreshToken(refreshToken);
      const family = families.get(read?.familyId ?? "");
      if (read === undefined || family === undefined) return "refresh_token_invalidated";
      // Whoever comes with a used one has a copy, and so has somebody else: nobody is to be trusted any more.
      if (read.serial !== family.serial) {
        counts.reuses += 1;
        end(family);
        return "refresh_token_reused";
      }
      if (family.revoked) return "refresh_token_invalidated";
      family.serial += 1;
      counts.refreshes += 1;
      const renewed = { ...family, issuer };
      return await tokens(renewed);
    },
    async revoke(token) {
      const familyId = (await readRefreshToken(token))?.familyId ?? (await readAccessToken(token))?.["session_id"];
      const family = families.get(String(familyId));
      if (family !== undefined) end(family);
    },
    async check(accessToken) {
      const claims = await readAccessToken(accessToken);
      if (claims === undefined) return { kind: "foreign" };
      const family = families.get(String(claims["session_id"]));
      const number = Number(claims["jti"]);
      if (family === undefined || family.revoked || number <= ended.invalidated) return { kind: "invalidated" };
      if (number <= ended.expired || Number(claims["exp"]) * 1000 <= clock.now()) return { kind: "expired" };
      return { kind: "valid", user: family.user };
    },
    endAll(kind, signIns) {
      ended[kind] = issued;
      if (signIns) for (const family of families.values()) end(family);
    },
  };
}

const JWT_HEADER = toBase64url(JSON.stringify({ alg: "RS256", typ: "JWT", kid: "patchbay-sandbox" }));
