import { commands, type Disposable, env } from "vscode";

import type { ClientAccess } from "./clientAccess.ts";
import { type CommandId, COMMANDS, USAGE_VIEW } from "./contributions.ts";
import { addCredit, manageKeys, newKey, raiseLimit } from "./keyCommands.ts";
import type { LogTail } from "./logTail.ts";
import { type CallbackUris, signInOpenrouter } from "./openrouterSignIn.ts";
import { copyBaseUrl, copyWindowKey, exportUsage, restartProxy, startProxy, stopProxy } from "./proxyCommands.ts";
import { signInChatgpt, signOut } from "./signIn.ts";
import { setUpstreamKey } from "./upstreamKeys.ts";
import { testConnection } from "./testCommand.ts";
import type { UsagePanels } from "./usagePanel.ts";
import { useAnotherUpstream } from "./useAnotherUpstream.ts";
import { sayFailure, type WindowParts } from "./windowParts.ts";

/** What the commands need besides. */
export interface CommandParts {
  readonly parts: WindowParts;
  readonly panels: UsagePanels;
  readonly logTail: LogTail;
  readonly callbacks: CallbackUris;
  readonly clients: ClientAccess;
}

type Handler = (...given: readonly unknown[]) => Promise<void> | void;

/** Registers every command. What one rejects with is a sentence for the user. */
export function registerCommands({ parts, panels, logTail, callbacks, clients }: CommandParts): readonly Disposable[] {
  const handlers: Readonly<Record<CommandId, Handler>> = {
    "patchbay.startProxy": () => startProxy(parts),
    "patchbay.stopProxy": () => stopProxy(parts),
    "patchbay.restartProxy": () => restartProxy(parts),
    "patchbay.showUsage": () => void commands.executeCommand(`${USAGE_VIEW}.focus`),
    "patchbay.openUsage": () => panels.openEditor(),
    "patchbay.newKey": () => newKey(parts),
    "patchbay.manageKeys": () => manageKeys(parts),
    "patchbay.addCredit": (keyId) => addCredit(parts, keyId),
    "patchbay.raiseLimit": (keyId, limit) => raiseLimit(parts, keyId, limit),
    "patchbay.useAnotherUpstream": (model) => useAnotherUpstream(parts, model),
    "patchbay.copyBaseUrl": () => copyBaseUrl(parts),
    "patchbay.copyWindowKey": () => copyWindowKey(parts),
    "patchbay.testConnection": () => testConnection(parts),
    "patchbay.connectCodex": async () => (await clients.office()).connect("codex"),
    "patchbay.connectOpencode": async () => (await clients.office()).connect("opencode"),
    "patchbay.connectClient": async (client) => (await clients.office()).connect(client),
    "patchbay.disconnectClient": async (connection) => (await clients.office()).disconnect(connection),
    "patchbay.checkClients": async () => (await clients.office()).check(),
    "patchbay.mendClients": async (...wanted) => (await clients.office()).mend(...wanted),
    "patchbay.applyChange": async () => (await clients.office()).decide(true),
    "patchbay.discardChange": async () => (await clients.office()).decide(false),
    "patchbay.exportUsage": () => exportUsage(parts),
    async "patchbay.showLogs"() {
      parts.log.show();
      await logTail.follow();
    },
    "patchbay.setOpenaiKey": () => setUpstreamKey(parts, "openai"),
    "patchbay.setOpenrouterKey": () => setUpstreamKey(parts, "openrouter"),
    "patchbay.signInChatgpt": () => signInChatgpt(parts),
    "patchbay.signInOpenrouter": () => signInOpenrouter(parts, callbacks),
    "patchbay.signOut": () => signOut(parts),
    async "patchbay.openSettings"(name) {
      const query = typeof name === "string" ? name : `@ext:${parts.context.extension.id}`;
      await commands.executeCommand("workbench.action.openSettings", query);
    },
  };
  return COMMANDS.map((id) =>
    commands.registerCommand(id, async (...given: unknown[]) => {
      try {
        await handlers[id](...given);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        parts.log.error(`${id} failed.`, { cause: message, ui: env.uiKind });
        void sayFailure(message);
      }
    }),
  );
}
