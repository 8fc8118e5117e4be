import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSandboxServer } from "../../src/node/sandboxServer.ts";
import type { ServedRequest } from "../../src/sandbox/served.ts";
import { LOCAL_KEY, newFolder, type ServeProcess, startServe } from "../cli/serveProcess.ts";
import type { Opened } from "../node/relayRig.ts";
import { type AuthFile, type SandboxControls, sandboxControls } from "./sandboxControls.ts";

/** A pretend ChatGPT, and a folder in which processes of `patchbay` keep what they have. */
export interface CodexPlace {
  readonly codex: SandboxControls;
  /** The flags that say where the sign-in is kept and made. */
  readonly placeWords: readonly string[];
  readonly authFile: string;
  /** Data directories that processes of this place were given, in the order of their start. */
  readonly dataDirectories: readonly string[];
  writeSignIn(file: AuthFile): void;
  /** Starts `patchbay serve` with a data directory of its own and the shared sign-in. */
  serve(words?: readonly string[]): Promise<ServeProcess>;
  served(): Promise<readonly ServedRequest[]>;
}

const READ_DEADLINE_MS = 5_000;

/** Opens the place; all of it ends with the test. */
export async function openCodexPlace(opened: Opened): Promise<CodexPlace> {
  const sandbox = await startSandboxServer({ now: () => Date.now(), monotonic: () => performance.now() }, 0);
  opened.add(() => sandbox.close());
  const origin = new URL(sandbox.codexBaseUrl).origin;
  const folder = newFolder(opened);
  const authFile = join(folder, "auth.json");
  const placeWords = ["--creds-store", "xdg", "--creds-path", authFile, "--auth-base-url", sandbox.authBaseUrl];
  const dataDirectories: string[] = [];
  return {
    codex: sandboxControls(origin),
    placeWords,
    authFile,
    dataDirectories,
    writeSignIn: (file) => writeFileSync(authFile, JSON.stringify(file), { mode: 0o600 }),
    serve(words = []) {
      const dataDirectory = join(folder, `data-${dataDirectories.length + 1}`);
      dataDirectories.push(dataDirectory);
      return startServe(
        opened,
        ["--data-dir", dataDirectory, "--base-url", sandbox.codexBaseUrl, ...placeWords, ...words],
        { PATCHBAY_API_KEY: LOCAL_KEY },
      );
    },
    async served() {
      const answer = await fetch(`${origin}/sandbox/served`, { signal: AbortSignal.timeout(READ_DEADLINE_MS) });
      const all = ((await answer.json()) as { served: ServedRequest[] }).served;
      return all.filter((one) => one.endpoint.startsWith("POST /codex/"));
    },
  };
}
