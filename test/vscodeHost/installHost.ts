import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const project = join(import.meta.dirname, "..", "..");
/** Outside of `test`, because mocha would take the tests in its packages for ours. */
const home = join(project, ".cache", "vscodeHost");
const codeServer = join(home, "node_modules", "code-server", "lib", "vscode");
/** The first native module that is missing where the system lacks what it needs to build. */
const builtModule = join(codeServer, "node_modules", "@vscode", "spdlog", "build", "Release", "spdlog.node");
const serverMain = join(codeServer, "out", "server-main.js");

const INSTALL_DEADLINE_MS = 15 * 60_000;

/**
 * The VS Code server of the npm package code-server; installed first where it is not there, which takes minutes and 600 MB. Rejects with
 * what to do where it cannot be built.
 */
export async function installedHost(): Promise<{ readonly serverMain: string; readonly node: string }> {
  if (!existsSync(builtModule)) await install();
  return { serverMain, node: process.execPath };
}

async function install(): Promise<void> {
  await mkdir(home, { recursive: true });
  for (const name of ["package.json", "package-lock.json"])
    await copyFile(join(import.meta.dirname, name), join(home, name));
  // Its native modules are built against the headers of the Node that runs them, which the package `node` brings along.
  const headers = join(project, "node_modules", "node", "node_modules", `node-${process.platform}-${process.arch}`);
  try {
    await promisify(execFile)("npm", ["ci", "--no-audit", "--no-fund"], {
      cwd: home,
      timeout: INSTALL_DEADLINE_MS,
      env: { ...environmentWithoutNpm(), npm_config_nodedir: headers },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    throw new Error("The VS Code server cannot be installed: see test/vscodeHost/README.md for what its build needs.", {
      cause: error,
    });
  }
  if (!existsSync(builtModule))
    throw new Error(
      "The VS Code server was installed without its native modules: in .cache/vscodeHost/node_modules/code-server/lib/vscode run `npm install-scripts approve --all && npm rebuild`.",
    );
}

/** What an outer npm tells its scripts is not for an inner one: code-server reads the version of Node from `npm_config_user_agent`. */
function environmentWithoutNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
}
