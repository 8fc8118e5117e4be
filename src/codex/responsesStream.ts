import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { joinBytes } from "../wire/joinBytes.ts";
import { endOfLeadingType, isDeltaType, leadingType } from "../wire/leadingType.ts";
import { createSseScanner } from "../wire/sseScanner.ts";
import { createAnswerItems, type AnswerItems } from "./answerItems.ts";

/** A Responses stream of the Codex backend on its way to a Responses caller. */
export interface ResponsesStream {
  /** Returns what the caller gets of these bytes; undefined for the bytes as they are. */
  push(bytes: Uint8Array): Uint8Array | undefined;
  /** What was held when the stream ended. */
  rest(): Uint8Array;
  /** The final event, with its output filled in; undefined while none has come. */
  readonly terminal: JsonObject | undefined;
  /** The items that the answer consists of, in their order. */
  readonly items: AnswerItems;
  /** False where the final event lists nothing, and there were more items than are held to fill it with. */
  readonly isWhole: boolean;
}

/** What is done with the data of the event that passes: nothing, read along, or held until it is whole. */
type Handling = "pass" | "read" | "hold";

/** An event above this size passes as it is, and nothing is learned of it. */
const MAX_EVENT_BYTES = 64 * 1024 * 1024;
const LIMITS = "codex.rate_limits";
const NOTHING: Uint8Array = new Uint8Array(0);
const encoder = new TextEncoder();

/**
 * Passes a stream on byte for byte but for its final event: on this backend `response.output` is often empty there, though the
 * items streamed, and agents that read it loop (the Agents SDK until its last turn). It is filled from the item events. `onLimits` is
 * shown the `codex.rate_limits` events, which pass too.
 */
export function createResponsesStream(
  onLimits: (event: JsonObject) => void = () => undefined,
  maxItemsSize?: number,
): ResponsesStream {
  const items = createAnswerItems(maxItemsSize);
  let terminal: JsonObject | undefined;
  let handling: Handling = "pass";
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  /** What came behind the held data so far: it must not overtake it. */
  let behind: Uint8Array[] = [];
  /** Bytes of the current chunk that go on, and up to where it was looked at. */
  let out: Uint8Array[] = [];
  let current: Uint8Array = NOTHING;
  let from = 0;
  let changed = false;

  const scanner = createSseScanner({
    data(bytes, start, end, first) {
      if (first) handling = handlingOf(bytes, start, end);
      if (handling === "pass") return;
      // Data in several lines, which this backend never sends: its field names stand between what is held.
      if (bytes !== current || heldBytes + end - start > MAX_EVENT_BYTES) {
        giveUp();
        return;
      }
      held.push(bytes.slice(start, end));
      heldBytes += end - start;
      if (handling === "hold") {
        if (start > from) out.push(bytes.subarray(from, start));
        from = end;
        changed = true;
      }
    },
    event() {
      if (handling !== "pass") finishEvent();
    },
  });

  function giveUp(): void {
    if (handling === "hold") out.push(...held, ...behind);
    forget();
  }

  function forget(): void {
    handling = "pass";
    held = [];
    behind = [];
    heldBytes = 0;
  }

  function finishEvent(): void {
    const data = joinBytes(held);
    const event = parsed(data);
    const filled = event === undefined ? undefined : learn(event, data.length);
    if (handling === "hold") {
      out.push(filled === undefined ? data : encoder.encode(JSON.stringify(filled)), ...behind);
    }
    forget();
  }

  /** Returns the event that takes the place of this one; undefined to leave it as it is. */
  function learn(event: JsonObject, size: number): JsonObject | undefined {
    if (event["type"] === "response.output_item.done") items.add(event, size);
    else if (event["type"] === LIMITS) onLimits(event);
    if (!isTerminal(event["type"]) || terminal !== undefined) return undefined;
    terminal = event;
    const response = event["response"];
    if (!isJsonObject(response) || items.isEmpty || hasOutput(response)) return undefined;
    terminal = { ...event, response: { ...response, output: items.inOrder() } };
    return terminal;
  }

  return {
    items,
    get isWhole() {
      return items.isWhole || hasOutput(terminal?.["response"]);
    },
    get terminal() {
      return terminal;
    },
    push(bytes) {
      current = bytes;
      from = 0;
      changed = false;
      out = [];
      scanner.push(bytes);
      const holds = handling === "hold" && heldBytes > 0;
      if (!changed && !holds && out.length === 0) return undefined;
      if (from < bytes.length) (holds ? behind : out).push(bytes.slice(from));
      return joinBytes(out);
    },
    rest() {
      current = NOTHING;
      from = 0;
      out = [];
      scanner.finish();
      giveUp();
      return joinBytes(out);
    },
  };
}

function handlingOf(bytes: Uint8Array, start: number, end: number): Handling {
  const typeEnd = endOfLeadingType(bytes, start, end);
  // Its bytes do not tell yet: it is held until they do.
  if (typeEnd === -1) return "hold";
  if (isDeltaType(bytes, typeEnd)) return "pass";
  const type = leadingType(bytes, start, typeEnd);
  if (type === "response.output_item.done" || type === LIMITS) return "read";
  return isTerminal(type) ? "hold" : "pass";
}

/** Whether an event of this type is the last of its stream. */
export function isTerminal(type: unknown): boolean {
  return (
    type === "response.completed" || type === "response.incomplete" || type === "response.failed" || type === "error"
  );
}

function hasOutput(response: unknown): boolean {
  return isJsonObject(response) && Array.isArray(response["output"]) && response["output"].length > 0;
}

function parsed(data: Uint8Array): JsonObject | undefined {
  try {
    const event: unknown = JSON.parse(new TextDecoder().decode(data));
    return isJsonObject(event) ? event : undefined;
  } catch {
    // What is no JSON passes as it came.
    return undefined;
  }
}
