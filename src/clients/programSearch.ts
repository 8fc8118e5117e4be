import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter } from "node:path";
import { joined } from "./clientFolders.ts";
import type { ClientPlace, ClientRow } from "./clientRow.ts";

/** The path of the first of these programs that is on the `PATH`; undefined where none is. */
export async function findProgram(programs: readonly string[], place: ClientPlace): Promise<string | undefined> {
  const folders = (place.environment["PATH"] ?? place.environment["Path"] ?? "")
    .split(delimiter)
    .filter((one) => one !== "");
  // What npm makes for Windows ends in .cmd.
  const endings = place.platform === "win32" ? [".exe", ".cmd", ".bat"] : [""];
  for (const program of programs) {
    for (const folder of folders) {
      for (const ending of endings) {
        const path = joined(place, folder, program + ending);
        if (await isThere(path, constants.X_OK)) return path;
      }
    }
  }
  return undefined;
}

/** Whether a client left traces: it is installed in a way that the `PATH` does not tell. */
export async function hasTraces(row: ClientRow, place: ClientPlace): Promise<boolean> {
  for (const path of row.traces(place)) if (await isThere(path, constants.F_OK)) return true;
  return false;
}

async function isThere(path: string, how: number): Promise<boolean> {
  try {
    await access(path, how);
    return true;
  } catch {
    return false;
  }
}
