import { SignInError } from "./signInError.ts";
import { IssuerRefused } from "./tokenAnswer.ts";

/** What went wrong in a sign-in, as a `SignInError`: a refusal by the issuer becomes a sentence, `what` being its subject. */
export function explained(error: unknown, what: string): SignInError {
  if (error instanceof SignInError) return error;
  if (!(error instanceof IssuerRefused)) {
    return new SignInError("failed", `${what} failed for a reason of Patchbay's own: please report it.`, {
      cause: error,
    });
  }
  const { status, code } = error.refusal;
  if (code === "unsupported_country_region_territory") {
    return new SignInError("denied", "OpenAI does not offer sign-in from this country, region or network.");
  }
  if (code === undefined && status === 403) {
    return new SignInError("denied", "The sign-in server turned this network away (status 403): try from another one.");
  }
  return new SignInError(
    "failed",
    `${what} was refused by the server (${code === undefined ? `status ${status}` : code}): start again.`,
  );
}
