import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { firstLine, stopChild } from "./children.ts";
import { patchbayAt, REPOSITORY, spawnPatchbay, startUpstream } from "./contestants.ts";
import { type Load, runLoad } from "./load.ts";
import { measureInTurns, middleRatio, type MiddleRatio } from "./pairedRatios.ts";

/** A client whose rows are left out: by `skippingLedgerWriter.ts`. */
export const UNRECORDED_CLIENT = "unrecorded";

/** One kind of requests against another: the middle of their latencies, and the processor time of the proxy. */
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
  /** Microseconds of the proxy's process, all of its threads, for a request. */
  readonly processor: number;
}

const WARM_UP_MS = 4_000;
/** Who asks in each round; the first is compared with the second, the third with the fourth. */
const CLIENTS = ["recorded", UNRECORDED_CLIENT, UNRECORDED_CLIENT, UNRECORDED_CLIENT];

/**
 * Sends requests through the whole product, each round for as long as the load says: many short rounds, because whatever else the machine
 * does would otherwise meet one of the two alone. The rows go to a ledger below `directory`.
 */
export async function measureRecordedRequest(directory: string, load: Load, rounds: number): Promise<RecordedRequest> {
  const upstream = await startUpstream();
  const proxy = spawnPatchbay(
    upstream.port,
    directory,
    { options: [], module: join(import.meta.dirname, "skipRows.ts") },
    join(REPOSITORY, "src", "cli", "cli.ts"),
  );
  try {
    const target = patchbayAt(await firstLine(proxy));
    const measure = async (client: string, milliseconds: number): Promise<Measurement> => {
      const headers = { ...target.headers, "user-agent": `${client}/1.0` };
      const before = await processorTime(proxy);
      const { p50, requests } = await runLoad({ ...target, headers }, { ...load, milliseconds });
      return { p50, processor: ((await processorTime(proxy)) - before) / requests };
    };
    for (const client of CLIENTS.slice(0, 2)) await measure(client, WARM_UP_MS);
    const results = await measureInTurns(CLIENTS, rounds, (client) => measure(client, load.milliseconds));
    return { row: compare(results, 0, 1), control: compare(results, 2, 3) };
  } finally {
    await Promise.all([stopChild(proxy), stopChild(upstream.child)]);
  }
}

function compare(results: readonly (readonly Measurement[])[], one: number, other: number): Comparison {
  const ratios = (of: keyof Measurement): number[] =>
    results.map((measured) => (measured[one]?.[of] ?? Number.NaN) / (measured[other]?.[of] ?? Number.NaN));
  return { p50: middleRatio(ratios("p50")), processor: middleRatio(ratios("processor")) };
}

/** Microseconds that a process has used so far. */
function processorTime(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("message", (micros) => resolve(Number(micros)));
    child.send("processor time");
  });
}
