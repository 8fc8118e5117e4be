import type { Readable } from "node:stream";
import { createParser } from "eventsource-parser";

import { isJsonObject } from "../wire/json.ts";
import type { ControlEvent } from "./controlState.ts";

/** The events in the body of an event stream, until it ends or the signal aborts. Throws what `failure` makes of an error on the way. */
export async function* readEvents(
  body: Readable,
  signal: AbortSignal,
  failure: (cause: unknown) => Error,
): AsyncIterable<ControlEvent> {
  let events: ControlEvent[] = [];
  const parser = createParser({
    onEvent: ({ data }) => {
      const event: unknown = JSON.parse(data);
      if (isJsonObject(event) && typeof event["type"] === "string") events.push(event as unknown as ControlEvent);
    },
  });
  body.setEncoding("utf8");
  try {
    for await (const text of body) {
      parser.feed(String(text));
      const arrived = events;
      events = [];
      yield* arrived;
    }
  } catch (error) {
    if (!signal.aborted) throw failure(error);
  }
}
