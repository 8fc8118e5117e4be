import { commands, ProgressLocation, window } from "vscode";

import { checkUp } from "../clients/checkUp.ts";
import { clientModels, smallModel, workingModel } from "../clients/clientModels.ts";
import type { Finding } from "../clients/finding.ts";
import { programVersion } from "../clients/programVersion.ts";
import { proxyReport } from "../clients/proxyReport.ts";
import { BUILT_IN_PRICES } from "../ledger/priceTable.ts";
import { portOwner } from "../node/portOwner.ts";
import { runProgram } from "../node/runProgram.ts";
import { reportChoices, reportSummary, reportText } from "./checkReport.ts";
import { clientName } from "./clientTools.ts";
import { loopbackFetch } from "./loopbackFetch.ts";
import { mendWished, repairFiles } from "./mendClients.ts";
import type { OfficeTools } from "./officeTools.ts";
import { pickGrouped } from "./pickChoice.ts";

/** Checks the proxy and all clients, and shows what was found, each with its fix; after a fix it looks again. */
export async function checkClients(tools: OfficeTools): Promise<void> {
  const found = await window.withProgress(
    { location: ProgressLocation.Notification, title: "Checking the proxy and its clients…" },
    () => findings(tools),
  );
  const action = await pickGrouped(Promise.resolve(reportChoices(found, subjectName)), {
    title: "Check Clients",
    placeHolder: `${reportSummary(found)}. Choose an entry to do what it says.`,
  });
  switch (action?.kind) {
    case "mend":
      await mendWished(tools, action.connections, true);
      if (action.repairs.length > 0) await repairFiles(tools, action.repairs);
      return checkClients(tools);
    case "run":
      await commands.executeCommand(action.advised.command, ...(action.advised.arguments ?? []));
      return;
    case "open":
      await window.showTextDocument(tools.documents.add("Check Clients.txt", reportText(found)), { preview: false });
      return;
    case "nothing":
    case undefined:
      return;
  }
}

async function findings(tools: OfficeTools): Promise<readonly Finding[]> {
  const running = tools.present();
  const proxy = running === undefined ? undefined : await proxyReport(running.client);
  const models = clientModels(proxy?.models ?? [], BUILT_IN_PRICES);
  return checkUp({
    place: tools.place,
    journal: tools.parts.journal,
    proxy,
    expectedOrigin: tools.expectedOrigin(),
    fetch: loopbackFetch,
    portOwner: (port) => portOwner(port, { platform: process.platform, run: runProgram }),
    version: programVersion,
    requestModel: smallModel(models, workingModel(models, undefined)),
  });
}

/** A subject is the proxy, a client, or a client in a project. */
function subjectName(subject: string): string {
  return subject === "proxy" ? "Proxy" : clientName(subject.replace(/-[0-9a-f]{12}$/, ""));
}
