import { CODEX_CLIENT_ID, SANDBOX_USER } from "./issuerClaims.ts";
import { codeChallenge, DEVICE_REDIRECT_PATH, type Grants } from "./issuerGrants.ts";
import type { TokenIssuer } from "./issuerTokens.ts";

/** The fields of a form or of a JSON object; what is no text is left out. */
export type Fields = ReadonlyMap<string, string>;

/** `POST /oauth/token`. `issuer` is the issuer's own address. */
export async function issueTokens(
  fields: Fields,
  issuer: string,
  tokens: TokenIssuer,
  grants: Grants,
): Promise<Response> {
  if (fields.get("client_id") !== CODEX_CLIENT_ID) return refusedToken(401, "invalid_client", "Unknown client_id.");
  switch (fields.get("grant_type")) {
    case "authorization_code":
      return await exchangeCode(fields, issuer, tokens, grants);
    case "refresh_token":
      return await refresh(fields, issuer, tokens);
    case undefined:
    default:
      return refusedToken(400, "unsupported_grant_type", "The sandbox has no such grant_type.");
  }
}

async function exchangeCode(fields: Fields, issuer: string, tokens: TokenIssuer, grants: Grants): Promise<Response> {
  // Taken out before it is checked: a code that was shown with the wrong verifier is spent.
  const grant = grants.take(fields.get("code") ?? "");
  if (grant === undefined) return refusedToken(400, "invalid_grant", "The code is unknown, used or too old.");
  if (!sameRedirect(grant.redirectUri, fields.get("redirect_uri") ?? "", issuer))
    return refusedToken(400, "invalid_grant", "The redirect_uri is not the one that the code was made for.");
  const verifier = fields.get("code_verifier") ?? "";
  if (!/^[\w.~-]{43,128}$/.test(verifier) || (await codeChallenge(verifier)) !== grant.codeChallenge)
    return refusedToken(400, "invalid_grant", "The code_verifier does not fit the code_challenge.");
  return tokenAnswer(await tokens.signIn({ user: SANDBOX_USER, issuer, scope: grant.scope }));
}

/** A device's code is bound to a path alone, since the issuer may be reached by another name than the one it goes by. */
function sameRedirect(granted: string, presented: string, issuer: string): boolean {
  if (granted !== DEVICE_REDIRECT_PATH) return presented === granted;
  return presented.endsWith(new URL(issuer).pathname + granted);
}

async function refresh(fields: Fields, issuer: string, tokens: TokenIssuer): Promise<Response> {
  const answer = await tokens.refresh(fields.get("refresh_token") ?? "", issuer);
  if (typeof answer === "object") return tokenAnswer(answer);
  return ownJson(
    { error: { message: REFUSALS[answer], type: "invalid_request_error", param: null, code: answer } },
    401,
  );
}

const REFUSALS = {
  refresh_token_expired: "Your refresh token has expired. Please sign in again.",
  refresh_token_reused:
    "Your refresh token has already been used to generate a new access token. Please sign in again.",
  refresh_token_invalidated: "Your refresh token has been invalidated. Please sign in again.",
} as const;

function tokenAnswer(body: object): Response {
  return ownJson(body, 200);
}

function refusedToken(status: number, error: string, text: string): Response {
  return ownJson({ error, error_description: text }, status);
}

/** JSON of the issuer, never to be stored (RFC 6749 section 5.1). */
export function ownJson(body: object, status: number): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store", "x-patchbay-sandbox": "1" } });
}
