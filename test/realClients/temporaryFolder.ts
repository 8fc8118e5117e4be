import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Opened } from "../node/relayRig.ts";

/** A new folder, removed after the test. */
export function temporaryFolder(opened: Opened): string {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-client-"));
  // A client that was killed may still have a child that writes.
  opened.add(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }));
  return folder;
}
