import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How long others are waited for, and when they are taken for dead. Milliseconds. */
export interface FileLockTimes {
  /** Waiting for a holder that is alive. */
  readonly waitMs: number;
  /** After its last sign of life, a holder whose process cannot be asked (another machine, another container) is dead. */
  readonly silentMs: number;
  /** After its last sign of life, a holder is dead even where a process has its number. */
  readonly hungMs: number;
}

/** What a lock file says of its holder. */
interface Holder {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
}

const TIMES: FileLockTimes = { waitMs: 45_000, silentMs: 30_000, hungMs: 120_000 };
const SIGN_OF_LIFE_MS = 5_000;
const LOOK_AGAIN_MS = 40;
/** Clearing away a dead holder's file takes microseconds; a file that says it is going on is a leftover after this. */
const CLEARING_MS = 10_000;

/** A lock that could not be had in time. */
export class LockBusyError extends Error {}

/**
 * Does the work while holding a lock file, which names its holder's process. A dead holder's lock is taken over, and `interrupted` tells
 * the work so. Rejects with a `LockBusyError` when a living holder does not let go, and with the system's error where the file cannot be made.
 */
export async function withFileLock<Result>(
  path: string,
  work: (interrupted: boolean) => Promise<Result>,
  times: FileLockTimes = TIMES,
): Promise<Result> {
  const own: Holder = { token: randomUUID(), pid: process.pid, host: hostname() };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const interrupted = await take(path, own, times);
  const living = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, SIGN_OF_LIFE_MS);
  living.unref();
  try {
    return await work(interrupted);
  } finally {
    clearInterval(living);
    // Somebody who took us for dead has it now.
    if ((await holderOf(path))?.token === own.token) await rm(path, { force: true });
  }
}

/** Returns whether a dead holder was cleared away for it. */
async function take(path: string, own: Holder, times: FileLockTimes): Promise<boolean> {
  const deadline = performance.now() + times.waitMs;
  let interrupted = false;
  for (;;) {
    if (await create(path, own)) return interrupted;
    if (await isDead(path, times)) interrupted = (await clearAway(path, times)) || interrupted;
    else if (performance.now() > deadline) throw new LockBusyError(`${path} is held by another process`);
    else await sleep(LOOK_AGAIN_MS);
  }
}

async function create(path: string, content: Holder): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(path, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    // Windows says this of a file that is just being deleted.
    if (process.platform === "win32" && codeOf(error) === "EPERM" && (await ageOf(path)) !== undefined) return false;
    throw error;
  }
  try {
    await handle.writeFile(`${JSON.stringify(content)}\n`);
    return true;
  } catch (error) {
    // A full disk: an empty lock would keep everybody out until it is taken for dead.
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function isDead(path: string, times: FileLockTimes): Promise<boolean> {
  const silence = await ageOf(path);
  if (silence === undefined) return false;
  const holder = await holderOf(path);
  // Without content, its holder has just made it, or died between making and writing it.
  if (holder === undefined || holder.host !== hostname()) return silence > times.silentMs;
  return isRunning(holder.pid) ? silence > times.hungMs : true;
}

/**
 * Removes a dead holder's file; false where somebody else is at it or was faster. One at a time, so that nobody removes the file of the
 * next holder by mistake.
 */
async function clearAway(path: string, times: FileLockTimes): Promise<boolean> {
  const clearing = `${path}.clearing`;
  if (!(await create(clearing, { token: randomUUID(), pid: process.pid, host: hostname() }))) {
    if (((await ageOf(clearing)) ?? 0) > CLEARING_MS) await rm(clearing, { force: true });
    else await sleep(LOOK_AGAIN_MS);
    return false;
  }
  try {
    if (!(await isDead(path, times))) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rm(clearing, { force: true });
  }
}

/** Milliseconds since the file's last sign of life; undefined where there is none. */
async function ageOf(path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

/** Whether there is a process with this number, whosever it is. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs, as somebody else's.
    return codeOf(error) === "EPERM";
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
