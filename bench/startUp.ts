import { firstLine, startNode, stopChild } from "./children.ts";
import { patchbayAt, spawnPatchbay } from "./contestants.ts";
import { runLoad } from "./load.ts";
import { median } from "./median.ts";

const STARTS = 7;

/** Milliseconds from the spawn of the process. */
export interface StartUp {
  /** Until a Node that has nothing to do has ended, for comparison. */
  readonly emptyNode: number;
  /** Until `patchbay serve` says that it listens. */
  readonly listening: number;
  /** Until the first request that it relayed was answered. */
  readonly firstAnswer: number;
}

/** Starts the program several times, each time with a new ledger. */
export async function measureStartUp(upstreamPort: number, directory: string): Promise<StartUp> {
  const emptyNode: number[] = [];
  const listening: number[] = [];
  const firstAnswer: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    emptyNode.push(await emptyNodeMs());
    const spawnedAt = performance.now();
    const child = spawnPatchbay(upstreamPort, directory);
    const target = patchbayAt(await firstLine(child));
    listening.push(performance.now() - spawnedAt);
    // No time at all is time for one request.
    await runLoad(target, { kind: "json", connections: 1, milliseconds: 0 });
    firstAnswer.push(performance.now() - spawnedAt);
    await stopChild(child);
  }
  return { emptyNode: median(emptyNode), listening: median(listening), firstAnswer: median(firstAnswer) };
}

function emptyNodeMs(): Promise<number> {
  const spawnedAt = performance.now();
  const child = startNode(["--eval", "0"], { stdio: "ignore" });
  return new Promise((resolve) => {
    child.once("exit", () => resolve(performance.now() - spawnedAt));
  });
}
