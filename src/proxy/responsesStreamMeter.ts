import type { JsonObject } from "../wire/json.ts";
import { createJsonPicker } from "../wire/jsonPicker.ts";
import { endOfLeadingType, isDeltaType, leadingType } from "../wire/leadingType.ts";
import { createSseScanner } from "../wire/sseScanner.ts";
import { readUsage } from "../wire/usage.ts";
import { type AnswerMeter, type AnswerProgress, emptyReading, servedTierOr, textOr } from "./answerReading.ts";

/** OpenAI's plan event of the Codex backend, and what of it is told. */
const LIMITS = "codex.rate_limits";
const LIMITS_MEMBERS = [
  "plan_type",
  "rate_limits",
  "code_review_rate_limits",
  "metered_limit_name",
  "limit_name",
  "credits",
];
const PATHS = [
  "type",
  "usage",
  "response.usage",
  "response.model",
  "response.id",
  "response.service_tier",
  "response.status",
  "response.background",
];

/**
 * Reads a stream of Responses events, or of image events, whose last one carries usage as well.
 *
 * @param onLimits is shown what the `codex.rate_limits` events say of the plan
 */
export function createResponsesStreamMeter(onLimits?: (event: JsonObject) => void): AnswerMeter {
  const picker = createJsonPicker(onLimits === undefined ? PATHS : [...PATHS, ...LIMITS_MEMBERS]);
  const reading = emptyReading();
  /** The type at the head of the event's data was enough: nothing else of it is read. */
  let skipped = false;
  let delta = false;

  const scanner = createSseScanner({
    data(bytes, start, end, first) {
      if (first) {
        const typeEnd = endOfLeadingType(bytes, start, end);
        delta = typeEnd !== -1 && isDeltaType(bytes, typeEnd);
        skipped = delta || (typeEnd !== -1 && isSilent(leadingType(bytes, start, typeEnd)));
        if (!skipped) picker.reset();
      }
      if (!skipped) picker.push(bytes, start, end);
    },
    event() {
      if (reading.settled) return;
      reading.events += 1;
      if (delta) reading.deltas += 1;
      if (!skipped) read();
    },
  });

  function isSilent(type: string): boolean {
    return !isTelling(type) && (type !== LIMITS || onLimits === undefined);
  }

  function read(): void {
    const type = picker.value("type");
    if (typeof type !== "string") return;
    if (type.endsWith(".delta")) reading.deltas += 1;
    if (type === LIMITS) {
      onLimits?.({ type, ...Object.fromEntries(LIMITS_MEMBERS.map((name) => [name, picker.value(name)])) });
    }
    // What an event may say must not hang on whether its type came first, or in one piece.
    if (!isTelling(type)) return;
    reading.usage = readUsage(picker.value("response.usage")) ?? readUsage(picker.value("usage")) ?? reading.usage;
    reading.model = textOr(picker.value("response.model"), reading.model);
    reading.responseId = textOr(picker.value("response.id"), reading.responseId);
    reading.serviceTier = servedTierOr(picker.value("response.service_tier"), reading.serviceTier);
    reading.background = picker.value("response.background") === true || reading.background;
    const progress = progressOf(type);
    if (progress === "open") return;
    reading.progress = progress;
    reading.settled = true;
  }

  return {
    reading,
    get atBoundary() {
      return scanner.atBoundary;
    },
    push: (bytes) => scanner.push(bytes),
    finish() {
      // An event without its blank line counts where it is whole; of one that was torn apart nothing is believed.
      if (skipped || picker.complete) scanner.finish();
      if (reading.progress !== "open") reading.settled = true;
    },
  };
}

/** How far an event of this type brings its answer. */
export function progressOf(type: string): AnswerProgress {
  switch (type) {
    case "response.completed":
    case "image_generation.completed":
    case "image_edit.completed":
      return "complete";
    case "response.incomplete":
      return "incomplete";
    // OpenAI's event for a cancelled background response has the failed shape; `error` and OpenRouter's `response.error` end a stream too.
    case "response.failed":
    case "response.cancelled":
    case "response.error":
    case "error":
      return "failed";
    default:
      return "open";
  }
}

function isTelling(type: string): boolean {
  return progressOf(type) !== "open" || type === "response.created";
}
