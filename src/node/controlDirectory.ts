import { chmodSync, lstatSync, mkdirSync, type Stats } from "node:fs";

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
 * symbolic link that they may turn, is never used. Throws `ControlError`; says so where there is none.
 */
export function assertOwnDirectory(directory: string): "private" | "open_to_others" | "missing" {
  let found: Stats;
  try {
    found = lstatSync(directory);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return "missing";
    throw new ControlError(
      `The folder ${directory} of the control socket cannot be looked at: check its permissions.`,
      {
        cause: error,
      },
    );
  }
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
