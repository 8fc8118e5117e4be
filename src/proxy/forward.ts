import { ApiError } from "../wire/errors.ts";
import { changeBody } from "./bodyChange.ts";
import { type Call, loggedPath, pathOf } from "./call.ts";
import { meteredKind, type MeteredKind } from "./endpoint.ts";
import { RelayFailure, type RelayObserver, type RelayOutcome } from "./exchange.ts";
import { tooLarge } from "./guard.ts";
import { type UpstreamCredential, upstreamHeaders } from "./headerPolicy.ts";
import { checkTarget, type LocalKey } from "./localKey.ts";
import type { ProxyParts } from "./proxyParts.ts";
import { meteringObserver, passingObserver } from "./relayObservers.ts";
import type { RequestFacts } from "./requestFacts.ts";
import { recoverGeneration, settleResponse } from "./settlement.ts";
import { type Upstream, upstreamUrl } from "./upstream.ts";
import { type MeteredAnswer, type MeteredRequest, usageRow } from "./usageRecorder.ts";

/** Where a request goes, and on whose account. */
export interface Destination {
  readonly upstream: Upstream;
  readonly credential: UpstreamCredential;
  /** Path and query that begin with `/v1`. */
  readonly target: string;
  readonly key: LocalKey;
  readonly facts: RequestFacts;
}

/** The books keep this much of a model's name; whoever sends a longer one wants to fill the disk. */
const MAX_MODEL_CHARACTERS = 256;

/** The status that the books bear when the client was gone before any answer (nginx's; never sent). */
const CLIENT_CLOSED_REQUEST = 499;

/** Relays one request, metered where its endpoint carries usage. Throws an `ApiError` when nothing could be relayed. */
export async function forward(parts: ProxyParts, call: Call, destination: Destination): Promise<Response> {
  const { exchange } = call;
  const { upstream, credential, target, key, facts } = destination;
  const settings = parts.settings();
  const kind = meteredKind(exchange.method, pathOf(target));
  checkTarget(target, parts.keyRing);
  const books = bookkeeping(parts, call, destination, kind);
  try {
    const defaultModel = credential.kind === "key" ? settings.defaultModel : undefined;
    const request = { facts, upstream, key, defaultModel };
    const change = await changeBody(exchange, kind, request, parts.decodeBody);
    const headers = upstreamHeaders(exchange.headers, credential, {
      dropEncoding: change !== undefined,
      plainAnswer: change?.hidesUsage === true,
    });
    call.relayed = true;
    return await exchange.relay(
      { url: upstreamUrl(upstream, target), method: exchange.method, headers, body: change?.body ?? bodyOf(call) },
      books.observer(change?.hidesUsage === true),
    );
  } catch (error) {
    if (!(error instanceof RelayFailure)) throw error;
    const refusal = failureOf(error, upstream) ?? tooLarge(settings);
    books.failed(error.reason === "client_left" ? CLIENT_CLOSED_REQUEST : refusal.status, error);
    throw refusal;
  }
}

/** What is written down about one request, whichever way it ends. */
interface Books {
  observer(hideUsage: boolean): RelayObserver;
  failed(status: number, failure: RelayFailure): void;
}

function bookkeeping(parts: ProxyParts, call: Call, destination: Destination, kind: MeteredKind): Books {
  const { upstream, credential, key, facts } = destination;
  const filledIn = kind.kind === "metered" && credential.kind === "key" ? parts.settings().defaultModel : undefined;
  const asked = facts.model ?? filledIn ?? null;
  const request: MeteredRequest = {
    call,
    keyId: key.id,
    upstream: upstream.name,
    endpoint: kind.kind === "metered" ? kind.endpoint : "responses",
    modelAsked: asked === null ? null : asked.slice(0, MAX_MODEL_CHARACTERS),
    bodyBytes: facts.bodyBytes,
  };

  function answered(status: number, ending: string): void {
    call.told = true;
    parts.onAnswered({
      id: call.id,
      method: call.exchange.method,
      path: loggedPath(call),
      status,
      keyId: key.id,
      upstream: upstream.name,
      model: request.modelAsked,
      ending,
      totalMs: Math.round(parts.clock.monotonic() - call.arrivedAt),
    });
  }

  function settle(answer: MeteredAnswer): void {
    switch (kind.kind) {
      case "metered": {
        const row = usageRow(request, answer, parts.clock, parts.costOf);
        parts.usage.record(row);
        if (answer.generationId !== null && row.usageSource !== "reported" && answer.began) {
          recoverGeneration(parts, upstream, row, answer.generationId);
        }
        break;
      }
      case "settles":
        settleResponse(parts.usage, parts.costOf, upstream.name, kind.responseId, answer);
        break;
      case "unmetered":
        break;
    }
    answered(answer.status, answer.ending);
  }

  return {
    observer(hideUsage) {
      const keyIsOurs = destination.credential.kind === "key";
      if (kind.kind === "unmetered") {
        return passingObserver(call, keyIsOurs, (status: number, outcome: RelayOutcome) => answered(status, outcome));
      }
      return meteringObserver(request, {
        clock: parts.clock,
        createDecoder: parts.createDecoder,
        settle,
        hideUsage,
        keyIsOurs,
      });
    },
    failed(status, failure) {
      if (failure.reason !== "client_left" && failure.reason !== "body_too_large") {
        const { cause } = failure;
        parts.log.warn("The upstream could not be reached", {
          upstream: upstream.name,
          reason: failure.reason,
          cause: cause instanceof Error ? cause.message : undefined,
        });
      }
      const ending = failure.reason === "client_left" ? "client_left" : "upstream_cut";
      settle({ reading: undefined, status, ending, firstTokenAt: null, generationId: null, began: false });
      parts.usage.flush();
    },
  };
}

/** The sentence for a failure before the first byte; undefined for a body above the limit, which has its own. */
function failureOf(failure: RelayFailure, upstream: Upstream): ApiError | undefined {
  const host = new URL(upstream.baseUrl).host;
  switch (failure.reason) {
    case "body_too_large":
      return undefined;
    case "upstream_timeout":
      return new ApiError(
        "upstream_timeout",
        `The upstream ${host} did not answer in time: check its status page and the network.`,
      );
    case "upstream_unreachable":
      return new ApiError(
        "upstream_unreachable",
        `The upstream ${host} cannot be reached: check the network, the proxy settings and the upstream's base URL.`,
      );
    case "upstream_cut":
    case "client_left":
      return new ApiError(
        "upstream_unreachable",
        `The upstream ${host} closed the connection before it answered: send the request again.`,
      );
  }
}

function bodyOf(call: Call): "client" | "none" {
  const length = call.exchange.header("content-length");
  if (call.exchange.header("transfer-encoding") !== undefined) return "client";
  return length === undefined || length === "0" ? "none" : "client";
}
