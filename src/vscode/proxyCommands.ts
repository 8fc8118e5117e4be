import { commands, env, ProgressLocation, window, workspace } from "vscode";

import { plural } from "./amounts.ts";
import { type TestAnswer, type TestRequest, testRequests, testResult } from "./connectionTest.ts";
import { loopbackFetch } from "./loopbackFetch.ts";
import { exportText, type ExportFormat, type ExportQuery } from "./usageExport.ts";
import { windowKey } from "./windowKey.ts";
import { answeringProcess, sayFailure, type WindowParts } from "./windowParts.ts";

const STOP_GRACE_MS = 2_000;
const TEST_DEADLINE_MS = 60_000;

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

/** Sends a tiny request to each upstream that can answer, and says what came of them. */
export async function testConnection(parts: WindowParts): Promise<void> {
  const running = await answeringProcess(parts);
  if (running === undefined) return;
  const lines = await window.withProgress(
    { location: ProgressLocation.Notification, title: "Testing the connection…" },
    async () => {
      const requests = testRequests(await running.client.models());
      const key = requests.length === 0 ? "" : await keyOfThisWindow(parts);
      return Promise.all(requests.map(async (one) => testResult(one, await send(running.url, key, one))));
    },
  );
  for (const line of lines) parts.log.info(`Test: ${line}`);
  parts.watch.refresh();
  if (lines.length > 0) return void window.showInformationMessage(lines.join(" · "));
  const chosen = await window.showWarningMessage(
    "The proxy answers, but it has no upstream: sign in, or set an API key.",
    "Sign In with ChatGPT",
    "Set OpenAI API Key",
  );
  if (chosen === "Sign In with ChatGPT") await commands.executeCommand("patchbay.signInChatgpt");
  if (chosen === "Set OpenAI API Key") await commands.executeCommand("patchbay.setOpenaiKey");
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

async function keyOfThisWindow(parts: WindowParts): Promise<string> {
  const { client } = parts.connection;
  if (client === undefined) throw new Error("The proxy is not running: start it.");
  const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => uri.toString());
  return windowKey({ name: workspace.name, folders }, parts.secrets, client);
}

async function send(url: string, key: string, { path, body }: TestRequest): Promise<TestAnswer> {
  const begun = performance.now();
  const response = await loopbackFetch(`${url}${path}`, {
    method: "POST",
    signal: AbortSignal.timeout(TEST_DEADLINE_MS),
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const totalMs = performance.now() - begun;
  return { status: response.status, body: await response.json().catch(() => undefined), totalMs };
}
