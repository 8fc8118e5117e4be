import * as oauth from "oauth4webapi";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import type { CodexTokens } from "./credentialStore.ts";
import { SignInError } from "./signInError.ts";
import { type GivenTokens, IssuerRefused, readJson, readTokenAnswer } from "./tokenAnswer.ts";
import { accountIdOf, claimsOf } from "./tokenClaims.ts";

/** The public client that Codex CLI is, and the only one whose tokens the Codex backend takes. It has no secret. */
export const CODEX_CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann";

/** Who we say we are. */
const ORIGINATOR = "patchbay";
const SCOPE = "openid profile email offline_access";
const REQUEST_TIMEOUT_MS = 30_000;
const REVOKE_TIMEOUT_MS = 10_000;

/** Where a sign-in is made, and how it is reached. */
export interface IssuerParts {
  /** `https://auth.openai.com`. Plain http is taken for a loopback address only. */
  readonly baseUrl: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** `patchbay/1.2.3`. */
  readonly userAgent: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The code that a confirmed sign-in came back with, and what proves that it is ours. */
export interface AuthorizationCode {
  readonly code: string;
  readonly redirectUri: string;
  readonly codeVerifier: string;
  /** Checked where the id token carries one; undefined where none was sent. */
  readonly nonce: string | undefined;
}

/** What an authorization request says of itself. */
export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly state: string;
  readonly nonce: string;
}

/** OpenAI's sign-in server. What it refuses rejects with `IssuerRefused`, everything else with a `SignInError`. */
export interface OauthIssuer {
  readonly baseUrl: string;
  /** The page where the user says yes. */
  authorizeUrl(request: AuthorizationRequest): string;
  exchange(code: AuthorizationCode): Promise<CodexTokens>;
  /** Spends the refresh token: what comes back has to be stored before anything else. */
  refresh(tokens: CodexTokens): Promise<CodexTokens>;
  /** Ends the sign-in at the issuer. */
  revoke(tokens: CodexTokens): Promise<void>;
  /** Posts JSON to one of the issuer's own paths; the answer has any status. */
  post(path: string, body: JsonObject): Promise<{ readonly status: number; readonly body: JsonObject | undefined }>;
}

/** Throws a `SignInError` for a base URL that is neither https nor http on a loopback address. */
export function createOauthIssuer({ baseUrl: written, fetch, userAgent, now }: IssuerParts): OauthIssuer {
  const baseUrl = checkedBaseUrl(written);
  const server: oauth.AuthorizationServer = {
    issuer: baseUrl,
    authorization_endpoint: `${baseUrl}/oauth/authorize`,
    token_endpoint: `${baseUrl}/oauth/token`,
  };
  const client: oauth.Client = { client_id: CODEX_CLIENT_ID };
  const headers = { originator: ORIGINATOR, "user-agent": userAgent };
  const options = (timeoutMs: number): oauth.TokenEndpointRequestOptions => ({
    [oauth.customFetch]: (url, init) => reach(url, { ...init, body: init.body.toString() }, fetch),
    [oauth.allowInsecureRequests]: baseUrl.startsWith("http:"),
    headers,
    signal: AbortSignal.timeout(timeoutMs),
  });

  async function post(path: string, body: JsonObject, timeoutMs = REQUEST_TIMEOUT_MS) {
    const response = await reach(
      `${baseUrl}${path}`,
      {
        method: "POST",
        headers: { ...headers, accept: "application/json", "content-type": "application/json" },
        body: JSON.stringify(body),
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      },
      fetch,
    );
    return { status: response.status, body: await readJson(response) };
  }

  return {
    baseUrl,
    authorizeUrl({ redirectUri, codeChallenge, state, nonce }) {
      // No `originator`: one that the page does not know ends in `missing_required_parameter`, and theirs is not ours to claim.
      const query = new URLSearchParams({
        response_type: "code",
        client_id: CODEX_CLIENT_ID,
        redirect_uri: redirectUri,
        code_challenge: codeChallenge,
        code_challenge_method: "S256",
        state,
        nonce,
        scope: SCOPE,
        id_token_add_organizations: "true",
        codex_cli_simplified_flow: "true",
      });
      return `${server.authorization_endpoint}?${query.toString()}`;
    },
    async exchange({ code, redirectUri, codeVerifier, nonce }) {
      // The state was checked by whoever took the code in; the library wants to have seen the answer all the same.
      const answer = oauth.validateAuthResponse(server, client, new URLSearchParams({ code }), oauth.skipStateCheck);
      const given = await readTokenAnswer(
        await oauth.authorizationCodeGrantRequest(
          server,
          client,
          oauth.None(),
          answer,
          redirectUri,
          codeVerifier,
          options(REQUEST_TIMEOUT_MS),
        ),
      );
      return signedIn(given, nonce, now());
    },
    async refresh(tokens) {
      if (tokens.refreshToken === undefined) throw new SignInError("expired", "This sign-in cannot be refreshed.");
      const given = await readTokenAnswer(
        await oauth.refreshTokenGrantRequest(
          server,
          client,
          oauth.None(),
          tokens.refreshToken,
          options(REQUEST_TIMEOUT_MS),
        ),
      );
      return {
        accessToken: given.accessToken ?? tokens.accessToken,
        refreshToken: given.refreshToken ?? tokens.refreshToken,
        idToken: given.idToken ?? tokens.idToken,
        accountId: tokens.accountId,
        refreshedAt: now(),
      };
    },
    async revoke({ refreshToken, accessToken }) {
      // JSON, not the standard's form: what Codex 0.169 was seen to send.
      const { status } = await post(
        "/oauth/revoke",
        refreshToken === undefined
          ? { token: accessToken, token_type_hint: "access_token" }
          : { token: refreshToken, token_type_hint: "refresh_token", client_id: CODEX_CLIENT_ID },
        REVOKE_TIMEOUT_MS,
      );
      if (status < 200 || status > 299) throw new IssuerRefused({ status, code: undefined, description: undefined });
    },
    post: (path, body) => post(path, body),
  };
}

function signedIn(given: GivenTokens, nonce: string | undefined, now: number): CodexTokens {
  if (given.accessToken === undefined) {
    throw new SignInError("failed", "The sign-in server gave no access token: start again in a few minutes.");
  }
  const told = claimsOf(given.idToken)?.["nonce"];
  if (nonce !== undefined && told !== undefined && told !== nonce) {
    throw new SignInError("failed", "The sign-in server answered another sign-in than this one: start again.");
  }
  const tokens = { ...given, accessToken: given.accessToken, accountId: undefined, refreshedAt: now };
  return { ...tokens, accountId: accountIdOf(tokens) };
}

async function reach(url: string, init: RequestInit, fetch: IssuerParts["fetch"]): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    const origin = new URL(url).origin;
    const late = error instanceof Error && error.name === "TimeoutError";
    throw new SignInError(
      "unreachable",
      late
        ? `The sign-in server ${origin} does not answer: check its status page and the network.`
        : `The sign-in server ${origin} cannot be reached${reasonOf(error)}: check the network and the proxy settings.`,
    );
  }
}

/** The system's code, which is all that helps and nothing that is secret. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  const code = isJsonObject(cause) ? cause["code"] : undefined;
  return typeof code === "string" && /^[A-Z_0-9]+$/.test(code) ? ` (${code})` : "";
}

function checkedBaseUrl(written: string): string {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  const isLoopback = url !== undefined && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url === undefined || !(url.protocol === "https:" || (url.protocol === "http:" && isLoopback))) {
    throw new SignInError(
      "failed",
      "The sign-in server's address has to be an https URL: tokens would travel in the clear otherwise.",
    );
  }
  return url.href.replace(/\/+$/, "");
}
