import type { JsonObject } from "../wire/json.ts";
import { isJsonObject } from "../wire/json.ts";
import { readUsage } from "../wire/usage.ts";
import { type AnswerMeter, emptyReading, servedTierOr, textOr } from "./answerReading.ts";
import { progressOf } from "./responsesStreamMeter.ts";

/** The meter of an answer whose events somebody else reads already: it is told of each instead of reading the bytes again. */
export interface EventMeter extends AnswerMeter {
  event(event: JsonObject): void;
  /** Of so many deltas, without what they say. */
  deltas(count: number): void;
}

/** A meter that was told nothing yet. */
export function createEventMeter(): EventMeter {
  const reading = emptyReading();
  return {
    reading,
    // No event of ours is ever put into bytes that are translated.
    atBoundary: false,
    push() {},
    finish() {
      if (reading.progress !== "open") reading.settled = true;
    },
    deltas(count) {
      if (reading.settled) return;
      reading.events += count;
      reading.deltas += count;
    },
    event(event) {
      if (reading.settled) return;
      reading.events += 1;
      const { type, response } = event;
      if (typeof type !== "string") return;
      if (type.endsWith(".delta")) {
        reading.deltas += 1;
        return;
      }
      const progress = progressOf(type);
      if (!isJsonObject(response)) {
        if (progress === "open") return;
      } else {
        reading.usage = readUsage(response["usage"]) ?? reading.usage;
        reading.model = textOr(response["model"], reading.model);
        reading.responseId = textOr(response["id"], reading.responseId);
        reading.serviceTier = servedTierOr(response["service_tier"], reading.serviceTier);
      }
      reading.progress = progress;
      reading.settled = progress !== "open";
    },
  };
}
