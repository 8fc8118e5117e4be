import type { JsonObject } from "../wire/json.ts";
import type { CodexTokens } from "./credentialStore.ts";
import { CODEX_CLIENT_ID, type OauthIssuer } from "./oauthIssuer.ts";
import { SignInError } from "./signInError.ts";
import { explained } from "./signInRefusal.ts";
import { refusalOf } from "./tokenAnswer.ts";

const CODE_LIFETIME_MS = 15 * 60_000;
const DEFAULT_INTERVAL_S = 5;
const SLOWER_BY_MS = 5_000;

/** Where the answers' authorization code is redirected to in name: no browser ever goes there. */
const REDIRECT_PATH = "/deviceauth/callback";

/** One attempt to sign in with a code that is typed in on another device. */
export interface DeviceSignIn {
  /** The page to open, anywhere. */
  readonly url: string;
  /** What to type in there. */
  readonly userCode: string;
  /** How long the code is good, in milliseconds. */
  readonly lifetimeMs: number;
  /** Resolves when the user has confirmed. Rejects with a `SignInError`, also when the signal says so. */
  complete(signal: AbortSignal): Promise<CodexTokens>;
}

/** The effects of waiting. */
export interface DeviceSignInParts {
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Asks for a code. These steps are OpenAI's own, not those of RFC 8628. Rejects with a `SignInError`. */
export async function beginDeviceSignIn(
  issuer: OauthIssuer,
  { monotonic, wait }: DeviceSignInParts,
): Promise<DeviceSignIn> {
  const { status, body } = await issuer.post("/api/accounts/deviceauth/usercode", { client_id: CODEX_CLIENT_ID });
  if (status === 404) {
    throw new SignInError("denied", "This sign-in server gives no device codes: sign in with a browser instead.");
  }
  if (status !== 200) throw explained(refusalOf(status, body), "The request for a device code");
  const deviceId = text(body?.["device_auth_id"]);
  const userCode = text(body?.["user_code"]) ?? text(body?.["usercode"]);
  if (deviceId === undefined || userCode === undefined) {
    throw new SignInError("failed", "The sign-in server gave no device code: start again in a few minutes.");
  }
  const begun = monotonic();

  return {
    url: `${issuer.baseUrl}/codex/device`,
    userCode,
    lifetimeMs: CODE_LIFETIME_MS,
    async complete(signal) {
      let intervalMs = intervalOf(body?.["interval"]);
      while (monotonic() - begun < CODE_LIFETIME_MS) {
        await wait(intervalMs, signal);
        if (signal.aborted) throw new SignInError("cancelled", "The sign-in was cancelled.");
        const answer = await poll(issuer, { device_auth_id: deviceId, user_code: userCode });
        if (answer === "pending") continue;
        if (answer === "slower") intervalMs += SLOWER_BY_MS;
        else return exchange(issuer, answer);
      }
      throw new SignInError("timed_out", "Nobody confirmed the code within 15 minutes: start again.");
    },
  };
}

async function poll(issuer: OauthIssuer, question: JsonObject): Promise<JsonObject | "pending" | "slower"> {
  let answer;
  try {
    answer = await issuer.post("/api/accounts/deviceauth/token", question);
  } catch (error) {
    // The user may be confirming at this moment: a network that stumbles is no reason to send them away.
    if (error instanceof SignInError && error.problem === "unreachable") return "pending";
    throw error;
  }
  const { status, body } = answer;
  if (status === 200 && body !== undefined) return body;
  const refused = refusalOf(status, body);
  if (refused instanceof SignInError) return status === 429 ? "slower" : "pending";
  const { code } = refused.refusal;
  if (code === "slow_down") return "slower";
  if (code === "access_denied") {
    throw new SignInError("denied", "The sign-in was declined: start again if that was not meant.");
  }
  if (code === "expired_token" || code === "deviceauth_expired") {
    throw new SignInError("timed_out", "The code has expired: start again.");
  }
  // 403 and 404 both mean that nobody has confirmed yet.
  if (
    status === 403 ||
    status === 404 ||
    code === "deviceauth_authorization_pending" ||
    code === "authorization_pending"
  ) {
    return "pending";
  }
  throw explained(refused, "The device code");
}

async function exchange(issuer: OauthIssuer, answer: JsonObject): Promise<CodexTokens> {
  const code = text(answer["authorization_code"]);
  const codeVerifier = text(answer["code_verifier"]);
  if (code === undefined || codeVerifier === undefined) {
    throw new SignInError("failed", "The sign-in server confirmed without a code: start again.");
  }
  try {
    const redirectUri = `${issuer.baseUrl}${REDIRECT_PATH}`;
    return await issuer.exchange({ code, codeVerifier, redirectUri, nonce: undefined });
  } catch (error) {
    throw explained(error, "The sign-in");
  }
}

/** Seconds come as a string. */
function intervalOf(value: unknown): number {
  const seconds = Number(typeof value === "string" || typeof value === "number" ? value : Number.NaN);
  return (Number.isFinite(seconds) ? Math.min(60, Math.max(1, seconds)) : DEFAULT_INTERVAL_S) * 1000;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
