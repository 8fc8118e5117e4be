import type { ChildProcess } from "node:child_process";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stopChild } from "./children.ts";
import type { Contestant, Preload } from "./contestants.ts";
import { requestBytes, runLoad } from "./load.ts";
import { median } from "./median.ts";

const STREAMS = 1000;
const PROCESSES = 5;
/** Below the backlog of a listening socket. */
const OPENED_AT_ONCE = 100;
const SETTLE_MS = 1000;
const WARM_UP_MS = 500;
const ANSWER_DEADLINE_MS = 10_000;

/** What a contestant is started with so that its memory can be asked for. */
export const memoryPreload: Preload = {
  options: ["--expose-gc"],
  module: join(import.meta.dirname, "memoryProbe.ts"),
};

/** What one stream holds on to while nothing moves, in bytes. */
export interface IdleMemory {
  readonly residentPerStream: number;
  readonly heapPerStream: number;
}

/** Measures several processes: how much memory the system gives to one, and when it takes it back, differs from each to the next. */
export async function measureIdleMemory(start: () => Promise<Contestant>): Promise<IdleMemory> {
  const each: IdleMemory[] = [];
  for (let index = 0; index < PROCESSES; index += 1) each.push(await measureOnce(await start()));
  return {
    residentPerStream: median(each.map(({ residentPerStream }) => residentPerStream)),
    heapPerStream: median(each.map(({ heapPerStream }) => heapPerStream)),
  };
}

/** Opens a thousand streams that fall silent, and compares the memory before and after. Ends the contestant. */
async function measureOnce(contestant: Contestant): Promise<IdleMemory> {
  const sockets: Socket[] = [];
  try {
    // What is compiled and pooled once must not be charged to the streams.
    await runLoad(contestant, { kind: "burst", connections: 32, milliseconds: WARM_UP_MS });
    const before = await settledMemory(contestant.child);
    while (sockets.length < STREAMS) {
      sockets.push(
        ...(await Promise.all(Array.from({ length: OPENED_AT_ONCE }, async () => openIdleStream(contestant)))),
      );
    }
    const after = await settledMemory(contestant.child);
    return {
      residentPerStream: (after.rss - before.rss) / STREAMS,
      heapPerStream: (after.heapUsed + after.external - before.heapUsed - before.external) / STREAMS,
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await stopChild(contestant.child);
  }
}

/** Resolves when the first event has come. */
function openIdleStream(contestant: Contestant): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(contestant.port, "127.0.0.1", () => socket.write(requestBytes(contestant, "idle")));
    let seen = "";
    socket.setTimeout(ANSWER_DEADLINE_MS, () => {
      if (!seen.includes("data:")) socket.destroy(new Error("An idle stream did not begin in time."));
    });
    socket.on("error", reject);
    socket.on("data", (bytes: Buffer) => {
      seen += bytes.toString("latin1");
      if (seen.includes("data:")) resolve(socket);
    });
  });
}

async function settledMemory(child: ChildProcess): Promise<NodeJS.MemoryUsage> {
  await delay(SETTLE_MS);
  return new Promise((resolve) => {
    child.once("message", (usage) => resolve(usage as NodeJS.MemoryUsage));
    child.send("collect");
  });
}
