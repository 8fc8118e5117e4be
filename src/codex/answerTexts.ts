import { isJsonObject, type JsonObject } from "../wire/json.ts";
import type { AnswerSink } from "./answerSink.ts";
import { countOf, listOf, placeOf, textOf } from "./eventFields.ts";
import { createTrackedItems, type TrackedItem } from "./trackedItems.ts";

/** Tells the texts, refusals and citations of an answer's messages, each once. */
export interface AnswerTexts {
  /** Each of these returns false where there are more items than any answer has. */
  begin(event: JsonObject, item: JsonObject): boolean;
  delta(event: JsonObject, kind: TextKind): boolean;
  /** A part is whole; its text is told where no delta of it was. */
  partDone(event: JsonObject, kind: TextKind): boolean;
  itemDone(event: JsonObject, item: JsonObject): boolean;
  annotation(event: JsonObject): boolean;
  /** Another delta of this many UTF-16 units was told by somebody else, of the message that the last one belonged to. */
  told(units: number): void;
}

/** A message speaks, or declines to. */
export type TextKind = "text" | "refusal";

interface Message extends TrackedItem {
  /** Kinds of which deltas came: the texts that repeat them at the end say nothing new. */
  readonly streamed: Set<TextKind>;
  /** Parts that were told whole, by their place in the message. */
  readonly toldParts: Set<number>;
  /** Where the message's text begins in the answer's: several messages become one content, and citations count from its start. */
  start: number | undefined;
  cited: boolean;
}

/** Makes the teller of one answer's messages. */
export function createAnswerTexts(sink: AnswerSink): AnswerTexts {
  const messages = createTrackedItems<Message>((place) => ({
    ...place,
    done: false,
    streamed: new Set(),
    toldParts: new Set(),
    start: undefined,
    cited: false,
  }));
  /** The last message that streamed, by its item id: nearly every delta is one more of it. */
  let current: Message | undefined;
  let length = 0;

  function tell(message: Message, kind: TextKind, text: string): void {
    if (text === "") return;
    if (kind === "refusal") {
      sink.refusal(text);
      return;
    }
    message.start ??= length;
    length += text.length;
    sink.text(text);
  }

  function tellPart(message: Message, place: number, kind: TextKind, text: unknown): void {
    if (typeof text !== "string" || message.streamed.has(kind) || message.toldParts.has(place)) return;
    message.toldParts.add(place);
    tell(message, kind, text);
  }

  function cite(message: Message, annotation: unknown): void {
    const citation = citationOf(annotation, message.start ?? length);
    if (citation !== undefined) sink.annotation(citation);
  }

  return {
    begin: (event, item) => messages.find(placeOf(event, item), true) !== undefined,
    delta(event, kind) {
      const delta = event["delta"];
      if (typeof delta !== "string") return true;
      const id = event["item_id"];
      const message =
        current !== undefined && typeof id === "string" && id !== "" && current.id === id
          ? current
          : messages.find(placeOf(event), false);
      if (message === undefined) return false;
      current = message;
      message.streamed.add(kind);
      tell(message, kind, delta);
      return true;
    },
    partDone(event, kind) {
      const message = messages.find(placeOf(event), false);
      if (message === undefined) return false;
      const place = countOf(event["content_index"]) ?? message.toldParts.size;
      tellPart(message, place, kind, kind === "text" ? event["text"] : event["refusal"]);
      return true;
    },
    itemDone(event, item) {
      const message = messages.find(placeOf(event, item), false);
      if (message === undefined) return false;
      const content = item["content"];
      const parts = typeof content === "string" ? [{ type: "output_text", text: content }] : listOf(content);
      for (const [place, part] of parts.entries()) {
        if (part["type"] === "refusal") tellPart(message, place, "refusal", part["refusal"]);
        else if (part["type"] === "output_text") tellPart(message, place, "text", part["text"]);
        if (!message.cited) for (const annotation of listOf(part["annotations"])) cite(message, annotation);
      }
      message.cited = true;
      message.done = true;
      return true;
    },
    annotation(event) {
      const message = messages.find(placeOf(event), false);
      if (message === undefined) return false;
      message.cited = true;
      cite(message, event["annotation"]);
      return true;
    },
    told(units) {
      length += units;
    },
  };
}

/** OpenAI nests in chat completions what is flat in Responses; of the other kinds (files, containers) chat completions know nothing. */
function citationOf(annotation: unknown, offset: number): JsonObject | undefined {
  if (!isJsonObject(annotation) || annotation["type"] !== "url_citation") return undefined;
  return {
    type: "url_citation",
    url_citation: {
      start_index: offset + (countOf(annotation["start_index"]) ?? 0),
      end_index: offset + (countOf(annotation["end_index"]) ?? 0),
      url: textOf(annotation["url"]) ?? "",
      title: textOf(annotation["title"]) ?? "",
    },
  };
}
