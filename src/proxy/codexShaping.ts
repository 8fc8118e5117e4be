import type { CodexFailure } from "../codex/codexFailure.ts";
import type { Clock } from "../ports.ts";
import type { JsonObject } from "../wire/json.ts";
import type { Call } from "./call.ts";
import type { ClientEnding, HeaderPairs, RelayOutcome } from "./exchange.ts";
import { headerValue } from "./headerPolicy.ts";
import { KEY_REVOKED } from "./localKey.ts";

/** What the caller wants of the backend's event stream. */
export type AnswerForm = "chat_stream" | "chat_object" | "responses_stream" | "responses_object" | "compaction_object";

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
  /** Is told how many deltas were translated without being read. */
  readonly onDeltas: (count: number) => void;
  /** A `codex.rate_limits` event. */
  readonly onLimits: (event: JsonObject) => void;
  /** The items of a finished answer. */
  readonly onItems: (items: readonly JsonObject[]) => void;
  /** Runs something later; returns what cancels it. */
  readonly later: (delayMs: number, work: () => void) => () => void;
}

/** Makes the caller's answer of the upstream's bytes. */
export interface Shaping {
  /** What the caller gets of these bytes; undefined for the bytes as they are. */
  push(bytes: Uint8Array): Uint8Array | undefined;
  /** The upstream's answer is over. */
  end(outcome: RelayOutcome): ClientEnding | undefined;
  silence(): Uint8Array | undefined;
  /** Why the caller gets an error in place of this answer; undefined while it gets the answer. */
  readonly refusal: CodexFailure | undefined;
  /** The final event has come: whatever the upstream still sends is not waited for. */
  readonly isOver: boolean;
  readonly contentType: string;
}

/** Its key was revoked meanwhile. */
export const STOPPED: CodexFailure = {
  status: 401,
  message: KEY_REVOKED,
  type: "authentication_error",
  code: "invalid_api_key",
  param: null,
  retryAfterSeconds: undefined,
};

/** The type of event streams. */
export const EVENT_STREAM = "text/event-stream; charset=utf-8";
/** The type of objects and errors. */
export const JSON_TYPE = "application/json";
/** Nothing for the caller yet. */
export const NOTHING = new Uint8Array(0);

const encoder = new TextEncoder();

/** The headers of a good answer to a request that streams: the backend leaves out what type it has (as of August 2026). */
export function withStreamType(status: number, headers: HeaderPairs): HeaderPairs {
  if (status >= 300 || headerValue(headers, "content-type") !== undefined) return headers;
  return [...headers, "content-type", EVENT_STREAM];
}

/** A text as the bytes that go out. */
export function encoded(text: string): Uint8Array {
  return encoder.encode(text);
}
