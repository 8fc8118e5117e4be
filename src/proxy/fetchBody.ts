import { joinBytes } from "../wire/joinBytes.ts";
import { RelayFailure, type RequestBody } from "./exchange.ts";

/** A request's body over a web stream. */
export interface FetchBody extends RequestBody {
  /** What was read ahead and the rest behind it; in one piece where all of it was read. */
  stream(): ReadableStream<Uint8Array> | Uint8Array;
  /** Whether the limit was passed while the body streamed. */
  readonly tooLarge: boolean;
}

/** Reads nothing before it is asked to. */
export function createFetchBody(request: Request, maximumBytes: number): FetchBody {
  const ahead: Uint8Array[] = [];
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let size = 0;
  let ended = false;
  let tooLarge = false;

  async function next(): Promise<Uint8Array | undefined> {
    reader ??= request.body?.getReader();
    if (reader === undefined) {
      ended = true;
      return undefined;
    }
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw new RelayFailure("client_left", { cause: error });
    });
    if (done) {
      ended = true;
      return undefined;
    }
    size += value.length;
    if (size > maximumBytes) {
      tooLarge = true;
      await reader.cancel().catch(() => undefined);
      throw new RelayFailure("body_too_large");
    }
    return value;
  }

  async function whole(): Promise<Uint8Array> {
    while (!ended) {
      const chunk = await next();
      if (chunk !== undefined) ahead.push(chunk);
    }
    const all = joinBytes(ahead);
    ahead.splice(0, ahead.length, all);
    return all;
  }

  return {
    // Over HTTP/2 a body of unknown length has no header that tells of it.
    isThere: request.body !== null && request.headers.get("content-length") !== "0",
    get tooLarge() {
      return tooLarge;
    },
    async peek(look, limitBytes) {
      for (const chunk of ahead) if (look(chunk)) return;
      while (!ended && size < limitBytes) {
        const chunk = await next();
        if (chunk === undefined) return;
        ahead.push(chunk);
        if (look(chunk)) return;
      }
    },
    whole,
    stream() {
      if (ended) return joinBytes(ahead);
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          const chunk = ahead.shift() ?? (await next());
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        },
        async cancel() {
          await reader?.cancel().catch(() => undefined);
        },
      });
    },
  };
}
