import type { UpstreamName } from "../ledger/usageRow.ts";
import { isCodexModel } from "../codex/modelNames.ts";
import { ApiError } from "../wire/errors.ts";
import { borrowedAccess, type BorrowedAccess } from "./borrowedAccess.ts";
import { type Call, pathOf } from "./call.ts";
import { carriesJson, meteredKind } from "./endpoint.ts";
import { forwardBorrowed, forwardToCodex } from "./codexForward.ts";
import type { Destination } from "./destination.ts";
import { forward } from "./forward.ts";
import type { UpstreamCredential } from "./headerPolicy.ts";
import { anonymousKey, bearer, LOCAL_KEY_PREFIX, type LocalKey } from "./localKey.ts";
import { routeModel } from "./modelRouting.ts";
import type { ProxyApp, ProxyContext } from "./proxyApp.ts";
import type { ProxyParts } from "./proxyParts.ts";
import { noFacts, readRequestFacts, type RequestFacts } from "./requestFacts.ts";
import { explicitTarget, type Upstream } from "./upstream.ts";

const EXPLICIT_UPSTREAMS = ["openai", "openrouter", "codex"] as const satisfies readonly UpstreamName[];

/** The routes that lead to an upstream. `keyOf` checks the caller's key. */
export function addRelayRoutes(app: ProxyApp, parts: ProxyParts, keyOf: (call: Call) => LocalKey): void {
  app.post("/chat/completions", transparent);

  app.all("/v1/*", (context) => {
    const call = context.get("call");
    const key = keyOf(call);
    const borrowed = borrowedAccess(call, call.target, parts.keyRing);
    return relay(context, call.target, key, borrowed, (facts) => upstreamNameOf(call, facts, borrowed !== undefined));
  });

  for (const name of EXPLICIT_UPSTREAMS) {
    const prefix = `/api/proxy/${name}`;
    const explicit = (context: ProxyContext): Promise<Response> => {
      const call = context.get("call");
      const target = explicitTarget(call.target.slice(prefix.length));
      const key = keyOf(call);
      const borrowed = name === "codex" ? borrowedAccess(call, target, parts.keyRing) : undefined;
      return relay(context, target, key, borrowed, () => name);
    };
    app.all(prefix, explicit);
    app.all(`${prefix}/*`, explicit);
  }

  async function relay(
    context: ProxyContext,
    target: string,
    key: LocalKey,
    borrowed: BorrowedAccess | undefined,
    choose: (facts: RequestFacts) => UpstreamName | Promise<UpstreamName>,
  ): Promise<Response> {
    const call = context.get("call");
    const facts = await factsOf(call, target, key);
    if (facts.stream) context.set("streamedModel", facts.model);
    const name = await choose(facts);
    if (name === "codex") return relayToCodex(call, target, key, facts, borrowed);
    const upstream = configured(parts, name, "key");
    parts.admission.admit(key);
    const credential: UpstreamCredential = { kind: "key", key: upstream.apiKey ?? "" };
    const destination: Destination = { upstream, credential, target, key, facts };
    return forward(parts, call, destination);
  }

  function relayToCodex(
    call: Call,
    target: string,
    key: LocalKey,
    facts: RequestFacts,
    borrowed: BorrowedAccess | undefined,
  ): Promise<Response> {
    const upstream = configured(parts, "codex", "address");
    const { codex } = parts;
    if (codex === undefined) throw new ApiError("upstream_not_configured", NOT_CONFIGURED.codex);
    parts.admission.admit(key);
    if (borrowed === undefined) {
      return forwardToCodex(parts, codex, call, { upstream, credential: { kind: "sign_in" }, target, key, facts });
    }
    const credential: UpstreamCredential = { kind: "callers_own" };
    return forwardBorrowed(parts, codex, call, { upstream, credential, target, key, facts }, borrowed);
  }

  /** The caller's own OpenAI key goes upstream untouched: it is not stored, not logged, and judged by the upstream alone. */
  async function transparent(context: ProxyContext): Promise<Response> {
    const call = context.get("call");
    const presented = bearer(call.exchange);
    if (presented === undefined || presented === "") {
      throw new ApiError(
        "invalid_api_key",
        "This route passes your own OpenAI key on: send it as 'Authorization: Bearer KEY'.",
      );
    }
    if (presented.startsWith(LOCAL_KEY_PREFIX) || parts.keyRing?.find(presented) !== undefined) {
      throw new ApiError(
        "invalid_api_key",
        "A Patchbay key is no OpenAI key: send it to /v1/chat/completions instead.",
      );
    }
    const upstream = configured(parts, "openai", "address");
    const target = `/v1${call.target}`;
    const key = anonymousKey("transparent");
    const facts = await factsOf(call, target, key);
    return forward(parts, call, { upstream, credential: { kind: "callers_own" }, target, key, facts });
  }

  function factsOf(call: Call, target: string, key: LocalKey): Promise<RequestFacts> | RequestFacts {
    if (call.exchange.method !== "POST" || !carriesJson(pathOf(target))) return noFacts;
    const { maximumBodyBytes } = parts.settings();
    return readRequestFacts(call.exchange, maximumBodyBytes, parts.decodeBody, key.quotaTokens !== undefined);
  }

  /** A stored response is asked for where it was made; everything else goes by its model. */
  function upstreamNameOf(call: Call, facts: RequestFacts, isBorrowed: boolean): UpstreamName | Promise<UpstreamName> {
    const { routes, defaultModel } = parts.settings();
    const kind = meteredKind(call.exchange.method, pathOf(call.target));
    if (kind.kind === "settles") {
      for (const name of EXPLICIT_UPSTREAMS)
        if (parts.usage.findByResponseId(name, kind.responseId) !== undefined) return name;
    }
    // A client that is signed in with ChatGPT itself asks for what its plan has, known here or not.
    if (isBorrowed) return routeModel(facts.model, routes, () => "codex");
    return routeModel(facts.model ?? (kind.kind === "metered" ? (defaultModel ?? null) : null), routes, plainUpstream);
  }

  async function plainUpstream(model: string | null): Promise<UpstreamName> {
    const { codex } = parts;
    if (model === null || codex === undefined) return "openai";
    const isCodex = isCodexModel(model, codex.catalogue.models(), codex.aliases());
    return isCodex && (await codex.isSignedIn()) ? "codex" : "openai";
  }
}

function configured(parts: ProxyParts, name: UpstreamName, needs: "key" | "address"): Upstream {
  const upstream = parts.settings().upstreams[name];
  if (upstream !== undefined && (needs === "address" || upstream.apiKey !== undefined)) return upstream;
  throw new ApiError("upstream_not_configured", NOT_CONFIGURED[name]);
}

const NOT_CONFIGURED: Readonly<Record<UpstreamName, string>> = {
  openai:
    "This model is OpenAI's, and no OpenAI key is set: set OPENAI_API_KEY, or use an OpenRouter model such as openai/gpt-5.5.",
  openrouter:
    "This model is OpenRouter's, and no OpenRouter key is set: set OPENROUTER_API_KEY, or use a model of OpenAI's.",
  codex: "This model is served with a ChatGPT sign-in, and nobody is signed in: run 'patchbay login'.",
};
