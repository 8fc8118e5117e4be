import { isJsonObject, type JsonObject } from "../wire/json.ts";
import type { ItemPlace } from "./trackedItems.ts";

/** Reads a field as text; undefined where it is none, or empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Reads an index or a count: a whole number from 0 on. */
export function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Reads a field as an object; an empty one where it is none. */
export function fieldsOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** Reads a field as a list of objects; what is none in it stands there as an empty one, so that places keep their numbers. */
export function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** What an event names its output item by. */
export function placeOf(event: JsonObject, item?: JsonObject): ItemPlace {
  return {
    id: textOf(item?.["id"]) ?? textOf(event["item_id"]),
    outputIndex: countOf(event["output_index"]),
    callId: textOf(item?.["call_id"]) ?? textOf(event["call_id"]),
  };
}
