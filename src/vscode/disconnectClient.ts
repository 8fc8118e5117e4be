import { commands, window } from "vscode";

import type { Connection } from "../clients/connectionJournal.ts";
import { ClientError } from "../clients/clientError.ts";
import { proposeDisconnect } from "../clients/disconnectClient.ts";
import { connectionChoices } from "./clientChoices.ts";
import { clientName } from "./clientTools.ts";
import type { OfficeTools } from "./officeTools.ts";
import { pickChoice } from "./pickChoice.ts";

/** Disconnects a client: shows what is taken out of its files, and does it when the user agrees. */
export async function disconnectClient(tools: OfficeTools, id?: unknown): Promise<void> {
  const connection = await connectionOf(tools, id);
  if (connection === undefined) return;
  const { journal } = tools.parts;
  const proposal = await proposeDisconnect(tools.parts, connection.id);
  if (proposal === undefined) return;
  const { changes, notices } = proposal;
  const name = clientName(connection.client);
  const lead =
    changes.length === 0
      ? `Disconnect ${name}? Its key is revoked; what you entered by hand is yours to take out.`
      : `Disconnect ${name} as shown? What was there before comes back, and its key is revoked.`;
  const title = `Disconnect ${name}`;
  const isAgreed = await tools.review.ask({
    title,
    message: [lead, ...notices].join(" "),
    agree: "Disconnect",
    changes,
  });
  if (!isAgreed) return;
  try {
    await proposal.apply();
  } catch (error) {
    if (error instanceof ClientError) throw error;
    // The files are done first: only the key was left.
    const left = await journal.read(connection.id);
    if (left === undefined || left.files.length > 0) throw error;
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}'s files are as they were, but its key is not revoked yet: disconnect it again. ${cause}`, {
      cause: error,
    });
  } finally {
    tools.onChanged();
  }
  void window.showInformationMessage(`${name} is disconnected, and its key is revoked.`);
}

async function connectionOf({ parts }: OfficeTools, id: unknown): Promise<Connection | undefined> {
  const connections = await parts.journal.all();
  const named = connections.find((one) => one.id === id);
  if (named !== undefined) return named;
  if (typeof id === "string") {
    // A button of a notification that was there before.
    void window.showInformationMessage("This client is not connected any more.");
    return undefined;
  }
  if (connections.length === 0) {
    const connect = "Connect a Client";
    const chosen = await window.showInformationMessage("No client is connected.", connect);
    if (chosen === connect) await commands.executeCommand("patchbay.connectClient");
    return undefined;
  }
  return pickChoice(connectionChoices(connections, clientName), {
    title: "Disconnect a Client",
    placeHolder: "What was put in is taken out, and its key is revoked.",
  });
}
