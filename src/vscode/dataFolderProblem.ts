import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";

/** Why a process cannot keep its data, where that is so: it could not even have said so in its log. */
export async function dataFolderProblem(directory: string): Promise<string | undefined> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    return `The folder ${directory} cannot be written (${code}): change its permissions, or name another in PATCHBAY_DATA_DIR and restart VS Code.`;
  }
}
