import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { createInterface } from "node:readline";

/** Nothing that the bench starts outlives this. */
const LIFETIME_MS = 30 * 60_000;
const FIRST_LINE_MS = 15_000;

const running = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));

/** Starts a program that ends with the bench, or at its deadline. Its standard output is a pipe unless told otherwise. */
export function startChild(
  command: string,
  parameters: readonly string[],
  options: { readonly environment?: NodeJS.ProcessEnv; readonly stdio?: StdioOptions } = {},
): ChildProcess {
  const child = spawn(command, parameters, {
    stdio: options.stdio ?? ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...options.environment },
    timeout: LIFETIME_MS,
    killSignal: "SIGKILL",
  });
  running.add(child);
  child.once("error", () => running.delete(child));
  child.once("exit", () => running.delete(child));
  return child;
}

/** Starts a script of the bench, or any other, in a Node of its own. */
export function startNode(
  parameters: readonly string[],
  options: { readonly environment?: NodeJS.ProcessEnv; readonly stdio?: StdioOptions } = {},
): ChildProcess {
  return startChild(process.execPath, parameters, options);
}

/** The first line that a child prints. Rejects when it ends before, or says nothing in time. */
export function firstLine(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error("The child has no standard output to read.");
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`${named(child)} did not start in time.`)), FIRST_LINE_MS);
    createInterface(stdout).once("line", (line) => {
      clearTimeout(deadline);
      resolve(line);
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`${named(child)} ended early.`)));
  });
}

/** Ends a child and waits until it is gone. */
export function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

function named(child: ChildProcess): string {
  return child.spawnargs.slice(0, 3).join(" ");
}
