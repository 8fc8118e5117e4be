import { window } from "vscode";

import { ClientError } from "../clients/clientError.ts";
import { proposeConnect } from "../clients/connectClient.ts";
import type { DriftedConnection } from "../clients/driftWatch.ts";
import { type FileRepair, proposeRepairs } from "../clients/fileRepair.ts";
import type { MendWish } from "./checkReport.ts";
import { clientName } from "./clientTools.ts";
import { editorWords } from "./editorWords.ts";
import { askProxy, copying, type OfficeTools, sayDone, showValues } from "./officeTools.ts";

/** Mends connections that have drifted: those that are named, else all. `now` shows no change first; a copy of each file is kept anyway. */
export async function mendDrifted(
  tools: OfficeTools,
  look: () => Promise<readonly DriftedConnection[]>,
  way: unknown,
  ids: readonly unknown[],
): Promise<void> {
  // What has drifted may depend on where the proxy is.
  if ((await tools.process()) === undefined) return;
  const drifted = await look();
  const wanted = drifted.filter(({ connection }) => ids.length === 0 || ids.includes(connection.id));
  if (wanted.length === 0) {
    void window.showInformationMessage("All connected clients are as they should be.");
    return;
  }
  const wishes = wanted.map(({ connection, drift }) => ({
    connection: connection.id,
    freshKey: drift.some(({ kind }) => kind === "key_revoked"),
  }));
  await mendWished(tools, wishes, way !== "now");
}

/** Connects clients again as they were connected. One that cannot be mended does not keep the others from it. */
export async function mendWished(tools: OfficeTools, wishes: readonly MendWish[], isReviewed: boolean): Promise<void> {
  const mended: string[] = [];
  const values: string[] = [];
  for (const wish of wishes) {
    try {
      const done = await mendOne(tools, wish, isReviewed);
      if (done === undefined) continue;
      mended.push(done.name);
      if (done.values !== undefined) values.push(`${done.name}\n\n${done.values}`);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      void window.showErrorMessage(error.message);
    }
  }
  if (mended.length === 0) return;
  tools.onChanged();
  const text = values.join("\n");
  if (text !== "") await showValues(tools, "Patchbay", text);
  void sayDone(`Connected again: ${mended.join(", ")}.`, text === "" ? [] : [copying("Copy Values", text)]);
}

/** Mends what is not of our making in clients' files, after the changes were shown. */
export async function repairFiles(tools: OfficeTools, repairs: readonly FileRepair[]): Promise<void> {
  try {
    const proposal = await proposeRepairs(tools.parts, repairs);
    const message = "Mend this as shown? A copy of each file is kept.";
    const question = { title: "Mend", message, agree: "Apply", changes: proposal.changes };
    if (await tools.review.ask(question)) await proposal.apply();
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    void window.showErrorMessage(error.message);
  }
}

async function mendOne(
  tools: OfficeTools,
  { connection: id, freshKey }: MendWish,
  isReviewed: boolean,
): Promise<{ readonly name: string; readonly values: string | undefined } | undefined> {
  const connection = await tools.parts.journal.read(id);
  const proxy = connection === undefined ? undefined : await askProxy(tools);
  if (connection === undefined || proxy === undefined) return undefined;
  const name = clientName(connection.client);
  const proposal = await proposeConnect(tools.parts, tools.mendRequest(connection, proxy, freshKey));
  const message = [`Connect ${name} again as shown?`, ...proposal.notices.map(editorWords)].join(" ");
  const question = { title: `Mend ${name}`, message, agree: "Apply", changes: proposal.changes };
  if (isReviewed && !(await tools.review.ask(question))) return undefined;
  const { values } = await proposal.apply();
  return { name, values };
}
