// Runs commands in the extension host for a test outside of it. It listens on a socket in the folder that PATCHBAY_DRIVER names, below a
// folder named as the window's; each extension host has its own, named by its process.
const { mkdirSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");
const vscode = require("vscode");

const globalResponse = globalThis.Response;

const actions = {
  execute: ({ command, given = [] }) => vscode.commands.executeCommand(command, ...given),
  start: ({ command, given = [] }) => void vscode.commands.executeCommand(command, ...given),
  clipboard: () => vscode.env.clipboard.readText(),
  commands: () => vscode.commands.getCommands(true),
  extension: ({ id }) => {
    const found = vscode.extensions.getExtension(id);
    return { version: found?.packageJSON.version, isActive: found?.isActive, path: found?.extensionPath };
  },
  configure: ({ name, value }) =>
    vscode.workspace.getConfiguration().update(name, value, vscode.ConfigurationTarget.Global),
  terminal({ environment, line }) {
    const terminal = vscode.window.createTerminal({ env: environment });
    terminal.show();
    terminal.sendText(line);
  },
  globalsAreOwn: () => globalThis.Response === globalResponse,
  pid: () => process.pid,
  cpu: () => process.cpuUsage(),
  shownTexts: () =>
    vscode.workspace.textDocuments.filter(({ uri }) => uri.scheme === "patchbay").map((document) => document.getText()),
  openEditors: () => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ label }) => label)),
};

exports.activate = (context) => {
  const server = createServer(async (incoming, outgoing) => {
    let text = "";
    for await (const part of incoming) text += part;
    try {
      const { action, ...given } = JSON.parse(text);
      outgoing.end(JSON.stringify({ value: (await actions[action](given)) ?? null }));
    } catch (error) {
      outgoing.statusCode = 500;
      outgoing.end(JSON.stringify({ error: String(error) }));
    }
  });
  const folder = join(process.env.PATCHBAY_DRIVER, vscode.workspace.name);
  mkdirSync(folder, { recursive: true });
  server.listen(join(folder, `${process.pid}.sock`));
  context.subscriptions.push({ dispose: () => server.close() });
};
