import type { Clock, Log } from "../../src/ports.ts";
import type { Fetch } from "../../src/codex/backendRequest.ts";

/** A clock that stands still until it is told to go on. */
export interface HandClock extends Clock {
  pass(milliseconds: number): void;
}

export function handClock(startMs = 1_795_000_000_000): HandClock {
  let passed = 0;
  return {
    now: () => startMs + passed,
    monotonic: () => passed,
    pass: (milliseconds) => void (passed += milliseconds),
  };
}

/** A backend in a function, and what it was asked. */
export interface PretendBackend {
  readonly fetch: Fetch;
  readonly asked: readonly { readonly url: string; readonly headers: Headers }[];
  /** The lines of the log, fields and all. */
  readonly lines: readonly string[];
  readonly log: Log;
}

/** Each request gets what `answer` makes of it at that time. */
export function pretendBackend(
  answer: (asked: { url: string; headers: Headers }) => Response | Promise<Response>,
): PretendBackend {
  const asked: { url: string; headers: Headers }[] = [];
  const lines: string[] = [];
  const put = (message: string, fields?: object): void => void lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  return {
    asked,
    lines,
    log: { debug: put, info: put, warn: put, error: put },
    async fetch(url, init) {
      const one = { url, headers: new Headers(init.headers) };
      asked.push(one);
      return answer(one);
    },
  };
}

export function json(value: unknown, init: ResponseInit = {}): Response {
  return new Response(JSON.stringify(value), init);
}
