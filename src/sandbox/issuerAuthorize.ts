import { CODEX_CLIENT_ID } from "./issuerClaims.ts";
import type { Grants } from "./issuerGrants.ts";
import { consentPage, messagePage } from "./issuerPages.ts";

/** An authorization request that is in order. */
interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly codeChallenge: string;
  readonly scope: string;
}

/** Something that must not be sent back to the client, because it may not be its address. */
type Wrong = { readonly wrong: string };

/** What the client is told by way of its address (RFC 6749 section 4.1.2.1). */
type Refused = { readonly redirectUri: string; readonly state: string; readonly error: string; readonly text: string };

// The ports and paths that are registered for this client; no others work.
const REDIRECT_URI = /^http:\/\/(?:localhost|127\.0\.0\.1):(?:1455|1457)\/auth\/callback$/;
/** Whoever names another is refused with an error that says something else; one may also be left out. */
const ORIGINATOR = /^(?:codex_\w+|Codex [\w ]+|opencode|pi)$/;
const SCOPES = new Set([
  "openid",
  "profile",
  "email",
  "offline_access",
  "api.connectors.read",
  "api.connectors.invoke",
]);

/** `GET /oauth/authorize`: asks the user, or with `sandbox_auto=1` answers for them. */
export async function showAuthorization(query: URLSearchParams, grants: Grants): Promise<Response> {
  const request = readAuthorization(query);
  if ("wrong" in request) return messagePage(400, "This sign-in cannot go on", request.wrong);
  if ("error" in request) return refusedRedirect(request);
  if (query.get("sandbox_auto") === "1") return await grantedRedirect(request, grants);
  return consentPage(Object.fromEntries(query));
}

/** What the form of that page sends: the query again, and the decision. */
export async function decideAuthorization(form: URLSearchParams, grants: Grants): Promise<Response> {
  const request = readAuthorization(form);
  if ("wrong" in request) return messagePage(400, "This sign-in cannot go on", request.wrong);
  if ("error" in request) return refusedRedirect(request);
  if (form.get("decision") === "continue") return await grantedRedirect(request, grants);
  const text = "The sandbox user said no.";
  return refusedRedirect({ ...request, error: "access_denied", text });
}

function readAuthorization(query: URLSearchParams): AuthorizationRequest | Refused | Wrong {
  const value = (name: string): string => query.get(name) ?? "";
  if (value("client_id") !== CODEX_CLIENT_ID) return { wrong: "The client_id is not the one of Codex." };
  const redirectUri = value("redirect_uri");
  if (!REDIRECT_URI.test(redirectUri))
    return { wrong: "The redirect_uri is not registered: it has to be port 1455 or 1457 here, with /auth/callback." };
  if (query.has("originator") && !ORIGINATOR.test(value("originator"))) return { wrong: "missing_required_parameter" };
  const state = value("state");
  const refused = (error: string, text: string): Refused => ({ redirectUri, state, error, text });
  if (value("response_type") !== "code")
    return refused("unsupported_response_type", "The response_type has to be code.");
  if (value("code_challenge_method") !== "S256" || !/^[\w-]{43}$/.test(value("code_challenge")))
    return refused("invalid_request", "PKCE with S256 is required.");
  if (state.length < MINIMUM_STATE_CHARACTERS) return refused("invalid_state", "The state is missing or too short.");
  const scopes = new Set(value("scope").split(" "));
  const unknown = [...scopes].find((one) => !SCOPES.has(one));
  if (unknown !== undefined) return refused("invalid_scope", `The scope '${unknown}' is not known.`);
  return { redirectUri, state, codeChallenge: value("code_challenge"), scope: [...scopes].join(" ") };
}

// What Ory Hydra, which stands behind the real issuer, wants at least.
const MINIMUM_STATE_CHARACTERS = 8;

async function grantedRedirect(request: AuthorizationRequest, grants: Grants): Promise<Response> {
  const code = await grants.add(request);
  return redirect(request.redirectUri, { code, scope: request.scope, state: request.state });
}

function refusedRedirect(refused: Refused): Response {
  const { error, text, state } = refused;
  return redirect(refused.redirectUri, { error, error_description: text, state });
}

function redirect(address: string, parameters: Record<string, string>): Response {
  const location = `${address}?${new URLSearchParams(parameters).toString()}`;
  return new Response(null, {
    status: 302,
    headers: { location, "cache-control": "no-store", "x-patchbay-sandbox": "1" },
  });
}
