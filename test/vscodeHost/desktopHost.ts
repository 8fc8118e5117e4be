import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  downloadAndUnzipVSCode,
  resolveCliArgsFromVSCodeExecutablePath,
  runTests,
  SilentReporter,
} from "@vscode/test-electron";

const project = join(import.meta.dirname, "..", "..");
/** The oldest that the extension is for; the server is a recent one. */
const VERSION = "1.105.0";
const VERSIONS_ADDRESS = "https://update.code.visualstudio.com/api/releases/stable";
const LOOK_DEADLINE_MS = 5_000;
const DOWNLOAD_IDLE_MS = 30_000;

/** A desktop VS Code's program; undefined where it cannot be downloaded, or has no screen to show itself on. */
export async function downloadedVscode(): Promise<string | undefined> {
  const hasScreen =
    process.platform !== "linux" || [process.env["DISPLAY"], process.env["WAYLAND_DISPLAY"]].some((one) => one);
  if (!hasScreen) return undefined;
  try {
    const answer = await fetch(VERSIONS_ADDRESS, { signal: AbortSignal.timeout(LOOK_DEADLINE_MS) });
    await answer.body?.cancel();
    if (!answer.ok) return undefined;
  } catch {
    return undefined;
  }
  return downloadAndUnzipVSCode({
    version: VERSION,
    cachePath: join(project, ".cache", "vscodeDesktop"),
    reporter: new SilentReporter(),
    timeout: DOWNLOAD_IDLE_MS,
  });
}

/** Installs the VSIX into a profile of its own below the folder, and has the tests run in it. Rejects where they fail. */
export async function runInDesktop(
  program: string,
  folder: string,
  vsix: string,
  tests: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const [profile, extensions, workspace] = [
    join(folder, "profile"),
    join(folder, "extensions"),
    join(folder, "folder"),
  ];
  const settings = join(profile, "User");
  for (const place of [settings, extensions, workspace]) await mkdir(place, { recursive: true });
  await writeFile(join(settings, "settings.json"), JSON.stringify({ "patchbay.port": 0 }));
  const apart = [`--user-data-dir=${profile}`, `--extensions-dir=${extensions}`];
  const [command = "", ...given] = resolveCliArgsFromVSCodeExecutablePath(program, { reuseMachineInstall: true });
  await promisify(execFile)(command, [...given, ...apart, "--install-extension", vsix], {
    shell: process.platform === "win32",
  });
  await runTests({
    vscodeExecutablePath: program,
    extensionDevelopmentPath: join(import.meta.dirname, "driver"),
    extensionTestsPath: tests,
    reuseMachineInstall: true,
    launchArgs: [workspace, ...apart],
    extensionTestsEnv: { ...environment },
  });
}
