import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { isJsonObject } from "../wire/json.ts";
import { connectControl } from "./controlClient.ts";
import { ControlError } from "./controlDirectory.ts";
import { takeControlLock } from "./controlLock.ts";
import { controlPath } from "./controlPath.ts";
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

/** Names the socket and the process. The place depends on the environment, which is another in a cron job than in a desktop's session. */
const POINTER = "control.json";
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
      const path = ownPath(dataDirectory, environment);
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

/** Where the process of a data directory is talked to, if there is one. */
export function controlPathOf(dataDirectory: string, environment: Environment): string {
  return pointerOf(dataDirectory).path ?? ownPath(dataDirectory, environment);
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

function ownPath(dataDirectory: string, environment: Environment): string {
  return controlPath({
    environment,
    platform: process.platform,
    user: String(process.getuid?.() ?? userInfo().username),
    dataDirectory: existsSync(dataDirectory) ? realpathSync(dataDirectory) : resolve(dataDirectory),
    temporaryDirectory: tmpdir(),
  });
}

function pointerOf(dataDirectory: string): { readonly path: string | undefined; readonly pid: number | undefined } {
  let written: unknown;
  try {
    written = JSON.parse(readFileSync(join(dataDirectory, POINTER), "utf8"));
  } catch {
    // Nobody was here yet, or it is just being written.
    return { path: undefined, pid: undefined };
  }
  const { path, pid } = isJsonObject(written) ? written : {};
  return {
    path: typeof path === "string" && path !== "" ? path : undefined,
    pid: typeof pid === "number" ? pid : undefined,
  };
}

function pidText(dataDirectory: string): string {
  const { pid } = pointerOf(dataDirectory);
  return pid === undefined ? "" : ` (pid ${pid})`;
}
