import { type Exchange, jsonAnswer } from "./exchange.ts";
import { FAILURE_MESSAGE } from "./prepare.ts";
import { badRequest, refuse } from "./refusal.ts";
import { begun, responseObject, type ResponseState } from "./responseObject.ts";
import type { StoredResponse } from "./responseStore.ts";
import { finishedState, streamedResponse } from "./responses.ts";

/** `GET /responses/:id`, also as an event stream that is taken up again (`?stream=true&starting_after=N`). */
export function retrieveResponse(exchange: Exchange, id: string): Response {
  const stored = find(exchange, id);
  const query = new URL(exchange.request.url).searchParams;
  if (query.get("stream") === "true") {
    exchange.entry.streamed = true;
    stored.reads = READS_UNTIL_DONE;
    const after = query.get("starting_after");
    return streamedResponse(exchange, stored.answer, after === null || !/^\d{1,9}$/.test(after) ? -1 : Number(after));
  }
  stored.reads += 1;
  const state = currentState(stored);
  return jsonAnswer(exchange, responseObject(stored.answer, state), state.usage ?? undefined);
}

/** `POST /responses/:id/cancel`. What has ended stays as it is. */
export function cancelResponse(exchange: Exchange, id: string): Response {
  const stored = find(exchange, id);
  if (stored.answer.request.background !== true) throw badRequest("Cannot cancel a synchronous response.");
  if (stored.reads < READS_UNTIL_DONE) stored.cancelled = true;
  const state = currentState(stored);
  return jsonAnswer(exchange, responseObject(stored.answer, state), state.usage ?? undefined);
}

/** `DELETE /responses/:id`. */
export function deleteResponse(exchange: Exchange, id: string): Response {
  find(exchange, id);
  exchange.room.responses.remove(id);
  return jsonAnswer(exchange, { id, object: "response", deleted: true });
}

/** `GET /responses/:id/input_items`, newest first. */
export function listInputItems(exchange: Exchange, id: string): Response {
  const data = find(exchange, id).items.map((item, index) => Object.assign({ id: `item_${index}` }, item));
  data.reverse();
  const ids = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return jsonAnswer(exchange, { object: "list", data, ...ids, has_more: false });
}

const READS_UNTIL_DONE = 2;

function find(exchange: Exchange, id: string): StoredResponse {
  const stored = exchange.room.responses.get(id);
  if (stored === undefined) throw refuse(404, `Response with id '${id}' not found.`, null, "id");
  exchange.entry.id = id;
  exchange.entry.model = stored.answer.request.model;
  return stored;
}

/** A background response gets on with every reading, so that tests need no clock; any other one is where its own stream is. */
function currentState(stored: StoredResponse): ResponseState {
  if (stored.cancelled) return begun("cancelled");
  if (stored.answer.request.background === true) {
    if (stored.reads < READS_UNTIL_DONE) return begun(stored.reads === 0 ? "queued" : "in_progress");
    if (stored.answer.interruption === undefined) return finishedState(stored.answer).state;
  } else if (stored.entry.outcome === "finished") return finishedState(stored.answer).state;
  else if (stored.entry.outcome === "open") return begun("in_progress");
  else if (stored.entry.outcome === "left") return begun("cancelled");
  return { ...begun("failed"), error: { code: "server_error", message: FAILURE_MESSAGE } };
}
