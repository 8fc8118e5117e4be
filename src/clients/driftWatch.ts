import { watch } from "node:fs";
import { dirname } from "node:path";
import { readConfigFile } from "./configFile.ts";
import { connectionDrift, type Drift, type DriftFacts } from "./connectionDrift.ts";
import type { Connection, ConnectionJournal } from "./connectionJournal.ts";

/** A connection that is no longer what was put in. */
export interface DriftedConnection {
  readonly connection: Connection;
  readonly drift: readonly Drift[];
}

/** What a watch needs. */
export interface DriftWatchParts {
  readonly journal: Pick<ConnectionJournal, "all">;
  /** Asked at every look. */
  readonly facts: () => DriftFacts;
  /** Told when what has drifted is not what it was at the last look. */
  readonly onDrift: (drifted: readonly DriftedConnection[]) => void;
  /** Calls when something in a folder changes, until what it returns is called. */
  readonly watchFolder?: (folder: string, onChange: () => void) => () => void;
}

/** A running watch. */
export interface DriftWatch {
  /** Looks at once: after connecting, and when port or keys have changed. */
  look(): Promise<readonly DriftedConnection[]>;
  dispose(): void;
}

/** Programs write a file in several steps. */
const SETTLE_MS = 150;

/** Watches the files of all connections for what others do to them. The first look is the caller's. */
export function watchDrift(parts: DriftWatchParts): DriftWatch {
  const { watchFolder = watchFolderForReal } = parts;
  const folders = new Map<string, () => void>();
  let known = "[]";
  let running: Promise<readonly DriftedConnection[]> | undefined;
  let isDisposed = false;
  let timer: NodeJS.Timeout | undefined;

  async function lookNow(): Promise<readonly DriftedConnection[]> {
    const connections = await parts.journal.all();
    await follow(connections);
    const facts = parts.facts();
    const all = await Promise.all(
      connections.map(async (connection) => ({ connection, drift: await connectionDrift(connection, facts) })),
    );
    const drifted = all.filter(({ drift }) => drift.length > 0);
    const now = JSON.stringify(drifted.map(({ connection, drift }) => [connection.id, drift]));
    if (now !== known && !isDisposed) {
      known = now;
      parts.onDrift(drifted);
    }
    return drifted;
  }

  /** Looks follow each other, so that the last one to end saw the latest. */
  function look(): Promise<readonly DriftedConnection[]> {
    const before = running ?? Promise.resolve([]);
    running = before.then(lookNow, lookNow);
    return running;
  }

  async function follow(connections: readonly Connection[]): Promise<void> {
    const wanted = new Set<string>();
    for (const { path } of connections.flatMap(({ files }) => files)) {
      wanted.add(dirname(path));
      const target = await readConfigFile(path).catch(() => undefined);
      if (target !== undefined) wanted.add(dirname(target.target));
    }
    if (isDisposed) return;
    for (const [folder, stop] of folders) {
      if (wanted.has(folder)) continue;
      stop();
      folders.delete(folder);
    }
    for (const folder of wanted) if (!folders.has(folder)) folders.set(folder, watchFolder(folder, changed));
  }

  function changed(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void look().catch(() => undefined), SETTLE_MS);
    timer.unref();
  }

  return {
    look,
    dispose() {
      isDisposed = true;
      clearTimeout(timer);
      for (const stop of folders.values()) stop();
      folders.clear();
    },
  };
}

/** The folder rather than the file: whoever replaces a file puts another one in its place. */
function watchFolderForReal(folder: string, onChange: () => void): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, onChange);
    // A folder that goes away is noticed by the next look.
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}
