import { createJsonPicker, type JsonPicker } from "../wire/jsonPicker.ts";
import { createSseScanner } from "../wire/sseScanner.ts";
import { startsAt } from "../wire/startsAt.ts";
import { readUsage } from "../wire/usage.ts";
import { type AnswerMeter, type AnswerProgress, emptyReading, servedTierOr, textOr } from "./answerReading.ts";

const PATHS = [
  "usage",
  "model",
  "id",
  "service_tier",
  "error",
  "choices[].finish_reason",
  "choices[].delta",
  "choices[].text",
];
const DONE = new TextEncoder().encode("[DONE]");
/** The keys that make an event worth reading, each with its closing quote; all others only carry text. */
const USAGE = new TextEncoder().encode('usage"');
const FINISH_REASON = new TextEncoder().encode('finish_reason"');
const ERROR = new TextEncoder().encode('error"');

const QUOTE = 0x22;
const COLON = 0x3a;
const SPACE = 0x20;
const LETTER_E = 0x65;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_U = 0x75;
const CLOSE_BRACE = 0x7d;

/**
 * Reads a stream of chat completion or completion chunks. Most chunks carry only text: a look over their bytes for the telling keys
 * replaces parsing them.
 */
export function createChatStreamMeter(): AnswerMeter {
  const picker = createJsonPicker(PATHS);
  const reading = emptyReading();
  let skipped = false;
  /** How much of `[DONE]` the event's data has matched; -1 once it says something else. */
  let doneBytes = 0;

  const scanner = createSseScanner({
    data(bytes, start, end, first, whole) {
      if (first) {
        doneBytes = 0;
        // The first chunks are read in full: they name the model, and tell when the first token came. So is all that follows a choice's
        // end, to tell another choice that still talks from the small print behind the last one.
        skipped = whole && reading.deltas > 0 && reading.progress === "open" && !tells(bytes, start, end);
        if (!skipped) picker.reset();
      }
      if (skipped) return;
      if (doneBytes !== -1) doneBytes = matchDone(bytes, start, end, doneBytes);
      if (doneBytes === -1) picker.push(bytes, start, end);
    },
    event() {
      if (reading.settled) return;
      reading.events += 1;
      if (doneBytes === DONE.length) settle();
      else if (skipped) reading.deltas += 1;
      else read();
    },
  });

  function settle(): void {
    reading.settled = true;
    if (reading.progress === "open") reading.progress = "complete";
  }

  function read(): void {
    reading.usage = readUsage(picker.value("usage")) ?? reading.usage;
    reading.model = textOr(picker.value("model"), reading.model);
    reading.responseId = textOr(picker.value("id"), reading.responseId);
    reading.serviceTier = servedTierOr(picker.value("service_tier"), reading.serviceTier);
    const output = hasOutput(picker);
    if (output) reading.deltas += 1;
    if (picker.some("error")) reading.progress = "failed";
    else if (reading.progress !== "failed") reading.progress = progressAfter(picker, output, reading.progress);
  }

  return {
    reading,
    get atBoundary() {
      return scanner.atBoundary;
    },
    push: (bytes) => scanner.push(bytes),
    finish() {
      // An event without its blank line counts where it is whole; of one that was torn apart nothing is believed.
      if (picker.complete || doneBytes === DONE.length) scanner.finish();
      if (reading.progress !== "open") reading.settled = true;
    },
  };
}

/** One choice of several may end while another still talks: its end is the answer's only if no more output follows. */
function progressAfter(picker: JsonPicker, output: boolean, before: AnswerProgress): AnswerProgress {
  const reason = picker.value("choices[].finish_reason");
  const ends = reason !== undefined && reason !== null && reason !== "";
  if (output && !ends) return "open";
  return picker.some("choices[].finish_reason") && reason !== "" ? "complete" : before;
}

function hasOutput(picker: JsonPicker): boolean {
  const text = picker.value("choices[].text");
  if (typeof text === "string" && text !== "") return true;
  return picker.span("choices[].delta") !== undefined && hasContent(picker.value("choices[].delta"));
}

/** A delta with something in it besides the role that opens every answer. One that was too large to be kept (an image) has no value here. */
function hasContent(delta: unknown): boolean {
  if (delta === undefined) return true;
  if (typeof delta !== "object" || delta === null) return false;
  return Object.entries(delta).some(([name, value]) => name !== "role" && !isEmpty(value));
}

function isEmpty(value: unknown): boolean {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

/** How many bytes of `[DONE]` are matched after this piece; -1 when it is something else. */
function matchDone(bytes: Uint8Array, start: number, end: number, before: number): number {
  let matched = before;
  for (let at = start; at < end && matched < DONE.length; at += 1, matched += 1) {
    if (bytes[at] !== DONE[matched]) return -1;
  }
  return matched;
}

/**
 * Whether a chunk says anything but text: one of the telling keys with a value that is not null. Never misses one;
 * a key inside of quoted text only costs a needless parse. What does not end a JSON object is read in full as well.
 */
function tells(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[end - 1] !== CLOSE_BRACE) return true;
  // Quotes are too close to each other for a native search to be worth its call.
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== QUOTE) continue;
    const key = tellingKey(bytes[at + 1] ?? 0);
    if (key === undefined || !startsAt(bytes, at + 1, end, key)) continue;
    let value = at + 1 + key.length;
    while (value < end && (bytes[value] === COLON || (bytes[value] ?? 0) <= SPACE)) value += 1;
    if (bytes[value] !== LETTER_N) return true;
  }
  return false;
}

/** The one telling key that begins with this letter. */
function tellingKey(letter: number): Uint8Array | undefined {
  switch (letter) {
    case LETTER_E:
      return ERROR;
    case LETTER_F:
      return FINISH_REASON;
    case LETTER_U:
      return USAGE;
    default:
      return undefined;
  }
}
