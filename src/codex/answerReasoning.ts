import type { JsonObject } from "../wire/json.ts";
import type { AnswerSink } from "./answerSink.ts";
import { countOf, listOf, placeOf } from "./eventFields.ts";
import { createTrackedItems, type TrackedItem } from "./trackedItems.ts";

/** Tells what a model lets see of its reasoning, each part once and as a paragraph. */
export interface AnswerReasoning {
  /** Each of these returns false where there are more items than any answer has. */
  begin(event: JsonObject, item: JsonObject): boolean;
  delta(event: JsonObject, kind: ReasoningKind): boolean;
  /** A part is whole; its text is told where no delta of it was. */
  partDone(event: JsonObject, kind: ReasoningKind): boolean;
  itemDone(event: JsonObject, item: JsonObject): boolean;
  /** What comes next is a new paragraph. */
  paragraph(): void;
}

/** The summary of a reasoning, or the reasoning itself (which OpenAI's own models do not show). */
export type ReasoningKind = "summary" | "text";

interface Reasoning extends TrackedItem {
  readonly streamed: Set<ReasoningKind>;
  readonly toldParts: Record<ReasoningKind, Set<number>>;
}

/** Makes the teller of one answer's reasoning. */
export function createAnswerReasoning(sink: AnswerSink): AnswerReasoning {
  const items = createTrackedItems<Reasoning>((place) => ({
    ...place,
    done: false,
    streamed: new Set(),
    toldParts: { summary: new Set(), text: new Set() },
  }));
  let begun = false;
  let breakDue = false;
  let item: Reasoning | undefined;
  let kind: ReasoningKind | undefined;
  let part: number | undefined;

  function tell(ofItem: Reasoning, ofKind: ReasoningKind, ofPart: number | undefined, text: string): void {
    if (text === "") return;
    const isNew = breakDue || item !== ofItem || kind !== ofKind || part !== ofPart;
    sink.reasoning(isNew && begun ? `\n\n${text}` : text);
    begun = true;
    breakDue = false;
    item = ofItem;
    kind = ofKind;
    part = ofPart;
  }

  function tellPart(ofItem: Reasoning, ofKind: ReasoningKind, place: number, text: unknown): void {
    const toldParts = ofItem.toldParts[ofKind];
    if (typeof text !== "string" || ofItem.streamed.has(ofKind) || toldParts.has(place)) return;
    toldParts.add(place);
    breakDue = true;
    tell(ofItem, ofKind, place, text);
  }

  return {
    begin: (event, of) => items.find(placeOf(event, of), true) !== undefined,
    delta(event, ofKind) {
      if (typeof event["delta"] !== "string") return true;
      const found = items.find(placeOf(event), false);
      if (found === undefined) return false;
      found.streamed.add(ofKind);
      tell(found, ofKind, partIndex(event, ofKind), event["delta"]);
      return true;
    },
    partDone(event, ofKind) {
      const found = items.find(placeOf(event), false);
      if (found === undefined) return false;
      tellPart(found, ofKind, partIndex(event, ofKind) ?? found.toldParts[ofKind].size, event["text"]);
      return true;
    },
    itemDone(event, of) {
      const found = items.find(placeOf(event, of), false);
      if (found === undefined) return false;
      for (const [place, each] of listOf(of["summary"]).entries()) tellPart(found, "summary", place, each["text"]);
      for (const [place, each] of listOf(of["content"]).entries()) tellPart(found, "text", place, each["text"]);
      found.done = true;
      breakDue = true;
      return true;
    },
    paragraph() {
      breakDue = true;
    },
  };
}

function partIndex(event: JsonObject, kind: ReasoningKind): number | undefined {
  return countOf(event[kind === "summary" ? "summary_index" : "content_index"]);
}
