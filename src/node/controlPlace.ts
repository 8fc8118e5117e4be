import { existsSync, readFileSync, realpathSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";

import { isJsonObject } from "../wire/json.ts";
import { controlPath } from "./controlPath.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Names the socket and the process. The place depends on the environment, which is another in a cron job than in a desktop's session. */
export const POINTER = "control.json";

/** What the process of a data directory wrote down of itself. */
export interface ControlPointer {
  readonly path: string | undefined;
  readonly pid: number | undefined;
}

/** Where the process of a data directory is talked to, if there is one. */
export function controlPathOf(dataDirectory: string, environment: Environment): string {
  return pointerOf(dataDirectory).path ?? ownControlPath(dataDirectory, environment);
}

/** The same without holding up whoever asks: the extension host is shared. */
export async function lookUpControlPath(dataDirectory: string, environment: Environment): Promise<string> {
  const written = await readFile(join(dataDirectory, POINTER), "utf8").catch(() => "");
  const { path } = pointerIn(written);
  if (path !== undefined) return path;
  const real = await realpath(dataDirectory).catch(() => resolve(dataDirectory));
  return placeOf(real, environment);
}

/** Where a process that starts now puts its socket. */
export function ownControlPath(dataDirectory: string, environment: Environment): string {
  return placeOf(existsSync(dataDirectory) ? realpathSync(dataDirectory) : resolve(dataDirectory), environment);
}

/** What is written down; nothing where nobody was here yet, or where it is just being written. */
export function pointerOf(dataDirectory: string): ControlPointer {
  try {
    return pointerIn(readFileSync(join(dataDirectory, POINTER), "utf8"));
  } catch {
    return { path: undefined, pid: undefined };
  }
}

function placeOf(dataDirectory: string, environment: Environment): string {
  return controlPath({
    environment,
    platform: process.platform,
    user: String(process.getuid?.() ?? userInfo().username),
    dataDirectory,
    temporaryDirectory: tmpdir(),
  });
}

function pointerIn(text: string): ControlPointer {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    return { path: undefined, pid: undefined };
  }
  const { path, pid } = isJsonObject(written) ? written : {};
  return {
    path: typeof path === "string" && path !== "" ? path : undefined,
    pid: typeof pid === "number" ? pid : undefined,
  };
}
