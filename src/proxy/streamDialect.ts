import type { Endpoint } from "../ledger/usageRow.ts";
import { errorBody } from "../wire/errors.ts";
import { CHAT_KEEP_ALIVE, chatErrorEvent, RESPONSES_KEEP_ALIVE, responseFailedEvent } from "../wire/streamEvents.ts";
import type { AnswerMeter, AnswerReading } from "./answerReading.ts";
import { createChatStreamMeter } from "./chatStreamMeter.ts";
import { createJsonMeter } from "./jsonMeter.ts";
import { createResponsesStreamMeter } from "./responsesStreamMeter.ts";

/** The language that an answer is in, which decides how it is read and what we may say in it. */
export type StreamDialect = "chat" | "responses" | "json" | "opaque";

/** By the endpoint asked and the content type answered. */
export function dialectOf(endpoint: Endpoint, contentType: string | undefined): StreamDialect {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "text/event-stream") {
    switch (endpoint) {
      case "chat":
      case "completions":
        return "chat";
      case "responses":
      case "compact":
      case "images":
        return "responses";
      case "embeddings":
        return "opaque";
    }
  }
  return type === "application/json" || type?.endsWith("+json") === true ? "json" : "opaque";
}

/** The meter that reads this dialect; undefined where there is nothing to read. */
export function createMeter(dialect: StreamDialect): AnswerMeter | undefined {
  switch (dialect) {
    case "chat":
      return createChatStreamMeter();
    case "responses":
      return createResponsesStreamMeter();
    case "json":
      return createJsonMeter();
    case "opaque":
      return undefined;
  }
}

/** What keeps a silent stream's reader from giving up. */
export function keepAlive(dialect: StreamDialect): string | undefined {
  switch (dialect) {
    case "chat":
      return CHAT_KEEP_ALIVE;
    case "responses":
      return RESPONSES_KEEP_ALIVE;
    case "json":
    case "opaque":
      return undefined;
  }
}

/** Why an answer broke off. */
export interface StreamFailure {
  readonly code: "upstream_unreachable" | "upstream_timeout" | "invalid_api_key";
  readonly message: string;
}

/** What tells a stream's reader that its answer broke off. Only a key that is no good any more is told with a code that agents read as final. */
export function brokenStreamEvent(
  dialect: StreamDialect,
  reading: AnswerReading,
  failure: StreamFailure,
  now: number,
): string | undefined {
  switch (dialect) {
    case "chat":
      return chatErrorEvent(errorBody(failure.code, failure.message));
    case "responses":
      return responseFailedEvent(
        {
          id: reading.responseId ?? "resp_unknown",
          model: reading.model ?? "unknown",
          createdAt: Math.floor(now / 1000),
        },
        reading.events,
        failure.code === "invalid_api_key" ? { code: "invalid_prompt", message: failure.message } : failure,
      );
    case "json":
    case "opaque":
      return undefined;
  }
}
