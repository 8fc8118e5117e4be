import type { Ending, Endpoint } from "../ledger/usageRow.ts";
import { ApiError } from "../wire/errors.ts";
import type { AnswerMeter } from "./answerReading.ts";
import { type Call, loggedPath } from "./call.ts";
import type { RelayFailure, RelayObserver, RelayOutcome } from "./exchange.ts";
import { clientName } from "./clientIdentity.ts";
import type { Destination } from "./destination.ts";
import { tooLarge } from "./guard.ts";
import { KEY_REVOKED } from "./localKey.ts";
import type { LiveRequest } from "./liveRequests.ts";
import type { ProxyParts } from "./proxyParts.ts";
import type { ProxySettings } from "./proxySettings.ts";
import { meteringObserver, passingObserver } from "./relayObservers.ts";
import { recoverUsage, settleResponse } from "./settlement.ts";
import type { Upstream } from "./upstream.ts";
import { goesOn, type MeteredAnswer, type MeteredRequest, usageRow } from "./usageRecorder.ts";

/** The books keep this much of a model's name; whoever sends a longer one wants to fill the disk. */
export const MAX_MODEL_CHARACTERS = 256;

/** The status that the books bear when the client was gone before any answer (nginx's; never sent). */
export const CLIENT_CLOSED_REQUEST = 499;

/** What is written down about one request, whichever way it ends. */
export interface Books {
  /** Reads one answer along and writes its row. */
  observer(reading?: AnswerTraits): RelayObserver;
  /** The request was refused by us after it had been upstream once: writes that down. */
  refused(status: number): void;
  /** Nothing could be relayed: writes that down and returns the refusal for the client. */
  failed(failure: RelayFailure, settings: ProxySettings): ApiError;
}

/** What is special about an answer. */
export interface AnswerTraits {
  /** Take out the usage that we asked for and the caller did not. */
  readonly hidesUsage?: boolean;
  /** The endpoint whose language the upstream speaks, where it is not the one that was asked. */
  readonly spokenEndpoint?: Endpoint;
  /** Is told of the events of a stream by whoever translates it. */
  readonly streamMeter?: AnswerMeter | undefined;
  /** The status that the client gets in place of the upstream's; undefined for the upstream's. */
  readonly shownStatus?: () => number | undefined;
}

/** The books of one request. */
export function bookkeeping(parts: ProxyParts, call: Call, destination: Destination): Books {
  const { upstream, credential, kind, key, facts } = destination;
  const filledIn = kind.kind === "metered" && credential.kind === "key" ? parts.settings().defaultModel : undefined;
  const asked = facts.model ?? filledIn ?? null;
  const request: MeteredRequest = {
    call,
    keyId: key.id,
    upstream: upstream.name,
    endpoint: kind.kind === "metered" ? kind.endpoint : "responses",
    modelAsked: asked === null ? null : asked.slice(0, MAX_MODEL_CHARACTERS),
    client: clientName(call.exchange),
    bodyBytes: facts.bodyBytes,
  };

  let live: LiveRequest | undefined;

  function watched(): LiveRequest {
    live ??= parts.liveRequests.begin({
      id: call.id,
      startedAt: call.startedAt,
      arrivedAt: call.arrivedAt,
      keyId: key.id,
      keyLabel: key.label,
      model: request.modelAsked,
      client: request.client,
      upstream: upstream.name,
    });
    return live;
  }

  function answered(status: number, ending: string, isOver = true): void {
    call.told = true;
    live?.end();
    if (isOver) destination.admitted.end();
    else destination.admitted.goesOn();
    parts.onAnswered({
      id: call.id,
      method: call.exchange.method,
      path: loggedPath(call),
      status,
      keyId: key.id,
      keyLabel: key.label,
      upstream: upstream.name,
      model: request.modelAsked,
      ending,
      param: null,
      until: null,
      totalMs: Math.round(parts.clock.monotonic() - call.arrivedAt),
    });
  }

  function settle(answer: MeteredAnswer): void {
    let isOver = true;
    switch (kind.kind) {
      case "metered": {
        const row = usageRow(request, answer, parts.clock, parts.costOf);
        parts.usage.record(row);
        isOver = credential.kind !== "key" || !goesOn(upstream.name, answer);
        if (credential.kind === "key") recoverUsage(parts, upstream, row);
        break;
      }
      case "settles":
        settleResponse(parts, upstream.name, kind.responseId, answer);
        break;
      case "unmetered":
        break;
    }
    answered(answer.status, answer.ending, isOver);
  }

  return {
    observer(traits = {}) {
      const keyIsOurs = credential.kind !== "callers_own";
      if (kind.kind === "unmetered") {
        const seen = watched();
        return passingObserver(call, keyIsOurs, seen, (status: number, outcome: RelayOutcome) =>
          answered(status, outcome),
        );
      }
      return meteringObserver(request, {
        clock: parts.clock,
        createDecoder: parts.createDecoder,
        settle: (answer) => settle({ ...answer, status: traits.shownStatus?.() ?? answer.status }),
        hideUsage: traits.hidesUsage === true,
        spokenEndpoint: traits.spokenEndpoint ?? request.endpoint,
        streamMeter: traits.streamMeter,
        live: watched(),
        keyIsOurs,
      });
    },
    refused(status) {
      settle({ reading: undefined, status, ending: "failed", firstTokenAt: null, generationId: null, began: false });
      parts.usage.flush();
    },
    failed(failure, settings) {
      const refusal = failureOf(failure, upstream) ?? tooLarge(settings);
      if (isUpstreams(failure)) {
        const { cause } = failure;
        parts.log.warn("The upstream could not be reached", {
          upstream: upstream.name,
          reason: failure.reason,
          cause: cause instanceof Error ? cause.message : undefined,
        });
      }
      const ending = endingOf(failure);
      const status = failure.reason === "client_left" ? CLIENT_CLOSED_REQUEST : refusal.status;
      settle({ reading: undefined, status, ending, firstTokenAt: null, generationId: null, began: false });
      parts.usage.flush();
      return refusal;
    },
  };
}

function endingOf({ reason }: RelayFailure): Ending {
  if (reason === "body_too_large") return "failed";
  return reason === "client_left" || reason === "stopped" ? reason : "upstream_cut";
}

function isUpstreams({ reason }: RelayFailure): boolean {
  return reason !== "client_left" && reason !== "body_too_large" && reason !== "stopped";
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
    case "stopped":
      return new ApiError("invalid_api_key", KEY_REVOKED);
    case "upstream_cut":
    case "client_left":
    case "declined":
      return new ApiError(
        "upstream_unreachable",
        `The upstream ${host} closed the connection before it answered: send the request again.`,
      );
  }
}
