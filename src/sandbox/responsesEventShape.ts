import { isJsonObject } from "../wire/json.ts";
import type { AnswerShape } from "./answerShape.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The fields of an event in the form that the prompt asked for; undefined where it is left out. */
export function shapeEvent(shape: AnswerShape, type: string, fields: Fields): Fields | undefined {
  if (!shape.deltas && !isOutline(type)) return undefined;
  if (shape.ids) return fields;
  const { item_id: _itemId, output_index: _outputIndex, item, ...rest } = fields;
  if (!isJsonObject(item)) return rest;
  const { id: _id, ...nameless } = item;
  return { ...rest, item: nameless };
}

/** Whether an event belongs to the response as a whole or completes an item. */
function isOutline(type: string): boolean {
  return type === "response.output_item.done" || type === "error" || /^response\.[a-z_]+$/.test(type);
}
