import { spawn } from "node:child_process";
import { parse } from "node:path";

import type { WindowStart } from "../node/windowStart.ts";

/** What would change how a plain Node behaves, or tie the process to this window. */
const DROPPED = /^(NODE_OPTIONS|NODE_DEBUG|ELECTRON_.*|VSCODE_.*)$/;

/**
 * Starts the process that all windows share, so that it outlives this one: in a session of its own, without streams. It is the editor's own
 * Node: Electron, told to be that. Rejects with a sentence for the user.
 */
export function spawnProxyProcess(
  script: string,
  start: WindowStart,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly exited: Promise<void> }> {
  const kept = Object.fromEntries(Object.entries(environment).filter(([name]) => !DROPPED.test(name)));
  const child = spawn(process.execPath, [script, JSON.stringify(start)], {
    // A folder that somebody wants to remove, or unmount, must not be held; and not everybody has a home that can be entered.
    cwd: parse(process.execPath).root,
    detached: true,
    stdio: "ignore",
    windowsHide: true,
    env: { ...kept, ELECTRON_RUN_AS_NODE: "1" },
  });
  child.unref();
  return new Promise((resolve, reject) => {
    child.once("spawn", () => {
      resolve({ exited: new Promise((ended) => child.once("exit", () => ended())) });
    });
    child.once("error", (error) => {
      reject(new Error(`The proxy process cannot be started (${error.message}): restart VS Code.`, { cause: error }));
    });
  });
}
