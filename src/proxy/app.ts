import { type Context, Hono } from "hono";
import { ApiError } from "../wire/errors.ts";
import { spoken } from "../wire/retryBait.ts";
import { emptyAnswer, refusal } from "./answers.ts";
import { type Call, loggedPath, normalTarget, pathOf } from "./call.ts";
import { isResponsesPath } from "./endpoint.ts";
import { RelayFailure } from "./exchange.ts";
import { checkBodyHeaders, checkHost, checkOrigin, checkPath, tooLarge } from "./guard.ts";
import { type LocalKey, presentedKey, usableKey } from "./localKey.ts";
import { hasLimits, limitHeaders, noLimits } from "./limitHeaders.ts";
import { addOwnRoutes } from "./ownRoutes.ts";
import type { ProxyApp, ProxyContext, ProxyVariables } from "./proxyApp.ts";
import type { Answered, ProxyParts } from "./proxyParts.ts";
import { addRelayRoutes } from "./relayRoutes.ts";
import { explicitTarget } from "./upstream.ts";

const PREFLIGHT_HEADERS = {
  "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
  "access-control-max-age": "600",
};
const PREFLIGHT_STATUS = 204;

type Refused = Pick<Answered, "param" | "until">;
const NOT_REFUSED: Refused = { param: null, until: null };

/** The proxy as a web-standard application: the contract's TCP routes over the parts that are passed in. */
export function createApp(parts: ProxyParts): ProxyApp {
  const app: ProxyApp = new Hono<{ Variables: ProxyVariables }>({
    getPath: (request) => pathOf(normalTarget(targetOf(request.url)).target),
  });

  app.use(async (context, next) => {
    const call = beginCall(parts, context);
    context.set("call", call);
    const settings = parts.settings();
    checkHost(call.exchange, settings);
    call.origin = checkOrigin(call.exchange.header("origin"), settings);
    if (call.exchange.method === "OPTIONS") {
      tell(call, PREFLIGHT_STATUS, "complete");
      return preflight(call);
    }
    call.upstreamPath = pathOf(upstreamTarget(call.target));
    checkPath(call.upstreamPath);
    checkUpgrade(call);
    checkBodyHeaders(call.exchange, call.upstreamPath, settings);
    await next();
    // A relayed answer may have just begun: its end is told of elsewhere.
    if (!call.relayed) tell(call, context.res.status, "complete");
    return undefined;
  });

  addOwnRoutes(app, parts, keyOf);
  addRelayRoutes(app, parts, keyOf);

  app.notFound((context) => {
    throw new ApiError(
      "unknown_route",
      `Patchbay has no route ${spoken(`${context.req.method} ${loggedPath(context.get("call"))}`, "like this")}: its API starts at /v1.`,
    );
  });

  app.onError((error, context: ProxyContext) => {
    const call = context.get("call") ?? beginCall(parts, context);
    const known = apiErrorOf(error);
    if (known.code === "internal_error")
      parts.log.error("A request failed inside of Patchbay", { id: call.id, cause: error.message });
    const answer = refusal(call, known, context.get("streamedModel"));
    tell(call, answer.status, known.code, known);
    return answer;
  });

  /** Tells the request log about an answer of our own, once. */
  function tell(call: Call, status: number, ending: string, { param, until }: Refused = NOT_REFUSED): void {
    if (call.told) return;
    call.told = true;
    const { key, upstream, model } = call;
    parts.onAnswered({
      id: call.id,
      method: call.exchange.method,
      path: loggedPath(call),
      status,
      keyId: key?.id,
      keyLabel: key?.label,
      upstream,
      model,
      ending,
      param,
      until,
      totalMs: Math.round(parts.clock.monotonic() - call.arrivedAt),
    });
  }

  function keyOf(call: Call): LocalKey {
    const found = presentedKey(call.exchange, call.pathKey, parts.keyRing, parts.settings().allowAnyKey);
    call.key = found.key;
    const key = usableKey(found);
    if (hasLimits(key)) call.limitHeaders = () => limitHeaders(key, parts.admission, parts.clock.now());
    return key;
  }

  function apiErrorOf(error: Error): ApiError {
    if (error instanceof ApiError) return error;
    if (error instanceof RelayFailure) {
      return error.reason === "body_too_large"
        ? tooLarge(parts.settings())
        : new ApiError("invalid_request", "The request's body did not arrive whole: send the request again.");
    }
    return new ApiError(
      "internal_error",
      "Patchbay failed at this request: its log names the cause under this request's id.",
    );
  }

  return app;
}

function beginCall(parts: ProxyParts, context: Context): Call {
  const exchange = parts.exchangeOf(context.req.raw, context.env);
  const { target, pathKey } = normalTarget(exchange.target);
  return {
    exchange,
    id: parts.randomId(),
    startedAt: parts.clock.now(),
    arrivedAt: parts.clock.monotonic(),
    target,
    pathKey,
    upstreamPath: "",
    key: undefined,
    model: undefined,
    upstream: undefined,
    limitHeaders: noLimits,
    origin: undefined,
    relayed: false,
    told: false,
  };
}

/** 426 makes Codex fall back to POST at once; a 404 costs it seven attempts. */
function checkUpgrade({ exchange, upstreamPath }: Call): void {
  if (exchange.method !== "GET" || exchange.header("upgrade") === undefined || !isResponsesPath(upstreamPath)) return;
  throw new ApiError("upgrade_required", "WebSocket is not spoken here: send the request as a POST.");
}

function preflight(call: Call): Response {
  const { exchange } = call;
  const headers: Record<string, string> = {
    ...PREFLIGHT_HEADERS,
    "access-control-allow-headers":
      exchange.header("access-control-request-headers") ?? "authorization, content-type, x-api-key, x-daemon-token",
  };
  if (exchange.header("access-control-request-private-network") === "true")
    headers["access-control-allow-private-network"] = "true";
  return emptyAnswer(call, PREFLIGHT_STATUS, headers);
}

/** The path as the upstream will see it, whichever route leads there; what is no API path stays as it is. */
function upstreamTarget(target: string): string {
  const explicit = /^\/api\/proxy\/[^/?]+/.exec(target);
  if (explicit !== null) return explicitTarget(target.slice(explicit[0].length));
  return target.startsWith("/chat/completions") ? `/v1${target}` : target;
}

/** Path and query of an absolute URL, unparsed: parsing would resolve dots and re-encode. */
function targetOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  return start === -1 ? "/" : url.slice(start);
}
