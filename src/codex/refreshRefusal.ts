import { SIGN_IN_ADVICE } from "./signInAdvice.ts";
import { SignInError } from "./signInError.ts";
import type { IssuerRefused } from "./tokenAnswer.ts";

/** Why tokens that are good for nothing any more are not refreshed. */
export function notAllowed(hasRefreshToken: boolean): SignInError {
  return new SignInError(
    "expired",
    hasRefreshToken
      ? `The access token of the ChatGPT sign-in is no longer good, and refreshing it is turned off: ${SIGN_IN_ADVICE}, or start with --allow-refresh.`
      : "The ChatGPT access token is no longer good, and there is no refresh token with it: provide a new one.",
  );
}

/**
 * What a refused refresh means. Permanent for 401 and the codes that say that the refresh token is spent or ended, as Codex has it, and for
 * the standard's `invalid_grant`; everything else may pass. `interrupted`: an earlier refresh with the same token was never heard of again.
 */
export function endOfSignIn(
  refused: IssuerRefused,
  interrupted: boolean,
): { readonly permanent: boolean; readonly error: SignInError } {
  const { status, code } = refused.refusal;
  const ended = (message: string) => ({ permanent: true, error: new SignInError("expired", message) });
  const isSpent = code === "refresh_token_reused" || code === "refresh_token_invalidated" || code === "invalid_grant";
  if (interrupted && (isSpent || (status === 401 && code === undefined))) {
    return ended(
      `The ChatGPT sign-in was lost, because a refresh was interrupted before its answer could be stored: ${SIGN_IN_ADVICE}.`,
    );
  }
  switch (code) {
    case "refresh_token_expired":
      return ended(`The ChatGPT sign-in has expired: ${SIGN_IN_ADVICE}.`);
    case "refresh_token_invalidated":
      return ended(`The ChatGPT sign-in was revoked: ${SIGN_IN_ADVICE}.`);
    case "refresh_token_reused":
    case "invalid_grant":
      return ended(
        `The refresh token of the ChatGPT sign-in is no longer good, because another program used it or a refresh was interrupted: ${SIGN_IN_ADVICE}.`,
      );
    case "unsupported_country_region_territory":
      return {
        permanent: false,
        error: new SignInError(
          "unreachable",
          "OpenAI does not refresh sign-ins from this country, region or network: change the network.",
        ),
      };
    case undefined:
    default:
      if (status === 401)
        return ended(`The ChatGPT sign-in is no longer accepted (${code ?? "status 401"}): ${SIGN_IN_ADVICE}.`);
      return {
        permanent: false,
        error: new SignInError(
          "unreachable",
          `The sign-in server refused to refresh the ChatGPT sign-in (${code ?? `status ${status}`}).`,
        ),
      };
  }
}
