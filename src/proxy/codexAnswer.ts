import { failureOfAnswer } from "../codex/codexError.ts";
import { type CodexFailure, failureBody } from "../codex/codexFailure.ts";
import type { Clock } from "../ports.ts";
import { joinBytes } from "../wire/joinBytes.ts";
import { CLIENT_CLOSED_REQUEST } from "./books.ts";
import { isCodex, statusForCaller } from "./clientIdentity.ts";
import { chatObject, chatStream } from "./codexChatAnswer.ts";
import { compactionOf, responsesObject, responsesStream } from "./codexResponsesAnswer.ts";
import {
  type CodexAnswerOptions,
  encoded,
  EVENT_STREAM,
  JSON_TYPE,
  NOTHING,
  type Shaping,
  withStreamType,
} from "./codexShaping.ts";
import type { ClientEnding, ClientHead, HeaderPairs, RelayObserver, RelayOutcome } from "./exchange.ts";
import { headerValue } from "./headerPolicy.ts";

/** More of an error answer is a page, and its start tells what kind. */
const MAX_ERROR_BYTES = 256 * 1024;
/** They belong to the body that the upstream sent. */
const BODY_HEADERS: ReadonlySet<string> = new Set(["content-type", "content-length", "content-encoding"]);
/** For proxies like nginx between us and the caller: they would hold back the first words, and the signs of life while the model thinks. */
const UNBUFFERED: HeaderPairs = ["x-accel-buffering", "no"];
/** So long the upstream may take to close a stream that it has told to its end; most do at once, and their connection is used again. */
const LINGER_MS = 500;

/** The observer of an answer of the Codex backend. `meter` reads the upstream's own bytes and decides about the row. */
export function codexAnswer(meter: RelayObserver, options: CodexAnswerOptions): RelayObserver {
  const { call, clock, form } = options;
  let upstreamHeaders: HeaderPairs = [];
  /** The caller's head waits for the first word. */
  let isHeadHeld = false;
  let shaping: Shaping = passing(meter);
  let stop: () => void = () => undefined;
  let cancelLinger: (() => void) | undefined;

  function head(status: number, received: HeaderPairs): ClientHead | "held" | "declined" {
    const headers = withStreamType(status, received);
    options.onHead(status, headers);
    if (status === 401 && options.declines401) return "declined";
    const metered = meter.head(status, headers);
    if (metered === "held" || metered === "declined") return metered;
    upstreamHeaders = metered.headers;
    const isStream = headerValue(headers, "content-type")?.startsWith("text/event-stream") === true;
    const isPacked = (headerValue(headers, "content-encoding") ?? "identity") !== "identity";
    if (status >= 300 || isPacked || !isStream) {
      shaping = errorAnswer(status, headers, clock);
      return "held";
    }
    switch (form) {
      case "responses_stream":
        shaping = responsesStream(meter, options);
        return { ...metered, headers: [...metered.headers, ...UNBUFFERED] };
      case "responses_object":
        shaping = responsesObject(options);
        break;
      case "compaction_object":
        shaping = responsesObject(options, compactionOf);
        break;
      case "chat_stream":
        shaping = chatStream(options);
        break;
      case "chat_object":
        shaping = chatObject(options);
        break;
    }
    isHeadHeld = true;
    return "held";
  }

  function statusShown(): number {
    return shaping.refusal === undefined ? 200 : statusForCaller(call.exchange, shaping.refusal.status);
  }

  function heldHead(): ClientHead {
    isHeadHeld = false;
    const { refusal } = shaping;
    const headers = ["content-type", refusal === undefined ? shaping.contentType : JSON_TYPE];
    for (let index = 0; index < upstreamHeaders.length; index += 2) {
      const name = upstreamHeaders[index] ?? "";
      if (!BODY_HEADERS.has(name.toLowerCase())) headers.push(name, upstreamHeaders[index + 1] ?? "");
    }
    if (refusal === undefined && shaping.contentType === EVENT_STREAM) headers.push(...UNBUFFERED);
    if (refusal?.retryAfterSeconds !== undefined && headerValue(headers, "retry-after") === undefined) {
      headers.push("retry-after", String(refusal.retryAfterSeconds));
    }
    return { status: statusShown(), headers };
  }

  /** Ends the caller's answer; undefined where it ends as the upstream's does. */
  function finish(outcome: RelayOutcome): ClientEnding | undefined {
    if (outcome === "client_left") {
      if (isHeadHeld) options.onStatus(CLIENT_CLOSED_REQUEST);
      return undefined;
    }
    const shaped = shaping.end(outcome);
    const { refusal } = shaping;
    if (refusal === undefined) return shaped;
    options.onStatus(statusShown());
    const { error } = failureBody(refusal);
    // Only to Codex: opencode takes digits for statuses.
    const body = { error: isCodex(call.exchange) ? { ...error, ...refusal.limit } : error };
    return { lastBytes: encoded(JSON.stringify(body)), how: "end" };
  }

  return {
    started(stopRelay) {
      stop = stopRelay;
      meter.started?.(stopRelay);
    },
    head,
    heldHead,
    chunk(bytes) {
      const shaped = shaping.push(bytes);
      // The row is written in the moment in which the meter sees the end, and bears the status that the caller gets.
      if (shaping.refusal !== undefined) options.onStatus(statusShown());
      meter.chunk(bytes);
      if (shaping.isOver) cancelLinger ??= options.later(LINGER_MS, stop);
      return shaped;
    },
    silence: () => shaping.silence(),
    end(outcome) {
      cancelLinger?.();
      // First, because what was held until now may hold the usage that the row is written with.
      const shaped = finish(outcome);
      const metered = meter.end(outcome);
      return metered instanceof Promise ? metered.then((ending) => shaped ?? ending) : (shaped ?? metered);
    },
  };
}

function passing(meter: RelayObserver): Shaping {
  return {
    push: () => undefined,
    end: () => undefined,
    silence: () => meter.silence(),
    refusal: undefined,
    isOver: false,
    contentType: JSON_TYPE,
  };
}

function errorAnswer(status: number, headers: HeaderPairs, clock: Clock): Shaping {
  const parts: Uint8Array[] = [];
  let size = 0;
  let refusal: CodexFailure | undefined;

  function failureOf(): CodexFailure {
    const text = new TextDecoder().decode(joinBytes(parts));
    return failureOfAnswer(status, (name) => headerValue(headers, name), text, clock.now());
  }

  return {
    push(bytes) {
      if (size < MAX_ERROR_BYTES) {
        parts.push(bytes.slice());
        refusal = undefined;
      }
      size += bytes.length;
      return NOTHING;
    },
    end: () => undefined,
    silence: () => undefined,
    get refusal() {
      return (refusal ??= failureOf());
    },
    isOver: false,
    contentType: JSON_TYPE,
  };
}
