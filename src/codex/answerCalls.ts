import type { JsonObject } from "../wire/json.ts";
import type { AnswerSink, CallKind } from "./answerSink.ts";
import { placeOf, textOf } from "./eventFields.ts";
import { createTrackedItems, type TrackedItem } from "./trackedItems.ts";

/** Tells an answer's tool calls: each once, under its own index, with its input once. */
export interface AnswerCalls {
  /** Each of these returns false where there is more than any answer has. */
  begin(event: JsonObject, item: JsonObject, kind: CallKind): boolean;
  delta(event: JsonObject, kind: CallKind): boolean;
  inputDone(event: JsonObject, kind: CallKind): boolean;
  itemDone(event: JsonObject, item: JsonObject, kind: CallKind): boolean;
  /** The answer has ended: tells what was known and not yet told. */
  finish(): void;
  /** How many calls were told. */
  readonly count: number;
}

interface Call extends TrackedItem {
  kind: CallKind;
  /** Counts the calls that were told, not the output items; undefined until then. */
  index: number | undefined;
  /** Deltas that came before the call's name. */
  held: string;
  /** An input that was told of in one piece, for the case that no delta comes. */
  offered: string;
  inputTold: boolean;
}

/** Deltas of calls without a name, all together (in UTF-16 units). */
const MAX_HELD_CHARACTERS = 16 * 1024 * 1024;

/**
 * Makes the teller of one answer's calls.
 *
 * @param toCaller gives a tool the name that its caller knows it by.
 * @param fallbackId what the ids of calls begin with to which the upstream gave none.
 */
export function createAnswerCalls(
  sink: AnswerSink,
  toCaller: (toolName: string) => string,
  fallbackId: string,
): AnswerCalls {
  const calls = createTrackedItems<Call>((place) => ({
    ...place,
    done: false,
    kind: "function",
    index: undefined,
    held: "",
    offered: "",
    inputTold: false,
  }));
  let count = 0;
  let heldCharacters = 0;
  /** The call whose input is streaming: nearly every delta is one more of it. */
  let current: Call | undefined;

  function announce(call: Call, name: string, whole: string): void {
    const input = whole === "" ? call.held : whole;
    call.index = count;
    count += 1;
    heldCharacters -= call.held.length;
    call.held = "";
    call.inputTold = input !== "";
    sink.call(call.index, call.kind, call.callId ?? call.id ?? `${fallbackId}${call.index}`, toCaller(name), input);
  }

  function tellInput(call: Call, index: number, delta: string): void {
    if (delta === "") return;
    call.inputTold = true;
    sink.callInput(index, call.kind, delta);
  }

  /** The call's name, or its whole input, or both have become known. */
  function complete(call: Call, name: string | undefined, whole: string): void {
    if (whole !== "") call.offered = whole;
    if (call.index === undefined) {
      if (name !== undefined) announce(call, name, whole);
    } else if (!call.inputTold) tellInput(call, call.index, whole);
  }

  return {
    get count() {
      return count;
    },
    begin(event, item, kind) {
      const call = calls.find(placeOf(event, item), true);
      if (call === undefined) return false;
      call.kind = kind;
      const name = textOf(item["name"]);
      if (name !== undefined && call.index === undefined) announce(call, name, "");
      // Its input may be repeated in deltas, or be only here.
      if (call.offered === "") call.offered = inputOf(item, kind);
      return true;
    },
    delta(event, kind) {
      const delta = event["delta"];
      if (typeof delta !== "string" || delta === "") return true;
      const id = event["item_id"];
      let call = current !== undefined && id !== undefined && current.id === id ? current : undefined;
      if (call === undefined) {
        call = calls.find(placeOf(event), false);
        if (call === undefined) return false;
        if (call.index === undefined) call.kind = kind;
        current = call;
      }
      if (call.index !== undefined) {
        tellInput(call, call.index, delta);
        return true;
      }
      call.held += delta;
      heldCharacters += delta.length;
      return heldCharacters <= MAX_HELD_CHARACTERS;
    },
    inputDone(event, kind) {
      const call = calls.find(placeOf(event), false);
      if (call === undefined) return false;
      if (call.index === undefined) call.kind = kind;
      complete(call, textOf(event["name"]), inputOf(event, kind));
      return true;
    },
    itemDone(event, item, kind) {
      const call = calls.find(placeOf(event, item), false);
      if (call === undefined) return false;
      if (call.index === undefined) call.kind = kind;
      complete(call, textOf(item["name"]), inputOf(item, kind));
      call.done = true;
      return true;
    },
    finish() {
      for (const call of calls.all)
        if (call.index !== undefined && !call.inputTold) tellInput(call, call.index, call.offered);
    },
  };
}

/** The input is opaque text; an upstream that sends it as an object means its JSON. */
function inputOf(from: JsonObject, kind: CallKind): string {
  const input = from[kind === "function" ? "arguments" : "input"];
  if (typeof input === "string") return input;
  return typeof input === "object" && input !== null ? JSON.stringify(input) : "";
}
