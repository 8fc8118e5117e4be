import { ClientError } from "./clientError.ts";

/** What the system says of a file, in a sentence that says what to do. */
export function fileTrouble(path: string, what: "read" | "written" | "made", error: unknown): ClientError {
  const code = codeOf(error);
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return new ClientError(
        `${path} cannot be ${what}, the disk is full: it is as it was; make room, then try again.`,
        {
          cause: error,
        },
      );
    case "EBUSY":
      return new ClientError(
        `${path} cannot be replaced, as it is mounted by itself: make the change where it comes from.`,
        {
          cause: error,
        },
      );
    default:
      return new ClientError(
        `${path} cannot be ${what}${code === "" ? "" : ` (${code})`}: check the permissions of it and its folder.`,
        { cause: error },
      );
  }
}

/** The code of a system error; empty where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
