import { closeSync, openSync, readSync, statSync } from "node:fs";

/** A file that is being made is empty for a moment; one that was emptied was changed later than it was made. */
const MAKING_MS = 100;
/** What a write-ahead log begins with (sqlite.org/fileformat2.html, section 4.1); the last byte says how its checksums are reckoned. */
const LOG_MAGIC = Buffer.from([0x37, 0x7f, 0x06]);

/**
 * Damage that SQLite takes for a database without content, and begins anew without a word: a file that was emptied (`file`), or a
 * write-ahead log that is none (`log`). Where the file system does not know when a file was made, an emptied one is not found.
 */
export function lostContent(path: string): "file" | "log" | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined || !file.isFile()) return undefined;
  // File systems that do not know it say zero, or the time of the last change.
  const { birthtimeMs, mtimeMs } = file;
  if (file.size === 0) return birthtimeMs > 0 && mtimeMs - birthtimeMs > MAKING_MS ? "file" : undefined;
  return isNoLog(`${path}-wal`) ? "log" : undefined;
}

function isNoLog(path: string): boolean {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return false;
  const descriptor = openSync(path, "r");
  try {
    const begin = Buffer.alloc(LOG_MAGIC.length);
    const length = readSync(descriptor, begin, 0, begin.length, 0);
    // Somebody may have cut it back meanwhile.
    return length > 0 && !begin.equals(LOG_MAGIC);
  } finally {
    closeSync(descriptor);
  }
}
