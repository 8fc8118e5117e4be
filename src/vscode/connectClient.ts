import { window, workspace } from "vscode";

import { ClientError } from "../clients/clientError.ts";
import type { ClientRow } from "../clients/clientRow.ts";
import { CLIENT_TABLE, findClient } from "../clients/clientTable.ts";
import { type ConnectProposal, type ConnectRequest, proposeConnect } from "../clients/connectClient.ts";
import { connectionId } from "../clients/connectionId.ts";
import type { Connection } from "../clients/connectionJournal.ts";
import type { ProxyReport } from "../clients/checkProxy.ts";
import { findProgram, hasTraces } from "../clients/programSearch.ts";
import { type Choice, clientChoices, type KnownClient, modeChoices, waitingChoices } from "./clientChoices.ts";
import { disconnectClient } from "./disconnectClient.ts";
import { editorWords } from "./editorWords.ts";
import { askProxy, copying, type OfficeTools, sayDone, showValues } from "./officeTools.ts";
import { pickChoice, pickGrouped } from "./pickChoice.ts";

const TRY_AGAIN = "Try Again";
/** The mode in which a client's files are left alone. */
const COPY = "copy";
const COPY_INSTEAD = "Show Values to Copy";

/** Connects a client: asks what there is to choose, shows what changes, and does it when the user agrees. */
export async function connectClient(tools: OfficeTools, id?: unknown): Promise<void> {
  const client = (typeof id === "string" ? findClient(id) : undefined) ?? (await pickClient(tools));
  if (client === undefined) return;
  const place = await pickPlace(client);
  if (place === undefined) return;
  const proxy = await askProxy(tools);
  if (proxy === undefined) return;
  const request = await chosenRequest(tools, client, place.project, proxy);
  if (request !== undefined) await propose(tools, request);
}

async function pickClient(tools: OfficeTools): Promise<ClientRow | undefined> {
  return pickGrouped(knownClients(tools).then(clientChoices), {
    title: "Connect a Client",
    placeHolder: "What is to go through Patchbay, with a key of its own?",
  });
}

async function knownClients({ parts, place }: OfficeTools): Promise<readonly KnownClient[]> {
  const connections = await parts.journal.all();
  return Promise.all(
    CLIENT_TABLE.map(async (client) => ({
      client,
      isInstalled: await isHere(client, place),
      connections: connections.filter((one) => one.client === client.id),
    })),
  );
}

async function isHere(client: ClientRow, known: OfficeTools["place"]): Promise<boolean> {
  const place = { ...known, project: undefined };
  return (await findProgram(client.programs, place)) !== undefined || hasTraces(client, place);
}

/** Whose file is to be edited: the user's own, or that of a project; undefined where the user gave up. */
async function pickPlace(client: ClientRow): Promise<{ readonly project: string | undefined } | undefined> {
  const folders = (workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
  if (client.hasProjectFile !== true || folders.length === 0 || !workspace.isTrusted) return { project: undefined };
  const own: Choice<{ readonly project: string | undefined }> = {
    label: "Your own configuration",
    description: "for all projects",
    value: { project: undefined },
  };
  const projects = folders.map(({ name, uri }) => ({
    label: `Only in ${name}`,
    description: uri.fsPath,
    detail: "The file is part of the project. It says where your key is kept, and holds no key itself.",
    value: { project: uri.fsPath },
  }));
  return pickChoice([own, ...projects], {
    title: `Connect ${client.name}`,
    placeHolder: "Which configuration is to be changed?",
  });
}

/** What the user chooses; undefined where the user gave up. */
async function chosenRequest(
  tools: OfficeTools,
  client: ClientRow,
  project: string | undefined,
  proxy: ProxyReport,
): Promise<ConnectRequest | undefined> {
  const known = await tools.parts.journal.read(connectionId(client.id, project));
  const choice = { client, project, mode: undefined, isBounded: known?.isBounded ?? false };
  let best: ConnectProposal;
  try {
    // A file that cannot be edited is refused before anything is asked.
    best = await proposeConnect(tools.parts, tools.request(choice, proxy, known));
  } catch (error) {
    if (!(error instanceof ClientError) || !client.modes.some(({ id }) => id === COPY)) throw error;
    const chosen = await window.showErrorMessage(editorWords(error.message), COPY_INSTEAD);
    return chosen === undefined ? undefined : tools.request({ ...choice, mode: COPY }, proxy, known);
  }
  const mode = client.modes.length === 1 ? best.mode : await pickMode(client, best, known);
  if (mode === undefined) return undefined;
  const isBounded = client.id === "codex" ? await pickWaiting(choice.isBounded) : choice.isBounded;
  if (isBounded === undefined) return undefined;
  return tools.request({ ...choice, mode, isBounded }, proxy, known);
}

function pickMode(
  client: ClientRow,
  best: ConnectProposal,
  known: Connection | undefined,
): Promise<string | undefined> {
  return pickChoice(modeChoices(client, best, known?.mode), {
    title: `Connect ${client.name}`,
    placeHolder: "How is it to be connected?",
  });
}

function pickWaiting(isBounded: boolean): Promise<boolean | undefined> {
  return pickChoice(waitingChoices(isBounded), {
    title: "Connect Codex CLI",
    placeHolder: "What is Codex to do while Patchbay does not run?",
  });
}

async function propose(tools: OfficeTools, request: ConnectRequest): Promise<void> {
  const { client } = request;
  const proposal = await proposeConnect(tools.parts, request);
  if (!proposal.isNeeded) {
    if (proposal.values !== undefined) await showValues(tools, client.name, proposal.values);
    return sayConnected(tools, request, `${client.name} is connected (${proposal.mode}), and all is as it should be.`, {
      values: proposal.values,
    });
  }
  if (!(await isAgreed(tools, request, proposal))) return;
  try {
    const { values } = await proposal.apply();
    tools.onChanged();
    if (values !== undefined) await showValues(tools, client.name, values);
    const how = values === undefined ? "" : " What is left to do by hand is shown.";
    const message = `${client.name} is connected (${proposal.mode}), with a key of its own.${how}`;
    await sayConnected(tools, request, message, { values });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if ((await window.showErrorMessage(editorWords(error.message), TRY_AGAIN)) === TRY_AGAIN)
      await propose(tools, request);
  }
}

/** Where no file changes, choosing the client was asking for it. */
async function isAgreed(tools: OfficeTools, request: ConnectRequest, proposal: ConnectProposal): Promise<boolean> {
  const { changes, mode, notices } = proposal;
  if (changes.length === 0 && notices.length === 0) return true;
  const { client } = request;
  const notFound = (await isHere(client, tools.place)) ? [] : [`${client.name} was not found here.`];
  const lead = changes.length === 0 ? `Connect ${client.name}?` : `Change ${client.name}'s configuration as shown?`;
  return tools.review.ask({
    title: `Connect ${client.name} (${mode})`,
    message: [lead, ...notFound, ...notices.map(editorWords)].join(" "),
    agree: "Apply",
    changes,
  });
}

function sayConnected(
  tools: OfficeTools,
  { client, place }: ConnectRequest,
  message: string,
  { values }: { readonly values: string | undefined },
): Promise<void> {
  return sayDone(message, [
    ...(values === undefined ? [] : [copying("Copy Values", values)]),
    { title: "Disconnect", go: () => disconnectClient(tools, connectionId(client.id, place.project)) },
  ]);
}
