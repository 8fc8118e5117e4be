import { readdir, readFile, readlink } from "node:fs/promises";
import type { RunProgram } from "./runProgram.ts";

/** What looking for a port's owner needs. */
export interface PortOwnerParts {
  readonly platform: NodeJS.Platform;
  readonly run: RunProgram;
}

/** A process that listens at a port. */
export interface PortOwner {
  readonly pid: number;
  /** Undefined where the system does not tell. */
  readonly name: string | undefined;
}

const LISTENING = "0A";

/** Who listens at a TCP port; undefined where nobody does, or where that is another user's business. Never rejects. */
export async function portOwner(port: number, { platform, run }: PortOwnerParts): Promise<PortOwner | undefined> {
  try {
    if (platform === "linux") return await linuxOwner(port);
    if (platform === "win32") return await windowsOwner(port, run);
    const { stdout } = await run("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"], "");
    const pid = /^p(\d+)$/m.exec(stdout)?.[1];
    return pid === undefined ? undefined : { pid: Number(pid), name: /^c(.+)$/m.exec(stdout)?.[1] };
  } catch {
    return undefined;
  }
}

async function linuxOwner(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  const shown = port.toString(16).toUpperCase().padStart(4, "0");
  const sockets = new Set(
    tables
      .flatMap((table) => table.split("\n").map((line) => line.trim().split(/\s+/)))
      .filter(([, local, , state]) => state === LISTENING && local?.endsWith(`:${shown}`) === true)
      .map((fields) => `socket:[${fields[9]}]`),
  );
  if (sockets.size === 0) return undefined;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const folder = `/proc/${pid}/fd`;
    // Of other users' processes nothing is shown.
    for (const handle of await readdir(folder).catch(() => [])) {
      if (!sockets.has(await readlink(`${folder}/${handle}`).catch(() => ""))) continue;
      const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => undefined);
      return { pid: Number(pid), name: name?.trim() };
    }
  }
  return undefined;
}

async function windowsOwner(port: number, run: RunProgram): Promise<PortOwner | undefined> {
  const { stdout } = await run("netstat", ["-ano", "-p", "TCP"], "");
  const fields = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  // The word for "listening" is in the user's language; whoever listens has no partner yet.
  const found = fields.find(
    ([kind, local, partner]) => kind === "TCP" && local?.endsWith(`:${port}`) && partner?.endsWith(":0"),
  );
  const pid = Number(found?.at(-1));
  if (!Number.isInteger(pid)) return undefined;
  const listed = await run("tasklist", ["/FI", `PID eq ${pid}`, "/FO", "CSV", "/NH"], "");
  return { pid, name: /^"([^"]+)"/m.exec(listed.stdout)?.[1] };
}
