import { spawn } from "node:child_process";

/** How a program ended. */
export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
}

/** Runs a program to its end with a text on its standard input. What it says on standard error is dropped. Rejects where it cannot be started. */
export type RunProgram = (program: string, words: readonly string[], input: string) => Promise<ProgramResult>;

/** Starts a program that goes on by itself; resolves with whether it started and has not failed at once. */
export type StartProgram = (program: string, words: readonly string[]) => Promise<boolean>;

/** A program that has not failed by then is running. */
const STARTED_MS = 1_000;

/** Runs programs for real. */
export const runProgram: RunProgram = (program, words, input) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ["pipe", "pipe", "ignore"] });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout }));
    // One that ends without reading is judged by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });

/** Starts programs for real. */
export const startProgram: StartProgram = (program, words) =>
  new Promise((resolve) => {
    const child = spawn(program, words, { stdio: "ignore", detached: true });
    const timer = setTimeout(() => resolve(true), STARTED_MS);
    const settle = (started: boolean): void => {
      clearTimeout(timer);
      resolve(started);
    };
    child.once("error", () => settle(false));
    child.once("exit", (code) => settle(code === 0));
    child.unref();
  });
