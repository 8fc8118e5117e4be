import { createJsonPicker } from "../wire/jsonPicker.ts";
import { readUsage } from "../wire/usage.ts";
import { type AnswerMeter, type AnswerProgress, emptyReading, servedTierOr, textOr } from "./answerReading.ts";

const PATHS = ["usage", "model", "id", "service_tier", "status", "error", "choices[].error"];

/** How far a response has come by its `status`, which other answers have none of; open is one that goes on in the background. */
function progressOf(status: unknown): AnswerProgress {
  if (status === "queued" || status === "in_progress") return "open";
  return status === "incomplete" ? "incomplete" : "complete";
}

/** Reads an answer that is one JSON document: chat, completions, Responses, compaction, embeddings, images. */
export function createJsonMeter(): AnswerMeter {
  const picker = createJsonPicker(PATHS);
  const reading = emptyReading();

  function read(): void {
    reading.usage = readUsage(picker.value("usage"));
    reading.model = textOr(picker.value("model"), null);
    reading.responseId = textOr(picker.value("id"), null);
    reading.serviceTier = servedTierOr(picker.value("service_tier"), null);
    // OpenRouter reports a provider's failure inside of an answer with status 200.
    const failed = picker.some("error") || picker.some("choices[].error") || picker.value("status") === "failed";
    reading.progress = failed ? "failed" : progressOf(picker.value("status"));
    reading.background = reading.progress === "open";
    reading.settled = true;
  }

  return {
    reading,
    atBoundary: false,
    push(bytes) {
      if (reading.settled) return;
      picker.push(bytes);
      if (picker.complete) read();
    },
    finish() {
      if (!reading.settled && picker.openingBrace === undefined) read();
    },
  };
}
