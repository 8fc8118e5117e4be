import { failureOfAnswer } from "../codex/codexError.ts";
import { type CodexFailure, failureBody } from "../codex/codexFailure.ts";
import type { Clock } from "../ports.ts";
import { joinBytes } from "../wire/joinBytes.ts";
import { statusForCaller } from "./clientIdentity.ts";
import { chatObject, chatStream } from "./codexChatAnswer.ts";
import { responsesObject, responsesStream } from "./codexResponsesAnswer.ts";
import { type CodexAnswerOptions, encoded, JSON_TYPE, NOTHING, type Shaping } from "./codexShaping.ts";
import type { ClientEnding, ClientHead, HeaderPairs, RelayObserver, RelayOutcome } from "./exchange.ts";
import { headerValue } from "./headerPolicy.ts";

/** More of an error answer is a page, and its start tells what kind. */
const MAX_ERROR_BYTES = 256 * 1024;
/** They belong to the body that the upstream sent. */
const BODY_HEADERS: ReadonlySet<string> = new Set(["content-type", "content-length", "content-encoding"]);

/** The observer of an answer of the Codex backend. `meter` reads the upstream's own bytes and decides about the row. */
export function codexAnswer(meter: RelayObserver, options: CodexAnswerOptions): RelayObserver {
  const { call, clock, form } = options;
  let upstreamHeaders: HeaderPairs = [];
  let shaping: Shaping = passing(meter);

  function head(status: number, headers: HeaderPairs): ClientHead | "held" | "declined" {
    options.onHead(status, headers);
    if (status === 401 && options.declines401) return "declined";
    const metered = meter.head(status, headers);
    if (metered === "held" || metered === "declined") return metered;
    upstreamHeaders = metered.headers;
    const isStream = headerValue(headers, "content-type")?.startsWith("text/event-stream") === true;
    const isPacked = (headerValue(headers, "content-encoding") ?? "identity") !== "identity";
    if (status >= 300 || isPacked || (form !== "as_it_comes" && !isStream)) {
      shaping = errorAnswer(status, headers, clock);
      return "held";
    }
    switch (form) {
      case "as_it_comes":
        return metered;
      case "responses_stream":
        shaping = responsesStream(meter, options);
        return metered;
      case "responses_object":
        shaping = responsesObject(options);
        return "held";
      case "chat_stream":
        shaping = chatStream(options);
        return "held";
      case "chat_object":
        shaping = chatObject(options);
        return "held";
    }
  }

  function statusShown(): number {
    return shaping.refusal === undefined ? 200 : statusForCaller(call.exchange, shaping.refusal.status);
  }

  function heldHead(): ClientHead {
    const { refusal } = shaping;
    const headers = ["content-type", refusal === undefined ? shaping.contentType : JSON_TYPE];
    for (let index = 0; index < upstreamHeaders.length; index += 2) {
      const name = upstreamHeaders[index] ?? "";
      if (!BODY_HEADERS.has(name.toLowerCase())) headers.push(name, upstreamHeaders[index + 1] ?? "");
    }
    if (refusal?.retryAfterSeconds !== undefined && headerValue(headers, "retry-after") === undefined) {
      headers.push("retry-after", String(refusal.retryAfterSeconds));
    }
    return { status: statusShown(), headers };
  }

  function finish(outcome: RelayOutcome, metered: ClientEnding): ClientEnding {
    if (outcome === "client_left") return metered;
    const shaped = shaping.end(outcome);
    const { refusal } = shaping;
    if (refusal === undefined) return shaped ?? metered;
    return { lastBytes: encoded(JSON.stringify(failureBody(refusal))), how: "end" };
  }

  return {
    started: (stop) => meter.started?.(stop),
    head,
    heldHead,
    chunk(bytes) {
      const shaped = shaping.push(bytes);
      // The row is written in the moment in which the meter sees the end, and bears the status that the caller gets.
      if (shaping.refusal !== undefined) options.onStatus(statusShown());
      meter.chunk(bytes);
      return shaped;
    },
    silence: () => shaping.silence(),
    end(outcome) {
      const metered = meter.end(outcome);
      return metered instanceof Promise ? metered.then((ending) => finish(outcome, ending)) : finish(outcome, metered);
    },
  };
}

function passing(meter: RelayObserver): Shaping {
  return {
    push: () => undefined,
    end: () => undefined,
    silence: () => meter.silence(),
    refusal: undefined,
    contentType: JSON_TYPE,
  };
}

function errorAnswer(status: number, headers: HeaderPairs, clock: Clock): Shaping {
  const parts: Uint8Array[] = [];
  let size = 0;
  let refusal = failureOf();

  function failureOf(): CodexFailure {
    const text = new TextDecoder().decode(joinBytes(parts));
    return failureOfAnswer(status, (name) => headerValue(headers, name), text, clock.now());
  }

  return {
    push(bytes) {
      if (size < MAX_ERROR_BYTES) parts.push(bytes.slice());
      size += bytes.length;
      return NOTHING;
    },
    end() {
      refusal = failureOf();
      return undefined;
    },
    silence: () => undefined,
    get refusal() {
      return refusal;
    },
    contentType: JSON_TYPE,
  };
}
