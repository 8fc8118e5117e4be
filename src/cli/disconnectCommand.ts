import { resolve } from "node:path";
import { connectionId } from "../clients/connectionId.ts";
import { openConnectionJournal } from "../clients/connectionJournal.ts";
import { proposeDisconnect } from "../clients/disconnectClient.ts";
import { changesText, clientOf, isAgreed } from "./connectCommand.ts";
import { directoryOf, type MakeConnectEffects } from "./connectEffects.ts";
import { type Flags, flagsHelp, Misuse, readFlags } from "./flags.ts";
import type { CommandIo } from "./serveCommand.ts";

const DISCONNECT_FLAGS = {
  "dry-run": { kind: "switch", help: "print what would change, and change nothing" },
  yes: { kind: "switch", help: "do not ask" },
  project: { kind: "text", value: "DIR", help: "the file of a project instead of your own" },
  "data-dir": { kind: "text", value: "DIR", help: "the folder of the ledger" },
} as const satisfies Flags;

const DISCONNECT_HELP = `Usage: patchbay disconnect CLIENT [options]

Takes out of a client's files exactly what was put in, restores what was there before, and revokes the client's key.

Options:
${flagsHelp(DISCONNECT_FLAGS)}`;

/** Runs `patchbay disconnect`. Returns the exit code: 1 when it was declined. Throws `Misuse`, and a `ClientError` where it cannot be done. */
export async function runDisconnect(
  commandLine: readonly string[],
  io: CommandIo,
  makeEffects: MakeConnectEffects,
): Promise<number> {
  const { values, positionals, help } = readFlags(DISCONNECT_FLAGS, commandLine, io.environment);
  if (help) {
    io.stdout(DISCONNECT_HELP);
    return 0;
  }
  const [name, surplus] = positionals;
  if (name === undefined) throw new Misuse("Say which client is to be disconnected.");
  if (surplus !== undefined) throw new Misuse(`"${surplus}" is one argument too many.`);
  const client = clientOf(name);
  const directory = directoryOf(values["data-dir"], io);
  const effects = makeEffects(directory, io);
  const parts = { journal: openConnectionJournal(directory), keys: effects.keys, now: effects.now };
  const id = connectionId(client.id, values.project === undefined ? undefined : resolve(values.project));
  const proposal = await proposeDisconnect(parts, id);
  if (proposal === undefined) {
    io.stdout(`${client.name} is not connected.\n`);
    return 0;
  }
  io.stdout(proposal.changes.length === 0 ? "No file changes.\n" : changesText(proposal.changes));
  for (const notice of proposal.notices) io.stdout(`Note: ${notice}\n`);
  if (values["dry-run"] === true) return 0;
  if (!(await isAgreed(values.yes, effects.confirm))) {
    io.stderr("Nothing was changed.\n");
    return 1;
  }
  const { backups } = await proposal.apply();
  io.stdout(`${client.name} is disconnected, and its key is revoked.\n`);
  for (const copy of backups) io.stdout(`A copy of the file as it was: ${copy}\n`);
  return 0;
}
