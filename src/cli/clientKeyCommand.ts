import { openConnectionJournal } from "../clients/connectionJournal.ts";
import { directoryOf } from "./connectEffects.ts";
import { type Flags, flagsHelp, Misuse, readFlags } from "./flags.ts";
import type { CommandIo } from "./serveCommand.ts";

const FLAGS = {
  "data-dir": { kind: "text", value: "DIR", help: "the folder of the ledger" },
} as const satisfies Flags;

const CLIENT_KEY_HELP = `Usage: patchbay client-key CLIENT [options]

Prints the local key of a connected client, for clients that ask a command for it.

Options:
${flagsHelp(FLAGS)}`;

/** A client's id, or the id of its connection in a project: no path. */
const CONNECTION_ID = /^[a-z0-9-]+$/;

/** Runs `patchbay client-key`. Returns the exit code: 1 where the client is not connected. Throws `Misuse`. */
export async function runClientKey(commandLine: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals, help } = readFlags(FLAGS, commandLine, io.environment);
  if (help) {
    io.stdout(CLIENT_KEY_HELP);
    return 0;
  }
  const [id, surplus] = positionals;
  if (id === undefined || !CONNECTION_ID.test(id)) throw new Misuse("Say whose key is to be printed.");
  if (surplus !== undefined) throw new Misuse(`"${surplus}" is one argument too many.`);
  const key = await openConnectionJournal(directoryOf(values["data-dir"], io)).readKey(id);
  if (key === undefined) {
    io.stderr(`"${id}" is not connected: run \`patchbay connect ${id}\`.\n`);
    return 1;
  }
  io.stdout(`${key}\n`);
  return 0;
}
