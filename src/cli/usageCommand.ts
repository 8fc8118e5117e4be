import { homedir } from "node:os";

import type { Sql } from "../ports.ts";
import { dataDirectory } from "../node/dataDirectory.ts";
import { openLedgerForReading } from "../node/ledgerFile.ts";
import { Misuse } from "./flags.ts";
import { parseUsageArguments, USAGE_HELP } from "./usageArguments.ts";
import type { UsageRequest } from "./usageArguments.ts";
import { printUsageList } from "./usageList.ts";
import { printUsageOfKey } from "./usageOfKey.ts";

/** The effects of the command. `now` is in milliseconds since the Unix epoch. */
export interface UsageIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: number;
  readonly terminalWidth?: number | undefined;
}

/** Runs `patchbay usage` with the arguments that follow it. Returns the exit code: 0 done, 1 failed, 2 misuse. Never rejects. */
export async function runUsage(commandLine: readonly string[], io: UsageIo): Promise<number> {
  try {
    const request = parseUsageArguments(commandLine, io.environment, io.now);
    if (request === "help") io.stdout(USAGE_HELP);
    else readAndPrint(request, io);
    return 0;
  } catch (error) {
    io.stderr(`${error instanceof Error ? error.message : String(error)}\n`);
    if (!(error instanceof Misuse)) return 1;
    io.stderr("See `patchbay usage --help`.\n");
    return 2;
  }
}

function readAndPrint(request: UsageRequest, io: UsageIo): void {
  const directory =
    request.dataDirectory ??
    dataDirectory({ environment: io.environment, platform: process.platform, homeDirectory: homedir() });
  const database = openLedgerForReading(directory);
  try {
    print(database, request, io);
  } finally {
    database?.close();
  }
}

function print(sql: Sql | undefined, request: UsageRequest, io: UsageIo): void {
  if (request.keyId === undefined) printUsageList(sql, request, io);
  else printUsageOfKey(sql, request.keyId, request, io);
}
