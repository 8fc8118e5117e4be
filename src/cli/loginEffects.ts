import { homedir } from "node:os";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fetch as undiciFetch } from "undici";
import { CALLBACK_PORTS } from "../codex/browserSignIn.ts";
import type { DeviceSignInParts } from "../codex/deviceSignIn.ts";
import { networkSettings } from "../node/networkSettings.ts";
import { hasBrowser, openBrowser } from "../node/openBrowser.ts";
import { runProgram, startProgram } from "../node/runProgram.ts";
import { createUpstreamDispatcher } from "../node/upstreamDispatcher.ts";
import type { CredentialEffects } from "./credentialSource.ts";
import type { CommandIo } from "./serveCommand.ts";

/** The effects of signing in and out at a terminal. */
export interface LoginEffects extends CredentialEffects, DeviceSignInParts {
  /** Whether a browser that opens here would be seen. */
  readonly hasBrowser: boolean;
  readonly openBrowser: (url: string) => Promise<boolean>;
  readonly callbackPorts: readonly number[];
  /** The next line of the standard input; undefined at its end, or when the signal aborts. */
  readonly readLine: (signal: AbortSignal) => Promise<string | undefined>;
  /** Lets go of connections and input, so that the process can end. */
  readonly close: () => Promise<void>;
}

/** The effects for real. */
export function systemLoginEffects({ environment }: Pick<CommandIo, "environment">): LoginEffects {
  const dispatcher = createUpstreamDispatcher(networkSettings(environment));
  const { platform } = process;
  const surroundings = { platform, environment, start: startProgram };
  let lines: LineReader | undefined;
  return {
    platform,
    homeDirectory: homedir(),
    fetch: async (url, init) => (await undiciFetch(url, { ...init, dispatcher } as object)) as unknown as Response,
    run: runProgram,
    now: () => Date.now(),
    monotonic: () => performance.now(),
    wait: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
    hasBrowser: hasBrowser(surroundings),
    openBrowser: (url) => openBrowser(url, surroundings),
    callbackPorts: CALLBACK_PORTS,
    readLine(signal) {
      lines ??= openLines();
      return lines.next(signal);
    },
    async close() {
      lines?.close();
      await dispatcher.destroy();
    },
  };
}

interface LineReader {
  next(signal: AbortSignal): Promise<string | undefined>;
  close(): void;
}

function openLines(): LineReader {
  // Not as a terminal: it would keep Ctrl-C to itself.
  const input = createInterface({ input: process.stdin, terminal: false });
  const iterator = input[Symbol.asyncIterator]();
  return {
    async next(signal) {
      if (signal.aborted) return undefined;
      const aborted = new Promise<undefined>((resolve) => {
        signal.addEventListener("abort", () => resolve(undefined), { once: true });
      });
      const line = await Promise.race([iterator.next(), aborted]);
      return line === undefined || line.done === true ? undefined : line.value;
    },
    close() {
      input.close();
      process.stdin.destroy();
    },
  };
}
