/** A load generator on raw keep-alive sockets, cheap enough not to be what is measured. */
import { connect, type Socket } from "node:net";
import { requestBody, type AnswerKind } from "./shapes.ts";

/** Where requests are sent, and as whom. */
export interface Target {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** How much is sent. */
export interface Load {
  readonly kind: AnswerKind;
  readonly connections: number;
  readonly milliseconds: number;
  /** Milliseconds from one connection's first request to the next one's; none where left out. */
  readonly apartMs?: number;
}

export interface LoadResult {
  /** Microseconds. */
  readonly p50: number;
  /** Microseconds. */
  readonly p99: number;
  readonly requestsPerSecond: number;
  readonly requests: number;
}

/** An answer that takes longer has been lost. */
const ANSWER_DEADLINE_MS = 10_000;
const LAST_CHUNK = "0\r\n\r\n";

/** Sends requests over that many connections for that long, one at a time on each. Rejects when a connection breaks or an answer is no 200. */
export async function runLoad(target: Target, load: Load): Promise<LoadResult> {
  const request = requestBytes(target, load.kind);
  const latencies: number[] = [];
  const started = performance.now();
  const until = started + load.milliseconds;
  await Promise.all(
    Array.from({ length: load.connections }, (_, index) =>
      runConnection(target.port, request, until, latencies, index * (load.apartMs ?? 0)),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  latencies.sort((left, right) => left - right);
  return {
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    requestsPerSecond: latencies.length / seconds,
    requests: latencies.length,
  };
}

/** The bytes of one chat request. */
export function requestBytes(target: Target, kind: AnswerKind): Buffer {
  const body = requestBody(kind);
  const headers = {
    host: `127.0.0.1:${target.port}`,
    "content-type": "application/json",
    "content-length": String(body.length),
    "user-agent": "bench/1.0",
    ...target.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${target.path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}

function runConnection(
  port: number,
  request: Buffer,
  until: number,
  latencies: number[],
  waitMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let sentAt = 0;
    let end: AnswerEnd | undefined;
    const next = (): void => {
      end = undefined;
      sentAt = performance.now();
      socket.write(request);
    };
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(ANSWER_DEADLINE_MS, () => fail(new Error("An answer did not come in time.")));
    socket.on("connect", () => {
      if (waitMs === 0) next();
      else setTimeout(next, waitMs);
    });
    socket.on("error", fail);
    socket.on("end", () => fail(new Error("The server closed the connection.")));
    socket.on("data", (bytes: Buffer) => {
      try {
        end ??= new AnswerEnd(bytes);
      } catch (error) {
        fail(error as Error);
        return;
      }
      if (!end.seen(bytes)) return;
      const now = performance.now();
      latencies.push((now - sentAt) * 1000);
      if (now < until) next();
      else {
        socket.destroy();
        resolve();
      }
    });
  });
}

/** Finds the end of one answer: by content-length, or by the last chunk, which none of the bench's bodies imitates. */
class AnswerEnd {
  #left: number | undefined;
  #tail = "";

  constructor(first: Buffer) {
    const headEnd = first.indexOf("\r\n\r\n");
    const head = first.toString("latin1", 0, headEnd);
    if (!head.startsWith("HTTP/1.1 200")) throw new Error(`Not a 200: ${first.toString("latin1", 0, 600)}`);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#left = length === undefined ? undefined : Number(length) + headEnd + 4;
  }

  seen(bytes: Buffer): boolean {
    if (this.#left === undefined) {
      const last = bytes.toString("latin1", Math.max(0, bytes.length - LAST_CHUNK.length));
      this.#tail = (this.#tail + last).slice(-LAST_CHUNK.length);
      return this.#tail === LAST_CHUNK;
    }
    this.#left -= bytes.length;
    return this.#left <= 0;
  }
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
