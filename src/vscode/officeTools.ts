import { env, ProgressLocation, window } from "vscode";

import type { ProxyReport } from "../clients/checkProxy.ts";
import { proxyReport } from "../clients/proxyReport.ts";
import type { ChangeReview } from "./changeReview.ts";
import type { ClientTools } from "./clientTools.ts";
import type { LimitNotice } from "./limitNotices.ts";
import type { ShownDocuments } from "./shownDocuments.ts";
import type { AnsweringProcess } from "./windowParts.ts";

/** What the office is given: it is loaded apart, and shares no module with the rest of the extension. */
export interface ClientOfficeParts {
  /** Of the ledger and the journal. */
  readonly directory: string;
  /** Where clients look for the proxy while none runs. */
  readonly expectedOrigin: () => string;
  /** The process, started where need be; undefined, said to the user, where it cannot be had. */
  readonly process: () => Promise<AnsweringProcess | undefined>;
  /** The process, if one answers now. */
  readonly present: () => AnsweringProcess | undefined;
  /** Whether a change is being shown for an answer. */
  readonly tellReviewing: (isReviewing: boolean) => void;
  /** Connections were made, changed or ended here. */
  readonly onChanged: () => void;
  readonly showNotice: (notice: LimitNotice) => void;
}

/** What the commands for clients work with. */
export interface OfficeTools extends ClientOfficeParts, ClientTools {
  readonly documents: ShownDocuments;
  readonly review: ChangeReview;
}

/** What the process says of itself, started where need be; undefined, said to the user, where it cannot be had. */
export async function askProxy({ process }: OfficeTools): Promise<ProxyReport | undefined> {
  return window.withProgress({ location: ProgressLocation.Window, title: "Patchbay: asking the proxy…" }, async () => {
    const running = await process();
    return running === undefined ? undefined : proxyReport(running.client);
  });
}

/** Shows what the user has to enter by hand. It may hold the key, so that the text is kept nowhere. */
export async function showValues({ documents }: OfficeTools, name: string, values: string): Promise<void> {
  await window.showTextDocument(documents.add(`${name}.txt`, values), { preview: false });
}

/** Says what was done, with ways on from there. */
export async function sayDone(
  message: string,
  ways: readonly { readonly title: string; readonly go: () => Promise<void> }[],
): Promise<void> {
  const chosen = await window.showInformationMessage(message, ...ways);
  await chosen?.go();
}

/** A way on that copies a text. */
export function copying(title: string, text: string): { readonly title: string; readonly go: () => Promise<void> } {
  return { title, go: async () => env.clipboard.writeText(text) };
}
