import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A program that asks something instead of telling its version is ended. */
const TIMEOUT_MS = 10_000;

/** What a program prints when it is asked for its version; undefined where it does not tell. */
export async function programVersion(program: string): Promise<string | undefined> {
  // Windows starts .cmd files by a shell only, for which a path from the PATH is too little known.
  if (/\.(?:cmd|bat)$/i.test(program)) return undefined;
  try {
    const { stdout } = await run(program, ["--version"], { timeout: TIMEOUT_MS, windowsHide: true });
    return /\d+\.\d+[\w.+-]*/.exec(stdout)?.[0];
  } catch {
    return undefined;
  }
}
