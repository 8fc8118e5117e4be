import { commands, env, type ExtensionContext, ExtensionKind, type LogOutputChannel, UIKind, window } from "vscode";

import type { ControlClient } from "../node/controlClient.ts";
import { type WindowClient, windowClient } from "../node/windowClient.ts";
import type { HostSecrets } from "./credentialHandover.ts";
import { isUp } from "./connectionView.ts";
import { editorWords } from "./editorWords.ts";
import type { ProxyConnection } from "./proxyConnection.ts";
import type { UsageWatch } from "./usageWatch.ts";

/** What the commands of a window work with. */
export interface WindowParts {
  readonly context: ExtensionContext;
  readonly log: LogOutputChannel;
  readonly connection: ProxyConnection;
  readonly watch: UsageWatch;
  readonly secrets: HostSecrets;
}

/** A process that answers, as a window talks to it. */
export interface AnsweringProcess {
  readonly client: ControlClient;
  readonly extended: WindowClient;
  readonly url: string;
}

/** The process, started where need be; undefined, said to the user, where it cannot be had. */
export async function answeringProcess(parts: WindowParts): Promise<AnsweringProcess | undefined> {
  const { connection } = parts;
  if (!isUp(connection.view.status)) await connection.start();
  const running = answeringNow(parts);
  if (running === undefined) void sayFailure(connection.view.reason ?? "The Patchbay proxy is not running.");
  return running;
}

/** The process, if one answers now. */
export function answeringNow({ connection: { client, view } }: WindowParts): AnsweringProcess | undefined {
  if (client === undefined || view.url === undefined) return undefined;
  return { client, extended: windowClient(client), url: view.url };
}

/**
 * Whether the user's browser runs on the machine that we run on, so that it can come back to a port of ours. `remoteName` is told in local
 * extension hosts too.
 */
export function browserIsLocal({ extension }: ExtensionContext): boolean {
  return (
    env.uiKind === UIKind.Desktop && (extension.extensionKind === ExtensionKind.UI || env.remoteName === undefined)
  );
}

/** Says what went wrong, with the way to the logs. */
export async function sayFailure(message: string): Promise<void> {
  const chosen = await window.showErrorMessage(editorWords(message), "Show Logs");
  if (chosen !== undefined) await commands.executeCommand("patchbay.showLogs");
}
