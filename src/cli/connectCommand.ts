import { resolve } from "node:path";
import { clientModels } from "../clients/clientModels.ts";
import type { ClientRow } from "../clients/clientRow.ts";
import { CLIENT_TABLE, findClient } from "../clients/clientTable.ts";
import { type ConnectProposal, type ConnectRequest, proposeConnect } from "../clients/connectClient.ts";
import { connectionId } from "../clients/connectionId.ts";
import { type Connection, openConnectionJournal } from "../clients/connectionJournal.ts";
import { withoutKeys } from "../clients/shownText.ts";
import { unifiedDiff } from "../clients/unifiedDiff.ts";
import { type ConnectEffects, directoryOf, type MakeConnectEffects } from "./connectEffects.ts";
import { type Flags, flagsHelp, type FlagValues, Misuse, readFlags } from "./flags.ts";
import type { CommandIo } from "./serveCommand.ts";
import { table } from "./table.ts";

const CONNECT_FLAGS = {
  mode: { kind: "text", value: "MODE", help: "how to connect it; without it the best way for what is found" },
  "dry-run": { kind: "switch", help: "print what would change, and change nothing" },
  yes: { kind: "switch", help: "do not ask" },
  project: { kind: "text", value: "DIR", help: "the file of a project instead of your own (opencode, kilo)" },
  model: { kind: "text", value: "MODEL", help: "the model that the client is to use" },
  models: { kind: "list", value: "MODEL", help: "further models to offer there (may be repeated)" },
  bounded: { kind: "switch", help: "Codex is to give up when the proxy does not run" },
  url: {
    kind: "text",
    value: "URL",
    help: "where the proxy listens (default: the running one, else http://127.0.0.1:8390)",
  },
  json: { kind: "switch", help: "print the list of clients as JSON" },
  "new-key": { kind: "switch", help: "make a new key although the client has one" },
  "data-dir": { kind: "text", value: "DIR", help: "the folder of the ledger" },
} as const satisfies Flags;

const CONNECT_HELP = `Usage: patchbay connect CLIENT [options]

Connects a client with a key of its own: shows what changes in its files, asks, keeps a copy, and changes no more than that.
Without a client it lists all of them.

Options:
${flagsHelp(CONNECT_FLAGS)}`;

/** Where the proxy listens unless it is told another place. */
export const DEFAULT_ORIGIN = "http://127.0.0.1:8390";

/** Runs `patchbay connect`. Returns the exit code: 1 when it was declined. Throws `Misuse`, and a `ClientError` where it cannot be done. */
export async function runConnect(
  commandLine: readonly string[],
  io: CommandIo,
  makeEffects: MakeConnectEffects,
): Promise<number> {
  const { values, positionals, help } = readFlags(CONNECT_FLAGS, commandLine, io.environment);
  if (help) {
    io.stdout(CONNECT_HELP);
    return 0;
  }
  const [id, surplus] = positionals;
  if (surplus !== undefined) throw new Misuse(`"${surplus}" is one argument too many.`);
  const directory = directoryOf(values["data-dir"], io);
  if (id === undefined) {
    const connections = await openConnectionJournal(directory).all();
    io.stdout(
      values.json === true ? `${JSON.stringify(clientsJson(connections), undefined, 2)}\n` : clientList(connections),
    );
    return 0;
  }
  const client = clientOf(id);
  const effects = makeEffects(directory, io);
  const parts = { journal: openConnectionJournal(directory), keys: effects.keys, now: effects.now };
  const request = await requestOf(client, values, directory, effects);
  const proposal = await proposeConnect(parts, request);
  if (!proposal.isNeeded) {
    io.stdout(`${client.name} is connected (${proposal.mode}), and all is as it should be.\n`);
    if (proposal.values !== undefined) io.stdout(`\n${proposal.values}`);
    return 0;
  }
  io.stdout(proposalText(client, proposal));
  if (values["dry-run"] === true) return 0;
  if (!(await isAgreed(values.yes, effects.confirm))) {
    io.stderr("Nothing was changed.\n");
    return 1;
  }
  const { values: copied, backups } = await proposal.apply();
  io.stdout(`${client.name} is connected (${proposal.mode}), with a key of its own.\n`);
  for (const copy of backups) io.stdout(`A copy of the file as it was: ${copy}\n`);
  if (copied !== undefined) io.stdout(`\n${copied}`);
  return 0;
}

/** Whether to go on: what `--yes` says, else what the user answers. Throws `Misuse` where nobody can answer. */
export async function isAgreed(yes: boolean | undefined, confirm: ConnectEffects["confirm"]): Promise<boolean> {
  if (yes === true) return true;
  if (confirm === undefined) throw new Misuse("Nobody can be asked here: give --yes, or --dry-run to look first.");
  return confirm("Make these changes? [y/N] ");
}

/** The difference as it is shown. */
export function changesText(changes: ConnectProposal["changes"]): string {
  return withoutKeys(changes.map(({ path, before, after }) => unifiedDiff(path, before, after)).join("\n"));
}

/** The client of a name. Throws `Misuse`. */
export function clientOf(id: string): ClientRow {
  const client = findClient(id);
  if (client !== undefined) return client;
  throw new Misuse(`There is no client "${id}": choose ${CLIENT_TABLE.map((row) => row.id).join(", ")}.`);
}

async function requestOf(
  client: ClientRow,
  values: FlagValues<typeof CONNECT_FLAGS>,
  directory: string,
  effects: ConnectEffects,
): Promise<ConnectRequest> {
  if (values.project !== undefined && client.hasProjectFile !== true) {
    throw new Misuse(`${client.name} has no file for a project: leave --project out.`);
  }
  const project = values.project === undefined ? undefined : resolve(values.project);
  const id = connectionId(client.id, project);
  const origin = originOf(values.url);
  // What is not said stays as it was said when it was connected.
  const known = await openConnectionJournal(directory).read(id);
  const model = values.model ?? known?.model ?? undefined;
  const named = values.models ?? known?.named ?? [];
  const proxy = await effects.report();
  return {
    client,
    mode: values.mode ?? known?.mode,
    place: { ...effects.place, project },
    freshKey: values["new-key"] === true,
    named,
    facts: {
      origin: origin ?? proxy?.origin ?? known?.origin ?? DEFAULT_ORIGIN,
      keyCommand: [...effects.program, "client-key", id, "--data-dir", directory],
      models: clientModels(proxy?.models ?? [], effects.prices(), model === undefined ? named : [...named, model]),
      model,
      isBounded: values.bounded ?? known?.isBounded ?? false,
    },
  };
}

function originOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === "http:" || parsed?.protocol === "https:") return parsed.origin;
  throw new Misuse(`--url takes an address like ${DEFAULT_ORIGIN}, not "${url}".`);
}

function proposalText(client: ClientRow, { mode, reason, changes, notices }: ConnectProposal): string {
  const others = client.modes.filter((one) => one.id !== mode);
  const choice = others.map((one) => `  --mode ${one.id}: ${one.help}\n`).join("");
  return [
    `${client.name}, mode ${mode}. ${reason ?? ""}`.trimEnd(),
    ...(others.length === 0 ? [] : [`Other ways:\n${choice.trimEnd()}`]),
    changes.length === 0 ? "No file changes." : changesText(changes).trimEnd(),
    ...notices.map((notice) => `Note: ${notice}`),
    "",
  ].join("\n");
}

function clientList(connections: readonly Connection[]): string {
  const left = (title: string) => ({ title, align: "left" as const });
  return table(
    [left("CLIENT"), left("NAME"), left("MODES"), left("CONNECTED")],
    clientsJson(connections).map(({ id, name, modes, connections: own }) => [
      id,
      name,
      modes.join(", "),
      own.map(({ mode, project }) => (project === null ? mode : `${mode} in ${project}`)).join(", "),
    ]),
  );
}

function clientsJson(connections: readonly Connection[]) {
  return CLIENT_TABLE.map(({ id, name, modes }) => ({
    id,
    name,
    modes: modes.map((mode) => mode.id),
    connections: connections
      .filter(({ client }) => client === id)
      .map(({ mode, project, origin }) => ({ mode, project, origin })),
  }));
}
