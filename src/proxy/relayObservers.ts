import type { Ending, Endpoint } from "../ledger/usageRow.ts";
import type { Clock } from "../ports.ts";
import { ownHeaders } from "./answers.ts";
import type { AnswerMeter, AnswerReading } from "./answerReading.ts";
import { KEY_REVOKED } from "./localKey.ts";
import type { Call } from "./call.ts";
import { statusForCaller } from "./clientIdentity.ts";
import type { CreateDecoder, Decoder } from "./decoder.ts";
import type { ClientEnding, RelayObserver, RelayOutcome } from "./exchange.ts";
import { noLimits } from "./limitHeaders.ts";
import type { LiveRequest } from "./liveRequests.ts";
import { clientHeaders, headerValue } from "./headerPolicy.ts";
import {
  brokenStreamEvent,
  createMeter,
  dialectOf,
  keepAlive,
  type StreamDialect,
  type StreamFailure,
} from "./streamDialect.ts";
import { createUsageChunkFilter, type UsageChunkFilter } from "./usageChunkFilter.ts";
import type { MeteredAnswer, MeteredRequest } from "./usageRecorder.ts";

const encoder = new TextEncoder();

/** Is told the outcome of an answer that passed unread. */
export type OnPassed = (status: number, outcome: RelayOutcome) => void;

/** Passes an answer on and reads nothing of it. `keyIsOurs`: an upstream that refuses the key does not speak of the caller's. */
export function passingObserver(call: Call, keyIsOurs: boolean, live: LiveRequest, onPassed: OnPassed): RelayObserver {
  let status = 0;
  return {
    started: (stop) => live.started(stop),
    head(upstreamStatus, headers) {
      status = keyIsOurs ? statusForCaller(call.exchange, upstreamStatus) : upstreamStatus;
      return { status, headers: [...clientHeaders(headers, true, limitsOf(call)), ...ownHeaders(call)] };
    },
    chunk(bytes) {
      live.bytes += bytes.length;
      return undefined;
    },
    silence: () => undefined,
    end(outcome) {
      onPassed(status, outcome);
      return { lastBytes: undefined, how: outcome === "complete" ? "end" : "destroy" };
    },
  };
}

/** Why an answer broke off, in a sentence for its reader. */
function failureOf(outcome: RelayOutcome): StreamFailure {
  switch (outcome) {
    case "upstream_timeout":
      return {
        code: "upstream_timeout",
        message: "The upstream went silent before its answer was finished: send the request again.",
      };
    case "stopped":
      return { code: "invalid_api_key", message: KEY_REVOKED };
    case "complete":
    case "client_left":
    case "upstream_cut":
      return {
        code: "upstream_unreachable",
        message: "The upstream broke off before its answer was finished: send the request again.",
      };
  }
}

function limitsOf(call: Call): "upstreams" | "ours" {
  return call.limitHeaders === noLimits ? "upstreams" : "ours";
}

/** What a metering observer works with. */
export interface MeteringParts {
  readonly clock: Clock;
  readonly createDecoder: CreateDecoder;
  /** Called exactly once, in the moment in which the answer's end is known and before the client can see it. */
  readonly settle: (answer: MeteredAnswer) => void;
  /** Take out the usage that we asked for and the caller did not. */
  readonly hideUsage: boolean;
  /** The endpoint whose language the upstream speaks: translated answers are read before they are translated. */
  readonly spokenEndpoint: Endpoint;
  /** Is written on as the answer goes. */
  readonly live: LiveRequest;
  /** Reads a stream of events in place of the dialect's own meter, where its events are read by somebody else anyway. */
  readonly streamMeter: AnswerMeter | undefined;
  /** The request went up with a key of ours, not with the caller's. */
  readonly keyIsOurs: boolean;
}

/** Passes an answer on and reads its usage as it goes. */
export function meteringObserver(request: MeteredRequest, parts: MeteringParts): RelayObserver {
  const { call } = request;
  const { clock, spokenEndpoint: endpoint } = parts;
  let status = 0;
  let dialect: StreamDialect = "opaque";
  let meter: AnswerMeter | undefined;
  let decoder: Decoder | undefined;
  let filter: UsageChunkFilter | undefined;
  let mayWrite = false;
  let firstTokenAt: number | null = null;
  let generationId: string | null = null;
  let settled = false;

  function read(bytes: Uint8Array): void {
    if (meter === undefined || settled) return;
    meter.push(bytes);
    const { reading } = meter;
    if (firstTokenAt === null && (reading.deltas > 0 || dialect === "json")) {
      firstTokenAt = clock.monotonic();
      parts.live.firstTokenAt = firstTokenAt;
    }
    if (reading.settled) settle(endingOf(reading.progress));
  }

  function settle(ending: Ending): void {
    if (settled) return;
    settled = true;
    // An upstream that refuses within its stream has used nothing; one that failed after some output has.
    const began = isStream() && status < 400 && (ending !== "failed" || (meter?.reading.deltas ?? 0) > 0);
    parts.settle({ reading: meter?.reading, status, ending, firstTokenAt, generationId, began });
  }

  function endingOf(progress: AnswerMeter["reading"]["progress"]): Ending {
    if (status >= 400) return "failed";
    switch (progress) {
      case "complete":
      case "open":
        return "complete";
      case "incomplete":
      case "failed":
        return progress;
    }
  }

  function isStream(): boolean {
    return dialect === "chat" || dialect === "responses";
  }

  function finish(outcome: RelayOutcome): ClientEnding {
    // After a cut nobody knows what would have come: only a clean end is the last word of an answer that had none.
    if (outcome === "complete") meter?.finish();
    if (meter !== undefined && (meter.reading.settled || isTold(meter.reading)))
      settle(endingOf(meter.reading.progress));
    const lastBytes = filter?.rest();
    if (outcome === "client_left") {
      settle("client_left");
      return { lastBytes: undefined, how: "destroy" };
    }
    if (settled && outcome !== "complete") {
      // The answer was told to its end; how the upstream closed its connection after it is not the client's concern.
      return { lastBytes, how: isStream() ? "end" : "destroy" };
    }
    // A stream that ends cleanly but unfinished would be taken for an answer, or asked for again without end (opencode).
    const unread = meter === undefined || endpoint === "images" || decoder?.gaveUp === true;
    const unfinished = isStream() && status < 400 && !unread && meter?.reading.progress === "open";
    if (outcome === "complete" && !unfinished) {
      settle(endingOf(meter?.reading.progress ?? "complete"));
      return { lastBytes, how: "end" };
    }
    settle(outcome === "stopped" ? "stopped" : "upstream_cut");
    const broken = brokenBytes(outcome);
    // Codex loses the last event of a connection that is destroyed, and would ask again; the one that is final ends the stream in itself.
    const isFinal = outcome === "stopped" && dialect === "responses" && broken !== undefined;
    return { lastBytes: broken, how: isFinal ? "end" : "destroy" };
  }

  /** An error ends a stream by itself; a chat stream's usage comes after everything but `[DONE]`. */
  function isTold({ progress, usage }: AnswerReading): boolean {
    return isStream() && (progress === "failed" || (progress !== "open" && usage !== undefined));
  }

  function brokenBytes(outcome: RelayOutcome): Uint8Array | undefined {
    if (!mayWrite || meter === undefined || !meter.atBoundary) return undefined;
    const event = brokenStreamEvent(dialect, meter.reading, failureOf(outcome), clock.now());
    return event === undefined ? undefined : encoder.encode(event);
  }

  return {
    started: (stop) => parts.live.started(stop),
    head(upstreamStatus, headers) {
      status = parts.keyIsOurs ? statusForCaller(call.exchange, upstreamStatus) : upstreamStatus;
      dialect = dialectOf(endpoint, headerValue(headers, "content-type"));
      meter = isStream() ? (parts.streamMeter ?? createMeter(dialect)) : createMeter(dialect);
      parts.live.meter = meter;
      generationId = headerValue(headers, "x-generation-id") ?? null;
      const encoding = headerValue(headers, "content-encoding");
      const plain = encoding === undefined || encoding === "identity";
      if (!plain) {
        decoder = parts.createDecoder(encoding, read);
        if (decoder === undefined) meter = undefined;
      }
      if (parts.hideUsage && plain && dialect === "chat") filter = createUsageChunkFilter();
      mayWrite = plain && isStream();
      // A stream of known length could not be told from a finished one when it has to be broken off; and the last byte of a compressed
      // answer of known length would tell its client of the end before it is unpacked and written down.
      return {
        status,
        headers: [...clientHeaders(headers, !isStream() && plain, limitsOf(call)), ...ownHeaders(call)],
      };
    },
    chunk(bytes) {
      parts.live.bytes += bytes.length;
      if (decoder !== undefined) decoder.push(bytes);
      else read(bytes);
      return filter?.push(bytes);
    },
    silence() {
      if (!mayWrite || settled || meter === undefined || !meter.atBoundary) return undefined;
      const event = keepAlive(dialect);
      return event === undefined ? undefined : encoder.encode(event);
    },
    end(outcome) {
      if (decoder === undefined) return finish(outcome);
      return decoder.finish().then(() => finish(outcome));
    },
  };
}
