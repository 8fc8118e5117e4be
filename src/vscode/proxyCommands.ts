import { env, ProgressLocation, window, workspace } from "vscode";

import { plural } from "./amounts.ts";
import { exportText, type ExportFormat, type ExportQuery } from "./usageExport.ts";
import { keyOfThisWindow } from "./keyOfThisWindow.ts";
import { answeringProcess, sayFailure, type WindowParts } from "./windowParts.ts";

const STOP_GRACE_MS = 2_000;

/** Starts the proxy, or finds it. */
export async function startProxy({ connection }: WindowParts): Promise<void> {
  await connection.start();
  const { status, reason } = connection.view;
  if (status === "failed") await sayFailure(reason ?? "The proxy did not start.");
}

/** Stops the proxy for all windows; asks first where requests are running. */
export async function stopProxy({ connection }: WindowParts): Promise<void> {
  const running = (await connection.client?.state().catch(() => undefined))?.inFlight ?? 0;
  if (running > 0) {
    const chosen = await window.showWarningMessage(
      `${plural(running, "request")} would be cut off. Stop the proxy for all windows?`,
      { modal: true },
      "Stop",
    );
    if (chosen === undefined) return;
  }
  await connection.stop(STOP_GRACE_MS);
}

/** Puts a new process in the place of the present one; its running answers may finish. */
export async function restartProxy(parts: WindowParts): Promise<void> {
  await parts.connection.restart();
  const { status, reason } = parts.connection.view;
  if (status === "failed") await sayFailure(reason ?? "The proxy did not start.");
}

/** Puts the address that clients need on the clipboard. */
export async function copyBaseUrl(parts: WindowParts): Promise<void> {
  const running = await answeringProcess(parts);
  if (running === undefined) return;
  const url = `${running.url}/v1`;
  await env.clipboard.writeText(url);
  void window.showInformationMessage(`Copied ${url}`);
}

/** Puts this workspace's own key on the clipboard; it is made at the first use. */
export async function copyWindowKey(parts: WindowParts): Promise<void> {
  const running = await answeringProcess(parts);
  if (running === undefined) return;
  await env.clipboard.writeText(await keyOfThisWindow(parts));
  void window.showInformationMessage("This window's key is on the clipboard.");
}

/** Writes requests of the ledger into a file of the user's choice. */
export async function exportUsage(
  parts: WindowParts,
  query: ExportQuery = { since: undefined, key: null, model: null },
): Promise<void> {
  const running = await answeringProcess(parts);
  if (running === undefined) return;
  const target = await window.showSaveDialog({
    title: "Export Usage",
    filters: { "CSV for spreadsheets": ["csv"], "JSON, one request per line": ["jsonl"] },
  });
  if (target === undefined) return;
  const format: ExportFormat = target.path.endsWith(".jsonl") ? "jsonl" : "csv";
  await window.withProgress(
    { location: ProgressLocation.Notification, title: "Exporting the usage", cancellable: true },
    async (progress, token) => {
      const stopping = new AbortController();
      token.onCancellationRequested(() => stopping.abort());
      try {
        const text = await exportText(running.extended, query, format, stopping.signal, (rows) =>
          progress.report({ message: plural(rows, "request") }),
        );
        await workspace.fs.writeFile(target, new TextEncoder().encode(text));
        void window.showInformationMessage(`The usage was exported to ${target.fsPath}.`);
      } catch (error) {
        if (!stopping.signal.aborted) throw error;
      }
    },
  );
}
