import { isJsonObject, type JsonObject } from "../wire/json.ts";

/** The output items of one answer, from its `response.output_item.done` events. */
export interface AnswerItems {
  /** Takes such an event, of so many bytes (or characters); anything else about it is of no interest. */
  add(event: JsonObject, size: number): void;
  /** By their `output_index`; those without one stay in the order in which they came. */
  inOrder(): readonly JsonObject[];
  readonly isEmpty: boolean;
  /** False where there was more than any answer has: then nothing is kept, because a part of an answer is none. */
  readonly isWhole: boolean;
}

/** More than any answer has: in number, … */
const MAX_ITEMS = 4096;
/** … and in size, all together. */
const MAX_SIZE = 128 * 1024 * 1024;

/** A collection that holds nothing yet. */
export function createAnswerItems(maxSize: number = MAX_SIZE): AnswerItems {
  let collected: { readonly index: number; readonly item: JsonObject }[] = [];
  let size = 0;
  let isWhole = true;
  return {
    add(event, eventSize) {
      const { item, output_index: index } = event;
      if (!isJsonObject(item) || !isWhole) return;
      size += eventSize;
      collected.push({ index: typeof index === "number" ? index : collected.length, item });
      isWhole = size <= maxSize && collected.length <= MAX_ITEMS;
      if (!isWhole) collected = [];
    },
    get isWhole() {
      return isWhole;
    },
    inOrder: () => collected.toSorted((one, other) => one.index - other.index).map(({ item }) => item),
    get isEmpty() {
      return collected.length === 0;
    },
  };
}
