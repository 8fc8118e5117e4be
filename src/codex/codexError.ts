import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { type CodexFailure, upstreamFailure } from "./codexFailure.ts";
import { fieldsOf } from "./eventFields.ts";
import { type FailureFields, failureFields, shownMessage } from "./failureFields.ts";
import { type HeaderOf, retryAfterSeconds, secondsInText } from "./retryAfter.ts";
import { usageLimitFailure } from "./usageLimit.ts";

/** The way to put a code: its HTTP status, and the type where that is not the upstream's to say. */
const KNOWN: ReadonlyMap<string, { readonly status: number; readonly type?: string }> = new Map([
  // Clients compact their conversation on this code.
  ["context_length_exceeded", { status: 400, type: "invalid_request_error" }],
  ["invalid_prompt", { status: 400, type: "invalid_request_error" }],
  ["data_residency_mismatch", { status: 400, type: "invalid_request_error" }],
  ["usage_not_included", { status: 403 }],
  ["insufficient_quota", { status: 429, type: "insufficient_quota" }],
  ["organization_usage_limit_exceeded", { status: 429 }],
  ["organization_spend_limit_exceeded", { status: 429 }],
  ["budget_reached", { status: 429 }],
  ["rate_limit_exceeded", { status: 429, type: "rate_limit_exceeded" }],
  ["server_is_overloaded", { status: 503, type: "server_error" }],
  ["slow_down", { status: 503, type: "server_error" }],
  ["token_expired", { status: 401, type: "authentication_error" }],
  ["token_invalidated", { status: 401, type: "authentication_error" }],
  ["token_revoked", { status: 401, type: "authentication_error" }],
]);
/** Refusals of what the request holds: safety policies, and pictures that cannot be read. */
const REFUSED_CONTENT = /_policy(?:_|$)|^(?:invalid_image|image_|invalid_base64_image|unsupported_image|empty_image)/;
/** Statuses that mean to a caller what they mean to us. Others of the 400s (432 for workspace routing) become a 400. */
const KEPT_STATUSES = new Set([402, 403, 408, 409, 413, 415, 422, 429]);
const CHALLENGE = /attention required!|enable javascript and cookies|just a moment\.\.\./i;
const REDIRECTED =
  "The Codex backend's address sends requests elsewhere: check its base URL and the network, then send the request again.";
const SIGN_IN_AGAIN = "sign in to ChatGPT again";

/** An HTTP answer of the Codex backend that is an error. `now` is in milliseconds; header names are asked for in lower case. */
export function failureOfAnswer(status: number, header: HeaderOf, body: string, now: number): CodexFailure {
  // Not followed, because the token must not travel.
  if (status >= 300 && status < 400) return upstreamFailure("upstream_no_answer", REDIRECTED);
  if (isPage(header, body)) return pageFailure(status, header, body, now);
  const parsed = parse(body);
  const fields = failureFields(parsed);
  // What came as an answer is no message: it may be one, in a form that was not asked for.
  const told = parsed === undefined && status >= 300 ? { ...fields, message: shownMessage(body) } : fields;
  return failureOf(status, told, header, now);
}

/** An event that ends a stream with a failure: `response.failed`, or `error` in either of its forms. `now` is in milliseconds. */
export function failureOfEvent(event: JsonObject, now: number): CodexFailure {
  const inner = fieldsOf(event["response"])["error"];
  const fields = failureFields(isJsonObject(inner) ? { error: inner } : event);
  const status = event["status"] ?? event["status_code"] ?? fields.more["status"];
  const headers = fieldsOf(event["headers"]);
  const header: HeaderOf = (name) => {
    const value = headers[name];
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
  return failureOf(typeof status === "number" ? status : undefined, fields, header, now);
}

function failureOf(status: number | undefined, fields: FailureFields, header: HeaderOf, now: number): CodexFailure {
  const names = [fields.code, fields.type].filter((name) => name !== undefined);
  if (isUsageLimit(status, names, fields.message)) return usageLimitFailure(fields, header, now);
  const name = names.find((each) => KNOWN.has(each) || REFUSED_CONTENT.test(each));
  const known = name === undefined ? undefined : (KNOWN.get(name) ?? { status: 400, type: "invalid_request_error" });
  const shown = known?.status ?? shownStatus(status, fields);
  const waits = shown === 429 || shown === 503;
  return {
    status: shown,
    message: messageOf(shown, fields),
    type: known?.type ?? typeOf(shown, fields),
    code: fields.code ?? name ?? null,
    param: fields.param,
    retryAfterSeconds: waits ? (retryAfterSeconds(header, now) ?? secondsInText(fields.message ?? "")) : undefined,
  };
}

/** The plan's limit has come as 429, and in older times as 404. */
function isUsageLimit(status: number | undefined, names: readonly string[], message = ""): boolean {
  if (names.includes("usage_limit_reached")) return true;
  return (status === 404 || status === 429) && names.every((name) => !KNOWN.has(name)) && /usage limit/i.test(message);
}

function shownStatus(status: number | undefined, fields: FailureFields): number {
  if (status === undefined) return fields.type === "invalid_request_error" ? 400 : 502;
  if (status === 401) return 401;
  if (status === 404) return /\bitem\b.*\bnot found\b/i.test(fields.message ?? "") ? 404 : 400;
  if (status >= 400 && status < 500) return KEPT_STATUSES.has(status) ? status : 400;
  return status === 503 && /overload/i.test(fields.message ?? "") ? 503 : 502;
}

function typeOf(status: number, { type }: FailureFields): string {
  if (status === 401) return "authentication_error";
  if (status >= 500) return "server_error";
  if (type !== undefined) return type;
  if (status === 429) return "rate_limit_error";
  return status === 402 || status === 403 ? "permission_error" : "invalid_request_error";
}

function messageOf(status: number, { message }: FailureFields): string {
  if (status === 401) {
    if (message === undefined) return `The Codex backend did not accept the sign-in: ${SIGN_IN_AGAIN}.`;
    return /sign(?:ing)? in|log(?:ging)? in/i.test(message)
      ? message
      : `${message.replace(/\.$/, "")}: ${SIGN_IN_AGAIN}.`;
  }
  if (message !== undefined) return message;
  if (status === 403) return "The Codex backend refuses this account: check what its ChatGPT plan includes.";
  if (status === 429) return "The Codex backend takes no more requests for now: wait a little and send it again.";
  if (status === 503) return "The Codex backend has too much to do just now: wait a little and send the request again.";
  if (status >= 500) return "The Codex backend failed without saying why: send the request again.";
  return "The Codex backend refused the request without saying why: check its model and its fields.";
}

/** Web pages come from what stands before the backend, and say nothing to a program. */
function isPage(header: HeaderOf, body: string): boolean {
  if (header("cf-mitigated")?.toLowerCase() === "challenge") return true;
  return /^\s*<(?:!doctype|html|head|body|!--)/i.test(body) || header("content-type")?.includes("text/html") === true;
}

function pageFailure(status: number, header: HeaderOf, body: string, now: number): CodexFailure {
  if (header("cf-mitigated") !== undefined || status === 403 || CHALLENGE.test(body)) {
    const message =
      "Cloudflare, in front of chatgpt.com, blocked the request from this network: another network, or a VPN switched off, may help.";
    return { ...upstreamFailure("upstream_blocked", message), status: 403 };
  }
  if (status === 401 || status === 429) return failureOf(status, failureFields(undefined), header, now);
  return upstreamFailure(
    "upstream_no_answer",
    "A web page came back in the place of the Codex backend's answer: check its base URL and the network, then send the request again.",
  );
}

/** The JSON of a body; undefined where it is none. */
function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
