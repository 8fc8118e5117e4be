import { createJsonPicker } from "../wire/jsonPicker.ts";
import { createSseScanner } from "../wire/sseScanner.ts";
import { startsAt } from "../wire/startsAt.ts";
import { readUsage } from "../wire/usage.ts";
import { type AnswerMeter, type AnswerProgress, emptyReading, servedTierOr, textOr } from "./answerReading.ts";

const PATHS = [
  "type",
  "usage",
  "response.usage",
  "response.model",
  "response.id",
  "response.service_tier",
  "response.status",
];

/** OpenAI's own events begin with their type, which then decides without reading the rest. */
const TYPE_PREFIX = new TextEncoder().encode('{"type":"');
const DELTA_SUFFIX = new TextEncoder().encode(".delta");
const QUOTE = 0x22;
/** Longer than any event type. */
const MAX_TYPE_BYTES = 96;

/** Reads a stream of Responses events, or of image events, whose last one carries usage as well. */
export function createResponsesStreamMeter(): AnswerMeter {
  const picker = createJsonPicker(PATHS);
  const reading = emptyReading();
  /** The type at the head of the event's data was enough: nothing else of it is read. */
  let skipped = false;
  let delta = false;

  const scanner = createSseScanner({
    data(bytes, start, end, first) {
      if (first) {
        const typeEnd = endOfLeadingType(bytes, start, end);
        delta = typeEnd !== -1 && isDelta(bytes, typeEnd);
        skipped = delta || (typeEnd !== -1 && !isTelling(leadingType(bytes, start, typeEnd)));
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

  function read(): void {
    const type = picker.value("type");
    if (typeof type !== "string") return;
    if (type.endsWith(".delta")) reading.deltas += 1;
    // What an event may say must not hang on whether its type came first, or in one piece.
    if (!isTelling(type)) return;
    reading.usage = readUsage(picker.value("response.usage")) ?? readUsage(picker.value("usage")) ?? reading.usage;
    reading.model = textOr(picker.value("response.model"), reading.model);
    reading.responseId = textOr(picker.value("response.id"), reading.responseId);
    reading.serviceTier = servedTierOr(picker.value("response.service_tier"), reading.serviceTier);
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

function progressOf(type: string): AnswerProgress {
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

/** Where the type ends that an event's data begins with; -1 where it begins otherwise, or is cut within. */
function endOfLeadingType(bytes: Uint8Array, start: number, end: number): number {
  if (!startsAt(bytes, start, end, TYPE_PREFIX)) return -1;
  const from = start + TYPE_PREFIX.length;
  const to = bytes.indexOf(QUOTE, from);
  return to === -1 || to >= end || to - from > MAX_TYPE_BYTES ? -1 : to;
}

function leadingType(bytes: Uint8Array, start: number, typeEnd: number): string {
  return String.fromCharCode(...bytes.subarray(start + TYPE_PREFIX.length, typeEnd));
}

/** Nearly all events are deltas: they are told by their bytes, without making a string of each type. */
function isDelta(bytes: Uint8Array, typeEnd: number): boolean {
  return startsAt(bytes, typeEnd - DELTA_SUFFIX.length, typeEnd, DELTA_SUFFIX);
}
