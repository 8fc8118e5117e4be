import { clientModels, smallModel, workingModel } from "../clients/clientModels.ts";
import { checkUp } from "../clients/checkUp.ts";
import type { ProxyReport } from "../clients/checkProxy.ts";
import { ClientError } from "../clients/clientError.ts";
import { proposeConnect } from "../clients/connectClient.ts";
import { openConnectionJournal } from "../clients/connectionJournal.ts";
import { type FileRepair, proposeRepairs } from "../clients/fileRepair.ts";
import type { Finding } from "../clients/finding.ts";
import { mendRequest } from "../clients/mendConnection.ts";
import { changesText, DEFAULT_ORIGIN, isAgreed } from "./connectCommand.ts";
import { type ConnectEffects, directoryOf, type MakeConnectEffects } from "./connectEffects.ts";
import { type Flags, flagsHelp, readFlags, refuseArguments } from "./flags.ts";
import type { CommandIo } from "./serveCommand.ts";

const DOCTOR_FLAGS = {
  fix: { kind: "switch", help: "do what can be done about it; shows each change and asks first" },
  yes: { kind: "switch", help: "do not ask" },
  request: {
    kind: "switch",
    shownNegated: true,
    help: "send no request through the clients' settings; each uses a few tokens",
  },
  json: { kind: "switch", help: "print JSON" },
  "data-dir": { kind: "text", value: "DIR", help: "the folder of the ledger" },
} as const satisfies Flags;

const DOCTOR_HELP = `Usage: patchbay doctor [options]

Checks the proxy and all clients that are installed or connected, and says what to do about what it finds.
The exit code is 1 where a problem is left.

Options:
${flagsHelp(DOCTOR_FLAGS)}`;

const MARKS = { ok: "ok     ", warning: "warning", problem: "problem" } as const;

/** Runs `patchbay doctor`. Returns the exit code: 1 where a problem is left. Throws `Misuse`. */
export async function runDoctor(
  commandLine: readonly string[],
  io: CommandIo,
  makeEffects: MakeConnectEffects,
): Promise<number> {
  const { values, positionals, help } = readFlags(DOCTOR_FLAGS, commandLine, io.environment);
  if (help) {
    io.stdout(DOCTOR_HELP);
    return 0;
  }
  refuseArguments(positionals);
  const directory = directoryOf(values["data-dir"], io);
  const effects = makeEffects(directory, io);
  const proxy = await effects.report();
  const look = () => findings(directory, effects, proxy, values.request !== false);
  let found = await look();
  if (values.fix === true && found.some(({ fix }) => fix !== undefined && fix.kind !== "tell")) {
    if (values.json !== true) io.stdout(findingsText(found));
    await mend(found, { directory, io, effects, proxy, yes: values.yes });
    found = await look();
  }
  io.stdout(values.json === true ? `${JSON.stringify(found, undefined, 2)}\n` : findingsText(found));
  return found.some(({ level }) => level === "problem") ? 1 : 0;
}

function findings(
  directory: string,
  effects: ConnectEffects,
  proxy: ProxyReport | undefined,
  sendsRequests: boolean,
): Promise<readonly Finding[]> {
  const models = clientModels(proxy?.models ?? [], effects.prices());
  return checkUp({
    place: effects.place,
    journal: openConnectionJournal(directory),
    proxy,
    expectedOrigin: DEFAULT_ORIGIN,
    fetch: effects.fetch,
    portOwner: effects.portOwner,
    version: effects.version,
    requestModel: sendsRequests ? smallModel(models, workingModel(models, undefined)) : undefined,
  });
}

interface Mending {
  readonly directory: string;
  readonly io: CommandIo;
  readonly effects: ConnectEffects;
  readonly proxy: ProxyReport | undefined;
  readonly yes: boolean | undefined;
}

/** What was found of the same connection several times is mended once. */
async function mend(found: readonly Finding[], mending: Mending): Promise<void> {
  const wanted = new Map<string, boolean>();
  for (const { fix } of found) {
    if (fix?.kind === "reconnect") wanted.set(fix.connection, fix.freshKey || wanted.get(fix.connection) === true);
  }
  for (const [id, freshKey] of wanted) {
    try {
      await reconnect(id, freshKey, mending);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      mending.io.stderr(`${error.message}\n`);
    }
  }
  const repairs = found.flatMap(({ fix }) => (fix?.kind === "repair" ? [fix.repair] : []));
  if (repairs.length > 0) await repair(repairs, mending);
}

/** Shows what would change in files that are not of our making, and asks. */
async function repair(repairs: readonly FileRepair[], { directory, io, effects, yes }: Mending): Promise<void> {
  try {
    const proposal = await proposeRepairs({ journal: openConnectionJournal(directory), now: effects.now }, repairs);
    io.stderr(changesText(proposal.changes));
    if (!(await isAgreed(yes, effects.confirm))) return;
    const { backups } = await proposal.apply();
    for (const copy of backups) io.stderr(`A copy of the file as it was: ${copy}\n`);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    io.stderr(`${error.message}\n`);
  }
}

async function reconnect(
  id: string,
  freshKey: boolean,
  { directory, io, effects, proxy, yes }: Mending,
): Promise<void> {
  const journal = openConnectionJournal(directory);
  const connection = await journal.read(id);
  if (connection === undefined) return;
  const parts = { journal, keys: effects.keys, now: effects.now };
  const request = mendRequest(connection, {
    place: effects.place,
    origin: proxy?.origin ?? connection.origin,
    models: ({ model, named }) =>
      clientModels(proxy?.models ?? [], effects.prices(), model === null ? named : [...named, model]),
    keyCommand: (one) => [...effects.program, "client-key", one, "--data-dir", directory],
    freshKey,
  });
  const proposal = await proposeConnect(parts, request);
  io.stderr(changesText(proposal.changes));
  if (await isAgreed(yes, effects.confirm)) await proposal.apply();
}

function findingsText(found: readonly Finding[]): string {
  const width = Math.max(...found.map(({ subject }) => subject.length), 0);
  return found
    .map(({ subject, level, what, fix }) => {
      const line = `${MARKS[level]}  ${subject.padEnd(width)}  ${what}\n`;
      return fix === undefined ? line : `${line}${" ".repeat(MARKS.ok.length + width + 4)}${fixText(fix)}\n`;
    })
    .join("");
}

function fixText(fix: NonNullable<Finding["fix"]>): string {
  switch (fix.kind) {
    case "reconnect":
      return "`patchbay doctor --fix` connects it again.";
    case "repair":
      return `${fix.what} \`patchbay doctor --fix\` does it.`;
    case "tell":
      return fix.what;
  }
}
