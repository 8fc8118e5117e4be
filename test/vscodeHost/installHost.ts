import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const project = join(import.meta.dirname, "..", "..");
/** Outside of `test`, because mocha would take the tests in its packages for ours. */
const home = join(project, ".cache", "vscodeHost");
const serverMain = join(home, "node_modules", "code-server", "lib", "vscode", "out", "server-main.js");
/** The last word of an install that went well: which one it was. */
const installed = join(home, "installed.json");
const wanted = join(import.meta.dirname, "package-lock.json");

const INSTALL_DEADLINE_MS = 15 * 60_000;

/**
 * The VS Code server of the npm package code-server; installed first where it is not there, which takes minutes and 600 MB. Rejects with
 * what to do where it cannot be built.
 */
export async function installedHost(): Promise<{ readonly serverMain: string; readonly node: string }> {
  const [has, wants] = await Promise.all([readFile(installed, "utf8").catch(() => ""), readFile(wanted, "utf8")]);
  if (has !== wants) await install();
  return { serverMain, node: process.execPath };
}

async function install(): Promise<void> {
  await mkdir(home, { recursive: true });
  await rm(installed, { force: true });
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
    // Loading them tells whether they were built, and for this Node.
    for (const name of ["@vscode/spdlog", "node-pty", "kerberos"])
      await promisify(execFile)(process.execPath, ["-e", `require(${JSON.stringify(name)})`], {
        cwd: join(home, "node_modules", "code-server", "lib", "vscode"),
      });
  } catch (error) {
    throw new Error("The VS Code server cannot be installed: see test/vscodeHost/README.md for what its build needs.", {
      cause: error,
    });
  }
  await copyFile(wanted, installed);
}

/** What an outer npm tells its scripts is not for an inner one: code-server reads the version of Node from `npm_config_user_agent`. */
function environmentWithoutNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
}
