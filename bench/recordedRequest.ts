import type { ChildProcess } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { firstLine, startNode, stopChild } from "./children.ts";
import { startUpstream } from "./contestants.ts";
import { runLoad } from "./load.ts";
import { middleRatio, type MiddleRatio } from "./pairedRatios.ts";

/** Where the relay of this bench writes a row for each answer, and where it writes none. */
export const RECORDED_PATH = "/recorded";
const UNRECORDED_PATH = "/unrecorded";

/** One kind of requests against another: the middle of their latencies, and the processor time of the relay. */
export interface Comparison {
  readonly p50: MiddleRatio;
  readonly processor: MiddleRatio;
}

/** What a row costs a request, and what the same measurement finds where there is no difference. */
export interface RecordedRequest {
  /** Requests with a row against requests without one. */
  readonly row: Comparison;
  /** Requests without a row against requests without one. */
  readonly control: Comparison;
}

interface Measurement {
  readonly p50: number;
  /** Microseconds of the relay's process, all of its threads, for a request. */
  readonly processor: number;
}

const WARM_UP_MS = 4_000;
/** Many short rounds, because whatever else the machine does would otherwise meet one of the two alone. */
const ROUNDS = 80;
const ROUND_MS = 100;
/** What is measured in each round; the first is compared with the second, the third with the fourth. */
const PATHS = [RECORDED_PATH, UNRECORDED_PATH, UNRECORDED_PATH, UNRECORDED_PATH];

/** Relays JSON requests to a fake upstream over that many connections. The rows go to a ledger below `directory`. */
export async function measureRecordedRequest(directory: string, connections: number): Promise<RecordedRequest> {
  const upstream = await startUpstream();
  const script = join(import.meta.dirname, "recordedRelay.ts");
  const relay = startNode([script, String(upstream.port), mkdtempSync(join(directory, "rows-"))], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  try {
    const port = Number(await firstLine(relay));
    const measure = async (path: string, milliseconds: number): Promise<Measurement> => {
      const before = await processorTime(relay);
      const { p50, requests } = await runLoad({ port, path, headers: {} }, { kind: "json", connections, milliseconds });
      return { p50, processor: ((await processorTime(relay)) - before) / requests };
    };
    for (const path of [RECORDED_PATH, UNRECORDED_PATH]) await measure(path, WARM_UP_MS);
    const rounds: Measurement[][] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const measured: Measurement[] = [];
      // Each takes each place equally often: the first of a round finds another machine than the last.
      for (let place = 0; place < PATHS.length; place += 1) {
        const index = (round + place) % PATHS.length;
        measured[index] = await measure(PATHS[index] ?? UNRECORDED_PATH, ROUND_MS);
      }
      rounds.push(measured);
    }
    return { row: compare(rounds, 0, 1), control: compare(rounds, 2, 3) };
  } finally {
    await Promise.all([stopChild(relay), stopChild(upstream.child)]);
  }
}

function compare(rounds: readonly (readonly Measurement[])[], one: number, other: number): Comparison {
  const ratios = (of: keyof Measurement): number[] =>
    rounds.map((measured) => (measured[one]?.[of] ?? Number.NaN) / (measured[other]?.[of] ?? Number.NaN));
  return { p50: middleRatio(ratios("p50")), processor: middleRatio(ratios("processor")) };
}

/** Microseconds that a process has used so far. */
function processorTime(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("message", (micros) => resolve(Number(micros)));
    child.send("processor time");
  });
}
