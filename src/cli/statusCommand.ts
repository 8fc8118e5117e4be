import { homedir } from "node:os";

import { dataDirectory } from "../node/dataDirectory.ts";
import { type Flags, flagsHelp, Misuse, readFlags, refuseArguments } from "./flags.ts";
import { statusCard } from "./statusCard.ts";
import { statusJson, statusReport } from "./statusReport.ts";

/** The effects of the command. `now` is in milliseconds since the Unix epoch. */
export interface StatusIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: number;
}

const FLAGS = {
  json: { kind: "switch", help: "print JSON" },
  "data-dir": { kind: "text", value: "DIR", help: "the folder whose process is asked" },
} as const satisfies Flags;

/** What `patchbay status --help` prints. */
export const STATUS_HELP = `Usage: patchbay status [options]

Shows the running proxy: where it listens, whom it reaches, what is left of the plan, and what was used today.

Options:
${flagsHelp(FLAGS)}`;

/** Runs `patchbay status` with the arguments that follow it. Returns the exit code: 0 also where none runs, 1 failed, 2 misuse. Never rejects. */
export async function runStatus(commandLine: readonly string[], io: StatusIo): Promise<number> {
  try {
    const { values, positionals, help } = readFlags(FLAGS, commandLine, io.environment);
    if (help) {
      io.stdout(STATUS_HELP);
      return 0;
    }
    refuseArguments(positionals);
    const directory =
      values["data-dir"] ??
      dataDirectory({ environment: io.environment, platform: process.platform, homeDirectory: homedir() });
    const report = await statusReport(directory, io.environment, io.now);
    io.stdout(values.json === true ? `${JSON.stringify(statusJson(report), null, 2)}\n` : statusCard(report, io.now));
    return 0;
  } catch (error) {
    io.stderr(`${error instanceof Error ? error.message : String(error)}\n`);
    if (!(error instanceof Misuse)) return 1;
    io.stderr("See `patchbay status --help`.\n");
    return 2;
  }
}
