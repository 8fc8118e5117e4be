import { expectedTokens } from "../ledger/costEstimate.ts";
import type { UpstreamName } from "../ledger/usageRow.ts";
import { isCodexModel } from "../codex/modelNames.ts";
import { SIGN_IN_ADVICE } from "../codex/signInAdvice.ts";
import { ApiError } from "../wire/errors.ts";
import type { ModelQuestion } from "./admission.ts";
import { accessBroughtAlong, borrowedAccess, type BorrowedAccess } from "./borrowedAccess.ts";
import { MAX_MODEL_CHARACTERS } from "./books.ts";
import { type Call, pathOf } from "./call.ts";
import { carriesJson, meteredKind, type MeteredKind } from "./endpoint.ts";
import { forwardBorrowed, forwardToCodex } from "./codexForward.ts";
import type { Destination } from "./destination.ts";
import { forward } from "./forward.ts";
import type { UpstreamCredential } from "./headerPolicy.ts";
import { anonymousKey, bearer, isBounded, LOCAL_KEY_PREFIX, type LocalKey } from "./localKey.ts";
import { routeModel } from "./modelRouting.ts";
import type { ProxyApp, ProxyContext } from "./proxyApp.ts";
import type { ProxyParts } from "./proxyParts.ts";
import { noFacts, readRequestFacts, type RequestFacts } from "./requestFacts.ts";
import { explicitTarget, type Upstream } from "./upstream.ts";

const EXPLICIT_UPSTREAMS = ["openai", "openrouter", "codex"] as const satisfies readonly UpstreamName[];

const FREE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE"]);

/** What is asked for, and by whom. */
type Asked = Pick<Destination, "target" | "kind" | "key" | "facts">;

/** The routes that lead to an upstream. `keyOf` checks the caller's key. */
export function addRelayRoutes(app: ProxyApp, parts: ProxyParts, keyOf: (call: Call) => LocalKey): void {
  app.post("/chat/completions", transparent);

  app.all("/v1/*", (context) => {
    const call = context.get("call");
    const key = keyOf(call);
    const borrowed = borrowedAccess(call, call.target, parts.keyRing);
    return relay(context, call.target, key, borrowed, (facts, kind) =>
      upstreamNameOf(kind, facts, borrowed !== undefined),
    );
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
    choose: (facts: RequestFacts, kind: MeteredKind) => UpstreamName | Promise<UpstreamName>,
  ): Promise<Response> {
    const call = context.get("call");
    const kind = meteredKind(call.exchange.method, pathOf(target));
    const facts = await factsOf(call, target, key);
    if (facts.stream) context.set("streamedModel", facts.model);
    call.model = facts.model?.slice(0, MAX_MODEL_CHARACTERS) ?? null;
    const toCome = parts.credentialsToCome?.();
    if (toCome !== undefined) await toCome;
    const chosen = choose(facts, kind);
    const name = typeof chosen === "string" ? chosen : await chosen;
    call.upstream = name;
    // Before it is known whether anybody serves the model.
    parts.admission.checkModel(key, modelQuestion(call, kind, facts));
    const asked = { target, kind, key, facts };
    if (name === "codex") return relayToCodex(call, asked, borrowed);
    const upstream = configured(parts, name, "key");
    const credential: UpstreamCredential = { kind: "key", key: upstream.apiKey ?? "" };
    return admitted(call, { upstream, credential, ...asked }, (destination) => forward(parts, call, destination));
  }

  function relayToCodex(call: Call, asked: Asked, borrowed: BorrowedAccess | undefined): Promise<Response> {
    const upstream = configured(parts, "codex", "address");
    const { codex } = parts;
    if (codex === undefined) throw new ApiError("upstream_not_configured", NOT_CONFIGURED.codex);
    if (borrowed === undefined) {
      // To answer it with our own sign-in would use another account than the caller means.
      if (accessBroughtAlong(call, parts.keyRing) !== undefined) {
        throw new ApiError(
          "invalid_request",
          "A ChatGPT token of your own is passed on for Responses requests only: ask /v1/responses, or send this without it.",
        );
      }
      const credential: UpstreamCredential = { kind: "sign_in" };
      return admitted(call, { upstream, credential, ...asked }, (destination) =>
        forwardToCodex(parts, codex, call, destination),
      );
    }
    const credential: UpstreamCredential = { kind: "callers_own" };
    return admitted(call, { upstream, credential, ...asked }, (destination) =>
      forwardBorrowed(parts, codex, call, destination, borrowed),
    );
  }

  /** Lets a request go on that its key allows, and sees to it that what it holds is given back where it never goes out. */
  async function admitted(
    call: Call,
    asked: Omit<Destination, "admitted">,
    work: (destination: Destination) => Promise<Response>,
  ): Promise<Response> {
    const { key, facts, kind, upstream } = asked;
    const question = modelQuestion(call, kind, facts);
    const { model } = question;
    call.model ??= model;
    // A bound that the backend is not told of bounds nothing.
    const expected = asked.credential.kind === "sign_in" ? { ...facts, maxOutputTokens: undefined } : facts;
    const admission = parts.admission.admit(key, {
      ...question,
      requestId: call.id,
      startedAt: call.startedAt,
      estimate: () => (isFree(call, kind) ? 0 : dearest(upstream.name, model, expected)),
      expectedTokens: () => (kind.kind === "metered" ? tokensOf(expected) : 0),
    });
    try {
      return await work({ ...asked, admitted: admission });
    } catch (error) {
      admission.end();
      throw error;
    }
  }

  /** The estimate of the dearest model that may answer; undefined where the price of one of them is not known. */
  function dearest(upstream: UpstreamName, model: string | null, facts: RequestFacts): number | undefined {
    let most = 0;
    for (const one of [model, ...facts.fallbackModels]) {
      const estimate = parts.estimate(upstream, one, facts);
      if (estimate === undefined) return undefined;
      most = Math.max(most, estimate);
    }
    return most;
  }

  function modelQuestion(call: Call, kind: MeteredKind, facts: RequestFacts): ModelQuestion {
    const isMetered = kind.kind === "metered";
    const model = facts.model ?? (isMetered ? (parts.settings().defaultModel ?? null) : null);
    const { fallbackModels } = facts;
    return { model, fallbackModels, namesModel: isMetered || call.exchange.method === "POST" };
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
    const kind = meteredKind(call.exchange.method, pathOf(target));
    return admitted(call, { upstream, credential: { kind: "callers_own" }, target, kind, key, facts }, (destination) =>
      forward(parts, call, destination),
    );
  }

  function factsOf(call: Call, target: string, key: LocalKey): Promise<RequestFacts> | RequestFacts {
    if (call.exchange.method !== "POST" || !carriesJson(pathOf(target))) return noFacts;
    const { maximumBodyBytes } = parts.settings();
    return readRequestFacts(
      call.exchange,
      maximumBodyBytes,
      parts.decodeBody,
      isBounded(key) || key.models !== undefined,
    );
  }

  /** A stored response is asked for where it was made; everything else goes by its model. */
  function upstreamNameOf(
    kind: MeteredKind,
    facts: RequestFacts,
    isBorrowed: boolean,
  ): UpstreamName | Promise<UpstreamName> {
    const { routes, defaultModel } = parts.settings();
    if (kind.kind === "settles") {
      for (const name of EXPLICIT_UPSTREAMS)
        if (parts.usage.findByResponseId(name, kind.responseId) !== undefined) return name;
    }
    // A client that is signed in with ChatGPT itself asks for what its plan has, known here or not.
    if (isBorrowed) return routeModel(facts.model, routes, () => "codex");
    return routeModel(facts.model ?? (kind.kind === "metered" ? (defaultModel ?? null) : null), routes, plainUpstream);
  }

  function plainUpstream(model: string | null): UpstreamName | Promise<UpstreamName> {
    const { codex } = parts;
    if (model === null || codex === undefined) return "openai";
    const isCodex = (): boolean => isCodexModel(model, codex.catalogue.models(), codex.aliases());
    const ofPlan = async (): Promise<UpstreamName> => ((await codex.isSignedIn()) ? "codex" : "openai");
    if (isCodex()) return ofPlan();
    // A plan's newest model must not cost money for want of a list that has it.
    const asked = codex.catalogue.askedOnce();
    return asked === undefined ? "openai" : asked.then(() => (isCodex() ? ofPlan() : "openai"));
  }
}

function tokensOf(facts: RequestFacts): number {
  const { input, output } = expectedTokens({ ...facts, bodyBytes: facts.bodyBytes ?? 0 });
  return input + output;
}

/** Reading, ending and deleting cost nothing; whatever else carries no usage has a price that nobody knows. */
function isFree(call: Call, kind: MeteredKind): boolean {
  return kind.kind === "settles" || (kind.kind === "unmetered" && FREE_METHODS.has(call.exchange.method));
}

function configured(parts: ProxyParts, name: UpstreamName, needs: "key" | "address"): Upstream {
  const upstream = parts.settings().upstreams[name];
  if (upstream !== undefined && (needs === "address" || upstream.apiKey !== undefined)) return upstream;
  throw new ApiError("upstream_not_configured", NOT_CONFIGURED[name]);
}

const NOT_CONFIGURED: Readonly<Record<UpstreamName, string>> = {
  openai: `This model is OpenAI's, and no OpenAI key is set: set OPENAI_API_KEY (in VS Code: 'Patchbay: Set OpenAI API Key'), ${SIGN_IN_ADVICE} to use a ChatGPT plan, or use an OpenRouter model such as openai/gpt-5.5.`,
  openrouter:
    "This model is OpenRouter's, and no OpenRouter key is set: set OPENROUTER_API_KEY (in VS Code: 'Patchbay: Set OpenRouter API Key'), or use a model of OpenAI's.",
  codex: `This model is served with a ChatGPT sign-in, and nobody is signed in: ${SIGN_IN_ADVICE}.`,
};
