import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { firstLine, startNode, stopChild } from "./children.ts";
import { startUpstream } from "./contestants.ts";
import { runLoad } from "./load.ts";
import { median } from "./median.ts";

/** Where the relay of this bench writes a row for each answer, and where it writes none. */
export const RECORDED_PATH = "/recorded";
const UNRECORDED_PATH = "/unrecorded";

/** Requests with a row against the same requests without one; 1 where the row costs nothing. */
export interface RecordedRequest {
  /** The median of the latencies. */
  readonly p50: number;
  /** The time from one answer to the next. */
  readonly time: number;
}

const WARM_UP_MS = 1_500;
/** Many short rounds in turns, because whatever else the machine does would otherwise meet one of the two alone. */
const ROUNDS = 40;
const ROUND_MS = 150;

/** Relays JSON requests to a fake upstream over that many connections. The rows go to a ledger below `directory`. */
export async function measureRecordedRequest(directory: string, connections: number): Promise<RecordedRequest> {
  const upstream = await startUpstream();
  const script = join(import.meta.dirname, "recordedRelay.ts");
  const relay = startNode([script, String(upstream.port), mkdtempSync(join(directory, "rows-"))]);
  try {
    const port = Number(await firstLine(relay));
    const measure = (path: string, milliseconds: number) =>
      runLoad({ port, path, headers: {} }, { kind: "json", connections, milliseconds });
    for (const path of [RECORDED_PATH, UNRECORDED_PATH]) await measure(path, WARM_UP_MS);
    const p50: number[] = [];
    const time: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const recordedFirst = round % 2 === 0;
      const first = await measure(recordedFirst ? RECORDED_PATH : UNRECORDED_PATH, ROUND_MS);
      const second = await measure(recordedFirst ? UNRECORDED_PATH : RECORDED_PATH, ROUND_MS);
      const [recorded, unrecorded] = recordedFirst ? [first, second] : [second, first];
      p50.push(recorded.p50 / unrecorded.p50);
      time.push(unrecorded.requestsPerSecond / recorded.requestsPerSecond);
    }
    return { p50: median(p50), time: median(time) };
  } finally {
    await Promise.all([stopChild(relay), stopChild(upstream.child)]);
  }
}
