import { chmodSync, lstatSync, mkdirSync, type Stats } from "node:fs";
import { lstat } from "node:fs/promises";

/** A control socket that cannot be used, or that is somebody else's. The message says in one sentence what to do. */
export class ControlError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ControlError";
  }
}

const OTHERS = 0o077;

/** Makes the folder of a control socket for its owner alone, or takes the one that is there. Throws `ControlError`. */
export function makeControlDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ControlError(
      `The folder ${directory} for the control socket cannot be made: check who may write to its parent.`,
      { cause: error },
    );
  }
  if (assertOwnDirectory(directory) === "open_to_others") chmodSync(directory, 0o700);
}

/**
 * Whoever may write to the folder can put a socket of their own there and be handed secrets, so a folder of somebody else, or a
 * symbolic link that they may turn, is never used. Rejects with a `ControlError`; says so where there is none.
 */
export async function lookAtOwnDirectory(directory: string): Promise<"private" | "open_to_others" | "missing"> {
  try {
    return judge(directory, await lstat(directory));
  } catch (error) {
    return whyNot(directory, error);
  }
}

function assertOwnDirectory(directory: string): "private" | "open_to_others" | "missing" {
  try {
    return judge(directory, lstatSync(directory));
  } catch (error) {
    return whyNot(directory, error);
  }
}

function whyNot(directory: string, error: unknown): "missing" {
  if (error instanceof ControlError) throw error;
  if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
    return "missing";
  throw new ControlError(`The folder ${directory} of the control socket cannot be looked at: check its permissions.`, {
    cause: error,
  });
}

function judge(directory: string, found: Stats): "private" | "open_to_others" {
  if (!found.isDirectory()) {
    throw new ControlError(`${directory} is no real folder, so no control socket is used in it: remove it.`);
  }
  if (found.uid !== process.getuid?.()) {
    throw new ControlError(
      `The folder ${directory} belongs to another user, so no control socket is used in it: remove it, or set XDG_RUNTIME_DIR.`,
    );
  }
  return (found.mode & OTHERS) === 0 ? "private" : "open_to_others";
}
