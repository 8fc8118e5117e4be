import { appendFileSync, chmodSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";

import { PROCESS_LOG } from "./processLogName.ts";

const MAXIMUM_LOG_BYTES = 1024 * 1024;

/**
 * Appends lines to the log, which is for its owner alone; when it is full, it becomes `process.log.1`. Lines are rare, and one that was
 * written survives a crash. A disk that takes none loses the line and nothing else.
 */
export function openProcessLog(directory: string, maximumBytes = MAXIMUM_LOG_BYTES): (line: string) => void {
  const path = join(directory, PROCESS_LOG);
  let bytes = sizeOf(path);
  return (line) => {
    try {
      if (bytes > 0 && bytes + line.length > maximumBytes) {
        renameSync(path, `${path}.1`);
        bytes = 0;
      }
      appendFileSync(path, line, { mode: 0o600 });
      if (bytes === 0) chmodSync(path, 0o600);
      bytes += Buffer.byteLength(line);
    } catch {
      // There is no other place to say so.
    }
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
