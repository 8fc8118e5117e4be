import { LockBusyError, withFileLock } from "../node/fileLock.ts";
import { ClientError } from "./clientError.ts";
import { codeOf, fileTrouble } from "./fileTrouble.ts";

/** Does the work while nobody else edits files of clients for the same data directory. Rejects with a `ClientError` where that cannot be had. */
export async function withConnectionLock<Result>(lockPath: string, work: () => Promise<Result>): Promise<Result> {
  let isHeld = false;
  try {
    return await withFileLock(lockPath, () => {
      isHeld = true;
      return work();
    });
  } catch (error) {
    if (error instanceof LockBusyError) {
      throw new ClientError(
        "Another Patchbay is connecting or disconnecting a client just now: try again when it is done.",
        {
          cause: error,
        },
      );
    }
    throw isHeld || codeOf(error) === "" ? error : fileTrouble(lockPath, "written", error);
  }
}
