import { spawn } from "node:child_process";
import type { Opened } from "../node/relayRig.ts";

/** How a client's process ended and what it printed. */
export interface ProgramRun {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
  /** Both, for questions of what the user gets to see. */
  readonly shown: string;
  /** It did not end by itself and was killed. */
  readonly killed: boolean;
}

/** Where and how a client runs. */
export interface ProgramPlace {
  readonly directory: string;
  /** All of it, besides `PATH`: nothing of this machine's own settings may reach the client. */
  readonly environment: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  /** Ends it before. */
  readonly stop?: AbortSignal | undefined;
}

/**
 * Runs a command-line client to its end. Standard input is empty. A client that exceeds its deadline is killed with all its
 * children, and what it printed until then is returned: a test about endless repetition has to see it.
 */
export function runProgram(
  opened: Opened,
  command: string,
  words: readonly string[],
  place: ProgramPlace,
): Promise<ProgramRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      cwd: place.directory,
      env: { PATH: process.env["PATH"] ?? "", ...place.environment },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that the launcher's children die with it.
      detached: true,
    });
    let out = "";
    let error = "";
    let killed = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (error += text));
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
    };
    const kill = (): void => {
      killed = true;
      end();
    };
    const timer = setTimeout(kill, place.deadlineMs);
    place.stop?.addEventListener("abort", kill, { once: true });
    opened.add(end);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      place.stop?.removeEventListener("abort", kill);
      resolve({ code, out, error, shown: `${out}\n${error}`, killed });
    });
  });
}
