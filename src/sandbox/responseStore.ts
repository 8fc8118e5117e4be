import type { ResponsesAnswer } from "./responseObject.ts";
import type { Item } from "./responsesRequest.ts";
import type { ServedEntry } from "./served.ts";

/** A response that can be asked for again. */
export interface StoredResponse {
  readonly answer: ResponsesAnswer;
  /** Everything that was said until this response, without it. */
  readonly items: readonly Item[];
  /** The request that made it. */
  readonly entry: ServedEntry;
  /** How often it was asked for: a background response gets on by that. */
  reads: number;
  cancelled: boolean;
}

/** The bounded memory of stored responses. */
export interface ResponseStore {
  put(response: StoredResponse): void;
  get(id: string): StoredResponse | undefined;
  /** False where there was none. */
  remove(id: string): boolean;
}

/** An empty store that forgets the oldest responses beyond the limit. */
export function createResponseStore(limit: number): ResponseStore {
  const responses = new Map<string, StoredResponse>();
  return {
    put(response) {
      responses.set(response.answer.id, response);
      const oldest = responses.keys().next().value;
      if (responses.size > limit && oldest !== undefined) responses.delete(oldest);
    },
    get: (id) => responses.get(id),
    remove: (id) => responses.delete(id),
  };
}
