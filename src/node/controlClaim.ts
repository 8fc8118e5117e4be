import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { connectControl } from "./controlClient.ts";
import { ControlError } from "./controlDirectory.ts";
import { takeControlLock } from "./controlLock.ts";
import { controlPathOf, ownControlPath, POINTER, pointerOf } from "./controlPlace.ts";
import type { ControlState } from "./controlState.ts";
import { makeDataDirectory } from "./ledgerFile.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The right to be the process of a data directory, and the place where its control socket belongs. */
export interface ControlClaim {
  readonly path: string;
  /** Lets the next process start. The control socket must have been released. Doing it twice does no harm. */
  release(): void;
}

/** A data directory that has its process already. */
export class AlreadyRunningError extends ControlError {
  /** What that process told of itself. */
  readonly state: ControlState;

  constructor(state: ControlState) {
    const { url, pid } = state;
    super(
      state.phase === "running"
        ? `Patchbay already runs at ${url} (pid ${pid}) with this data directory: stop it, or choose another --data-dir.`
        : `Patchbay at ${url} (pid ${pid}) is finishing its last answers with this data directory: start it when that one has ended.`,
    );
    this.name = "AlreadyRunningError";
    this.state = state;
  }
}

/** As long as `serve` lets its answers run on, by default, when it is stopped. */
const CLAIM_DEADLINE_MS = 12_000;
const CLAIM_LOOK_MS = 50;

/**
 * Makes this process the one of a data directory, which is made where it is missing. Waits for one that is ending. Rejects with an
 * `AlreadyRunningError`, a `ControlError` or a `DatabaseError`.
 */
export async function claimDataDirectory(
  dataDirectory: string,
  environment: Environment,
  deadlineMs = CLAIM_DEADLINE_MS,
): Promise<ControlClaim> {
  makeDataDirectory(dataDirectory);
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const lock = takeControlLock(dataDirectory);
    let state: ControlState | undefined;
    try {
      const path = ownControlPath(dataDirectory, environment);
      const told = stateBehind(controlPathOf(dataDirectory, environment));
      // Without a holder, what was written down is of the past, and another program may be at that place now.
      state = (await (lock === undefined ? told : told.catch(() => undefined))) ?? (await stateBehind(path));
      if (lock !== undefined && state === undefined) {
        writeFileSync(join(dataDirectory, POINTER), `${JSON.stringify({ path, pid: process.pid })}\n`, { mode: 0o600 });
        return { path, release: () => lock.release() };
      }
    } catch (error) {
      lock?.release();
      throw error;
    }
    lock?.release();
    if (state?.phase === "running") throw new AlreadyRunningError(state);
    if (performance.now() > deadline) {
      if (state !== undefined) throw new AlreadyRunningError(state);
      throw new ControlError(
        `Another Patchbay${pidText(dataDirectory)} holds the data directory ${dataDirectory} but does not answer: end it, or choose another --data-dir.`,
      );
    }
    await delay(CLAIM_LOOK_MS);
  }
}

async function stateBehind(path: string): Promise<ControlState | undefined> {
  const client = await connectControl(path);
  try {
    return await client?.state();
  } catch {
    // It has ended since.
    return undefined;
  }
}

function pidText(dataDirectory: string): string {
  const { pid } = pointerOf(dataDirectory);
  return pid === undefined ? "" : ` (pid ${pid})`;
}
