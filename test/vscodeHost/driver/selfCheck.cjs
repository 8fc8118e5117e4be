// What the packaged extension does, looked at from within its extension host. VS Code calls `run`, wherever it comes from; what came of it
// is written to the file that PATCHBAY_SELF_CHECK names.
const assert = require("node:assert/strict");
const { writeFile } = require("node:fs/promises");
const { request } = require("node:http");
const vscode = require("vscode");

const globalResponse = globalThis.Response;

/** Without the host's own `fetch`, which goes by the editor's proxy. */
function ask(address, key) {
  return new Promise((resolve, reject) => {
    const asking = request(
      `${address}/chat/completions`,
      { method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" } },
      (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode));
      },
    );
    asking.on("error", reject);
    asking.end(JSON.stringify({ model: "gpt-5.5", messages: [{ role: "user", content: "Say ok." }] }));
  });
}

async function check() {
  const extension = vscode.extensions.getExtension("patchbay.patchbay");
  await extension.activate();
  const known = await vscode.commands.getCommands(true);
  const contributed = extension.packageJSON.contributes.commands.map(({ command }) => command);
  assert.deepEqual(
    contributed.filter((command) => !known.includes(command)),
    [],
  );
  await vscode.commands.executeCommand("patchbay.copyBaseUrl");
  const address = await vscode.env.clipboard.readText();
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/v1$/);
  await vscode.commands.executeCommand("patchbay.copyWindowKey");
  assert.equal(await ask(address, await vscode.env.clipboard.readText()), 200);
  assert.equal(globalThis.Response, globalResponse);
  await vscode.commands.executeCommand("patchbay.stopProxy");
}

exports.run = async () => {
  const { version, env } = vscode;
  const host = { version, appHost: env.appHost, node: process.version };
  try {
    await check();
    await writeFile(process.env.PATCHBAY_SELF_CHECK, JSON.stringify(host));
  } catch (error) {
    await writeFile(process.env.PATCHBAY_SELF_CHECK, JSON.stringify({ ...host, error: String(error.stack ?? error) }));
    throw error;
  }
};
