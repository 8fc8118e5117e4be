import { failureOfEvent } from "../codex/codexError.ts";
import { BROKEN_OFF, type CodexFailure, EMPTY_ANSWER, TOO_LARGE_ANSWER } from "../codex/codexFailure.ts";
import { listOf } from "../codex/eventFields.ts";
import { createResponsesStream, type ResponsesStream } from "../codex/responsesStream.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { joinBytes } from "../wire/joinBytes.ts";
import {
  type CodexAnswerOptions,
  encoded,
  EVENT_STREAM,
  JSON_TYPE,
  NOTHING,
  type Shaping,
  STOPPED,
} from "./codexShaping.ts";
import type { ClientEnding, RelayObserver, RelayOutcome } from "./exchange.ts";

/** A Responses stream, whose final event is filled in. */
export function responsesStream(meter: RelayObserver, options: CodexAnswerOptions): Shaping {
  const stream = createResponsesStream(options.onLimits);
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
    end(outcome) {
      const ending = lateEnding(stream, outcome);
      tell();
      return ending;
    },
    silence: () => meter.silence(),
    refusal: undefined,
    get isOver() {
      return stream.terminal !== undefined;
    },
    contentType: EVENT_STREAM,
  };
}

/**
 * A Responses answer in one piece, made of its stream.
 *
 * @param shown makes of the response what the caller gets; undefined where it holds nothing to show
 */
export function responsesObject(
  options: CodexAnswerOptions,
  shown: (response: JsonObject) => JsonObject | undefined = (response) => response,
): Shaping {
  const stream = createResponsesStream(options.onLimits);
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
      if (outcome === "complete") stream.rest();
      look();
      if (outcome === "stopped" && stream.terminal === undefined) refusal = STOPPED;
      const response = stream.terminal?.["response"];
      if (refusal === undefined && !isJsonObject(response)) refusal = BROKEN_OFF;
      if (refusal === undefined && !stream.isWhole) refusal = TOO_LARGE_ANSWER;
      const object = refusal === undefined && isJsonObject(response) ? shown(response) : undefined;
      if (object === undefined) {
        refusal ??= EMPTY_ANSWER;
        return undefined;
      }
      options.onItems(stream.items.inOrder());
      return { lastBytes: encoded(JSON.stringify(object)), how: "end" };
    },
    silence: () => undefined,
    get refusal() {
      return refusal;
    },
    get isOver() {
      return stream.terminal !== undefined;
    },
    contentType: JSON_TYPE,
  };
}

/** The answer to a request to compact a conversation, as OpenAI's API has it; undefined where nothing was compacted. */
export function compactionOf(response: JsonObject): JsonObject | undefined {
  const output = listOf(response["output"]).filter(({ type }) => type === "compaction");
  if (output.length === 0) return undefined;
  const { id, created_at, usage } = response;
  return { id, object: "response.compaction", created_at, output, usage };
}

/** The final event of a stream that ended without the blank line behind it: it was held until now, and its reader needs that line. */
function lateEnding(stream: ResponsesStream, outcome: RelayOutcome): ClientEnding | undefined {
  if (outcome !== "complete" || stream.terminal !== undefined) return undefined;
  const rest = stream.rest();
  if (stream.terminal === undefined) return undefined;
  return { lastBytes: joinBytes([rest, encoded("\n\n")]), how: "end" };
}

function isFinished(terminal: JsonObject | undefined): boolean {
  return terminal?.["type"] === "response.completed" || terminal?.["type"] === "response.incomplete";
}
