import { isJsonObject, type JsonObject } from "../wire/json.ts";

/** The output items of one answer, from its `response.output_item.done` events. */
export interface AnswerItems {
  /** Takes such an event; anything else about it is of no interest. */
  add(event: JsonObject): void;
  /** By their `output_index`; those without one stay in the order in which they came. */
  inOrder(): readonly JsonObject[];
  readonly isEmpty: boolean;
}

/** More than any answer has. */
const MAX_ITEMS = 4096;

/** A collection that holds nothing yet. */
export function createAnswerItems(): AnswerItems {
  const collected: { readonly index: number; readonly item: JsonObject }[] = [];
  return {
    add(event) {
      const { item, output_index: index } = event;
      if (!isJsonObject(item) || collected.length >= MAX_ITEMS) return;
      collected.push({ index: typeof index === "number" ? index : collected.length, item });
    },
    inOrder: () => collected.toSorted((one, other) => one.index - other.index).map(({ item }) => item),
    get isEmpty() {
      return collected.length === 0;
    },
  };
}
