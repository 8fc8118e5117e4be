import type { Exchange } from "./exchange.ts";
import { SANDBOX_USER } from "./issuerClaims.ts";
import { errorObject, type Refusal, RefusedError } from "./refusal.ts";
import type { Script } from "./script.ts";
import type { ScriptedError } from "./scriptedError.ts";

/** A refusal in the form of the framework in front of the backend: `{"detail": "..."}`. */
export function refuseDetail(status: number, detail: string, code: string | null = null): RefusedError {
  return new RefusedError({
    status,
    message: detail,
    code,
    param: null,
    retryAfterSeconds: undefined,
    body: { detail },
  });
}

/** A 401 about a token, which repeats its status in the body. */
export function refuseToken(code: string, message: string): RefusedError {
  return new RefusedError(withStatus({ status: 401, message, code, param: null, retryAfterSeconds: undefined }));
}

/** The error that the prompt asked for, in the form that the backend gives to its code. */
export function scriptedCodexRefusal(exchange: Exchange, script: Script, error: ScriptedError): RefusedError {
  const { status, code, message } = error;
  const plain: Refusal = { status, code, message, param: null, retryAfterSeconds: script.retryAfterSeconds };
  switch (code) {
    case "usage_limit_reached":
      return usageLimit(exchange, script, plain, error.waitSeconds ?? DEFAULT_WAIT_SECONDS);
    case "cf_challenge":
      exchange.answerHeaders.set("cf-mitigated", "challenge");
      exchange.answerHeaders.set("server", "cloudflare");
      return new RefusedError({ ...plain, body: CHALLENGE_PAGE });
    case "detail":
      return new RefusedError({ ...plain, body: { detail: message } });
    case null:
    default:
      return new RefusedError(status === 401 ? withStatus(plain) : plain);
  }
}

const DEFAULT_WAIT_SECONDS = 3600;

function withStatus(refusal: Refusal): Refusal {
  return { ...refusal, body: { error: errorObject("codex", refusal), status: refusal.status } };
}

function usageLimit(exchange: Exchange, script: Script, plain: Refusal, waitSeconds: number): RefusedError {
  const { room, entry, answerHeaders } = exchange;
  const { accountId, planType } = entry.codex ?? SANDBOX_USER;
  const user = { ...SANDBOX_USER, accountId, planType };
  if (script.shape.limits !== undefined) room.codex.limits.reshape(user.accountId, script.shape.limits);
  room.codex.limits.tell(user, answerHeaders, waitSeconds);
  const error = {
    type: "usage_limit_reached",
    message: plain.message,
    plan_type: user.planType,
    resets_at: Math.floor(room.clock.now() / 1000) + waitSeconds,
    resets_in_seconds: waitSeconds,
    eligible_promo: null,
  };
  return new RefusedError({ ...plain, body: { error } });
}

const CHALLENGE_PAGE = `<!DOCTYPE html>
<html lang="en-US"><head><title>Just a moment...</title><meta name="robots" content="noindex,nofollow"></head>
<body><h1>Attention Required! | Cloudflare</h1><noscript>Enable JavaScript and cookies to continue</noscript>
<p>This page comes from the Patchbay sandbox, because the prompt asked for it.</p></body></html>
`;
