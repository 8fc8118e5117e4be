import { createAnswerItems } from "../codex/answerItems.ts";
import { createChatByteStream } from "../codex/chatByteStream.ts";
import { type ChatAnswerOptions } from "../codex/chatStream.ts";
import { createChatCompletion } from "../codex/chatCompletion.ts";
import { failureOfAnswer, failureOfEvent } from "../codex/codexError.ts";
import { BROKEN_OFF, type CodexFailure, failureBody } from "../codex/codexFailure.ts";
import { createEventReader } from "../codex/eventReader.ts";
import { createResponsesStream } from "../codex/responsesStream.ts";
import type { Clock } from "../ports.ts";
import { joinBytes } from "../wire/joinBytes.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { CHAT_KEEP_ALIVE } from "../wire/streamEvents.ts";
import type { Call } from "./call.ts";
import { statusForCaller } from "./clientIdentity.ts";
import type { ClientEnding, ClientHead, HeaderPairs, RelayObserver, RelayOutcome } from "./exchange.ts";
import { KEY_REVOKED } from "./localKey.ts";
import { headerValue } from "./headerPolicy.ts";

/** What the caller wants of the backend's event stream. */
export type AnswerForm = "chat_stream" | "chat_object" | "responses_stream" | "responses_object" | "as_it_comes";

/** What the answer of one request is made with. */
export interface CodexAnswerOptions {
  readonly call: Call;
  readonly clock: Clock;
  readonly form: AnswerForm;
  readonly includeUsage: boolean;
  readonly toCaller: (toolName: string) => string;
  readonly legacyCalls: boolean;
  /** The first 401 is not for the caller: the token is renewed and the request repeated. */
  readonly declines401: boolean;
  /** Is told the status that the caller gets, where it is not the upstream's, before the row is written. */
  readonly onStatus: (status: number) => void;
  readonly onHead: (status: number, headers: HeaderPairs) => void;
  /** Is shown the events of an answer that is translated. */
  readonly onEvent: (event: JsonObject) => void;
  /** A `codex.rate_limits` event. */
  readonly onLimits: (event: JsonObject) => void;
  /** The items of a finished answer. */
  readonly onItems: (items: readonly JsonObject[]) => void;
}

/** Makes the caller's answer of the upstream's bytes. */
interface Shaping {
  /** What the caller gets of these bytes; undefined for the bytes as they are. */
  push(bytes: Uint8Array): Uint8Array | undefined;
  /** The upstream's answer is over. */
  end(outcome: RelayOutcome): ClientEnding | undefined;
  silence(): Uint8Array | undefined;
  /** Why the caller gets an error in place of this answer; undefined while it gets the answer. */
  readonly refusal: CodexFailure | undefined;
  readonly contentType: string;
}

const STOPPED: CodexFailure = {
  status: 401,
  message: KEY_REVOKED,
  type: "authentication_error",
  code: "invalid_api_key",
  param: null,
  retryAfterSeconds: undefined,
};

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);
const EVENT_STREAM = "text/event-stream; charset=utf-8";
const JSON_TYPE = "application/json";
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
    return { lastBytes: encoder.encode(JSON.stringify(failureBody(refusal))), how: "end" };
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

function responsesStream(meter: RelayObserver, options: CodexAnswerOptions): Shaping {
  const stream = createResponsesStream();
  let told = false;

  function tell(): void {
    if (told || !isFinished(stream.terminal)) return;
    told = true;
    options.onItems(stream.items.inOrder());
  }

  return {
    push(bytes) {
      const passed = stream.push(bytes);
      tell();
      return passed;
    },
    end() {
      tell();
      return undefined;
    },
    silence: () => meter.silence(),
    refusal: undefined,
    contentType: EVENT_STREAM,
  };
}

function responsesObject(options: CodexAnswerOptions): Shaping {
  const stream = createResponsesStream();
  let refusal: CodexFailure | undefined;

  function look(): void {
    const { terminal } = stream;
    if (terminal !== undefined && !isFinished(terminal)) refusal = failureOfEvent(terminal, options.clock.now());
  }

  return {
    push(bytes) {
      stream.push(bytes);
      look();
      return NOTHING;
    },
    end(outcome) {
      if (outcome === "stopped") refusal = STOPPED;
      stream.rest();
      look();
      const response = stream.terminal?.["response"];
      if (refusal === undefined && !isJsonObject(response)) refusal = BROKEN_OFF;
      if (refusal !== undefined) return undefined;
      options.onItems(stream.items.inOrder());
      return { lastBytes: encoder.encode(JSON.stringify(response)), how: "end" };
    },
    silence: () => undefined,
    get refusal() {
      return refusal;
    },
    contentType: JSON_TYPE,
  };
}

function chatStream(options: CodexAnswerOptions): Shaping {
  const listener = itemListener(options);
  const stream = createChatByteStream(chatOptions(options), listener.event);
  let written = false;

  function out(text: string): Uint8Array {
    // Nothing is sent yet: the failure becomes an HTTP answer.
    if (text === "" || (stream.failure !== undefined && !written)) return NOTHING;
    written = true;
    return encoder.encode(text);
  }

  return {
    push(bytes) {
      const text = stream.push(bytes);
      if (stream.progress !== "open") listener.finish(stream.failure);
      return out(text);
    },
    end(outcome) {
      const text = outcome === "stopped" ? stream.cut(STOPPED) : stream.finish();
      listener.finish(stream.failure);
      return { lastBytes: out(text), how: stream.failure === undefined ? "end" : "destroy" };
    },
    silence() {
      if (stream.progress !== "open") return undefined;
      written = true;
      return encoder.encode(CHAT_KEEP_ALIVE);
    },
    get refusal() {
      return written ? undefined : stream.failure;
    },
    contentType: EVENT_STREAM,
  };
}

function chatObject(options: CodexAnswerOptions): Shaping {
  const listener = itemListener(options);
  const completion = createChatCompletion(chatOptions(options));
  const reader = createEventReader((event) => {
    listener.event(event);
    completion.push(event);
  });
  return {
    push(bytes) {
      reader.push(bytes);
      return NOTHING;
    },
    end(outcome) {
      if (outcome === "stopped") completion.cut(STOPPED);
      reader.finish();
      completion.cut(BROKEN_OFF);
      listener.finish(completion.failure);
      if (completion.failure !== undefined) return undefined;
      return { lastBytes: encoder.encode(JSON.stringify(completion.result())), how: "end" };
    },
    silence: () => undefined,
    get refusal() {
      return completion.failure;
    },
    contentType: JSON_TYPE,
  };
}

function chatOptions({ call, includeUsage, toCaller, legacyCalls }: CodexAnswerOptions): ChatAnswerOptions {
  const createdAt = Math.floor(call.startedAt / 1000);
  // The model in the answer is the one that answered, whatever name it was asked by.
  return { id: `chatcmpl-${call.id}`, createdAt, model: undefined, includeUsage, toCaller, legacyCalls };
}

/** Keeps the items for the conversation's memory, and tells of the limits. */
function itemListener(options: CodexAnswerOptions): {
  readonly event: (event: JsonObject) => void;
  readonly finish: (failure: CodexFailure | undefined) => void;
} {
  const items = createAnswerItems();
  let told = false;
  return {
    event(event) {
      options.onEvent(event);
      if (event["type"] === "response.output_item.done") items.add(event);
      else if (event["type"] === "codex.rate_limits") options.onLimits(event);
    },
    finish(failure) {
      if (told) return;
      told = true;
      if (failure === undefined) options.onItems(items.inOrder());
    },
  };
}

function isFinished(terminal: JsonObject | undefined): boolean {
  return terminal?.["type"] === "response.completed" || terminal?.["type"] === "response.incomplete";
}
