import { type FSWatcher, watch } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

import { PROCESS_LOG } from "../node/processLogName.ts";

/** One line of the process's log. */
export interface LoggedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
}

/** Follows the process's log. */
export interface LogTail {
  /** Shows what is there, and from now on what comes. */
  follow(): Promise<void>;
  dispose(): void;
}

/** As much as is shown of what was there before. */
const FIRST_BYTES = 64 * 1024;
const LINE = /^(\S+) (debug|info|warn|error) (.*)$/;

/** Makes it; nothing is read before `follow`. */
export function createLogTail(dataDirectory: string, show: (line: LoggedLine) => void): LogTail {
  const path = join(dataDirectory, PROCESS_LOG);
  let position: number | undefined;
  let watcher: FSWatcher | undefined;
  let reading = Promise.resolve();

  async function read(): Promise<void> {
    const { text, end } = await readFrom(path, position);
    position = end;
    for (const line of text.split("\n")) {
      const logged = loggedLine(line);
      if (logged !== undefined) show(logged);
    }
  }

  function readAgain(): Promise<void> {
    reading = reading.then(read).catch(() => undefined);
    return reading;
  }

  return {
    async follow() {
      await readAgain();
      if (watcher !== undefined) return;
      try {
        watcher = watch(dataDirectory, (_event, name) => {
          if (name === PROCESS_LOG) void readAgain();
        });
        watcher.on("error", () => watcher?.close());
      } catch {
        // Without the folder there is no process either.
      }
    },
    dispose: () => watcher?.close(),
  };
}

/** The last error in the log, written at or after a moment; undefined for none. */
export async function lastLoggedError(dataDirectory: string, since: number): Promise<string | undefined> {
  try {
    const { text } = await readFrom(join(dataDirectory, PROCESS_LOG), undefined);
    const lines = text.split("\n").map((line) => LINE.exec(line));
    const last = lines.findLast((match) => match?.[2] === "error" && Date.parse(match[1] ?? "") >= since);
    return last?.[3];
  } catch {
    return undefined;
  }
}

/** Whole lines from a position on, or the last ones; a log that has become shorter is a new one. */
async function readFrom(path: string, from: number | undefined): Promise<{ text: string; end: number }> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const isNew = from !== undefined && size < from;
    const start = from === undefined ? Math.max(0, size - FIRST_BYTES) : isNew ? 0 : from;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const text = buffer.subarray(0, bytesRead).toString("utf8");
    const whole = text.lastIndexOf("\n") + 1;
    return { text: text.slice(0, whole), end: start + Buffer.byteLength(text.slice(0, whole)) };
  } finally {
    await file.close();
  }
}

function loggedLine(line: string): LoggedLine | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  return { level: match[2] as LoggedLine["level"], text: match[3] ?? "" };
}
