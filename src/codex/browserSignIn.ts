import * as oauth from "oauth4webapi";
import type { CodexTokens } from "./credentialStore.ts";
import { CODEX_CLIENT_ID, type OauthIssuer } from "./oauthIssuer.ts";
import { SignInError } from "./signInError.ts";
import { explained } from "./signInRefusal.ts";

/** The ports that the issuer sends a browser back to, in the order of their use. No other is registered. */
export const CALLBACK_PORTS = [1455, 1457] as const;
/** Where the browser is sent back to on them. */
export const CALLBACK_PATH = "/auth/callback";

/** What came back from the browser: the callback's query. */
export type CallbackParameters = URLSearchParams;

/** One attempt to sign in through a browser. */
export interface BrowserSignIn {
  /** The page to open. */
  readonly url: string;
  readonly redirectUri: string;
  /**
   * Takes what came back. Rejects with a `SignInError`: "wrong_state" for what belongs to another attempt, after which this one goes on,
   * and "denied" or "failed" where it is over.
   */
  complete(parameters: CallbackParameters): Promise<CodexTokens>;
  /**
   * Takes what a user pasted: the whole address, `code#state`, `code=…&state=…` or the bare code. Rejects as `complete` does; without
   * a state nothing but the PKCE verifier ties the code to this attempt, which is enough for what its user copied by hand.
   */
  completePasted(pasted: string): Promise<CodexTokens>;
}

/** Starts an attempt, with a verifier, a state and a nonce of its own. */
export async function beginBrowserSignIn(issuer: OauthIssuer, port: number): Promise<BrowserSignIn> {
  const redirectUri = `http://localhost:${port}${CALLBACK_PATH}`;
  const codeVerifier = oauth.generateRandomCodeVerifier();
  const codeChallenge = await oauth.calculatePKCECodeChallenge(codeVerifier);
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();

  async function complete(parameters: CallbackParameters, expectedState: string | typeof oauth.skipStateCheck) {
    const code = codeOf(issuer, parameters, expectedState);
    try {
      return await issuer.exchange({ code, redirectUri, codeVerifier, nonce });
    } catch (error) {
      throw explained(error, "The sign-in");
    }
  }

  return {
    url: issuer.authorizeUrl({ redirectUri, codeChallenge, state, nonce }),
    redirectUri,
    complete: (parameters) => complete(parameters, state),
    async completePasted(pasted) {
      const parameters = pastedParameters(pasted);
      return complete(parameters, parameters.has("state") ? state : oauth.skipStateCheck);
    },
  };
}

function codeOf(
  issuer: OauthIssuer,
  parameters: CallbackParameters,
  expectedState: string | typeof oauth.skipStateCheck,
): string {
  // Only what is looked at: other parameters of the issuer's are no reason to fail.
  const known = new URLSearchParams();
  for (const name of ["code", "state", "error"]) for (const value of parameters.getAll(name)) known.append(name, value);
  let code: string | null;
  try {
    code = oauth
      .validateAuthResponse({ issuer: issuer.baseUrl }, { client_id: CODEX_CLIENT_ID }, known, expectedState)
      .get("code");
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError)
      throw denial(error.error, parameters.get("error_description"));
    throw new SignInError("wrong_state", "This answer belongs to another sign-in: open the newest sign-in page again.");
  }
  if (code === null || code === "") {
    throw new SignInError(
      "wrong_state",
      "No sign-in code is in there: paste the whole address that the browser ended at.",
    );
  }
  return code;
}

function denial(error: string, description: string | null): SignInError {
  if (description === "missing_codex_entitlement") {
    return new SignInError(
      "denied",
      "Codex is not enabled for your workspace: ask its administrator, or sign in with another account.",
    );
  }
  if (error === "access_denied") {
    return new SignInError("denied", "The sign-in was declined in the browser: start again if that was not meant.");
  }
  const code = /^\w{1,64}$/.test(error) ? error : "an unknown error";
  return new SignInError("failed", `The sign-in server reported ${code}: start again.`);
}

function pastedParameters(pasted: string): CallbackParameters {
  // Terminals break long addresses into lines, and some wrap what is copied in quotes.
  const text = pasted.replaceAll(/\s+/g, "").replaceAll(/^["'<]+|["'>]+$/g, "");
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return new URL(text).searchParams;
  if (/(^|[?&])(code|error)=/.test(text)) return new URLSearchParams(text.slice(text.indexOf("?") + 1));
  const [code = "", state] = text.split("#");
  return new URLSearchParams(state === undefined ? { code } : { code, state });
}
