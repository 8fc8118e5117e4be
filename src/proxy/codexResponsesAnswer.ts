import { failureOfEvent } from "../codex/codexError.ts";
import { BROKEN_OFF, type CodexFailure } from "../codex/codexFailure.ts";
import { createResponsesStream } from "../codex/responsesStream.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import {
  type CodexAnswerOptions,
  encoded,
  EVENT_STREAM,
  JSON_TYPE,
  NOTHING,
  type Shaping,
  STOPPED,
} from "./codexShaping.ts";
import type { RelayObserver } from "./exchange.ts";

/** A Responses stream, whose final event is filled in. */
export function responsesStream(meter: RelayObserver, options: CodexAnswerOptions): Shaping {
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

/** A Responses answer in one piece, made of its stream. */
export function responsesObject(options: CodexAnswerOptions): Shaping {
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
      return { lastBytes: encoded(JSON.stringify(response)), how: "end" };
    },
    silence: () => undefined,
    get refusal() {
      return refusal;
    },
    contentType: JSON_TYPE,
  };
}
function isFinished(terminal: JsonObject | undefined): boolean {
  return terminal?.["type"] === "response.completed" || terminal?.["type"] === "response.incomplete";
}
