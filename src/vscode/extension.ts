import { commands, type ExtensionContext, window } from "vscode";

/** Runs when a command of ours is first used. */
export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel("Patchbay", { log: true });
  log.info(`Patchbay ${String(context.extension.packageJSON.version)}`);
  context.subscriptions.push(
    log,
    commands.registerCommand("patchbay.showLogs", () => log.show()),
  );
}
