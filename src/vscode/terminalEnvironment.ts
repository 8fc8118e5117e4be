import type { ControlClient } from "../node/controlClient.ts";
import type { Log } from "../ports.ts";
import type { HostSecrets } from "./credentialHandover.ts";
import { giveUpKept, keptKey, type KeptKeyPlace } from "./keptKey.ts";

/** The part of the editor's `EnvironmentVariableCollection` that is used. */
export interface TerminalVariables {
  persistent: boolean;
  description: unknown;
  replace(
    name: string,
    value: string,
    options: { readonly applyAtProcessCreation: boolean; readonly applyAtShellIntegration: boolean },
  ): void;
  clear(): void;
}

/** What the terminals' environment depends on. */
export interface TerminalEnvironmentParts {
  /** The setting. */
  readonly isWanted: () => boolean;
  /** Where clients reach the proxy and who makes keys; undefined while no process answers. */
  readonly running: () => { readonly url: string; readonly client: KeyMaker } | undefined;
  readonly variables: () => TerminalVariables;
  readonly secrets: HostSecrets;
  /** One window at a time makes the key, or revokes it: they share it. */
  readonly alone: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly log: Log;
}

type KeyMaker = Pick<ControlClient, "keys" | "addKey" | "revokeKey">;

/** The variables of the editor's integrated terminals. */
export interface TerminalEnvironment {
  /** The setting, the port or the process may have changed. Resolves when the terminals are told. */
  update(): Promise<void>;
}

const KEY: KeptKeyPlace = { kind: "terminalKey" };
const KEY_LABEL = "VS Code terminals";
const DESCRIPTION = "Leads what uses OpenAI's variables through Patchbay (`patchbay.terminalEnvironment`).";

/** Keeps the variables up to date. While the proxy is away they stay: it comes back to the same place. */
export function createTerminalEnvironment(parts: TerminalEnvironmentParts): TerminalEnvironment {
  const { isWanted, running, variables, secrets, alone, log } = parts;
  let isSet = false;
  let settledFor: { readonly client: unknown; readonly situation: string } | undefined;
  let last = Promise.resolve();

  async function updateNow(): Promise<void> {
    const wanted = isWanted();
    if (!wanted && isSet) {
      variables().clear();
      isSet = false;
    }
    const now = running();
    const situation = `${wanted} ${now?.url}`;
    if (now === undefined || (settledFor?.client === now.client && settledFor.situation === situation)) return;
    try {
      if (wanted) set(now.url, await alone(() => keptKey(KEY, KEY_LABEL, secrets, now.client)));
      // The setting may have been turned off while no window was there.
      else if ((await secrets.get(KEY.kind)) !== undefined) await alone(() => giveUpKept(KEY, secrets, now.client));
      settledFor = { client: now.client, situation };
    } catch (error) {
      log.warn("The environment of the terminals could not be brought up to date.", {
        cause: error instanceof Error ? error.message : String(error),
      });
    }
  }

  function set(url: string, key: string): void {
    const all = variables();
    // Of what an earlier window left there the key may be revoked.
    all.persistent = false;
    all.description = DESCRIPTION;
    // After the shell's own profile as well, which may set them for everything else.
    const options = { applyAtProcessCreation: true, applyAtShellIntegration: true };
    all.replace("OPENAI_BASE_URL", `${url}/v1`, options);
    all.replace("OPENAI_API_KEY", key, options);
    isSet = true;
  }

  return {
    update() {
      last = last.then(updateNow);
      return last;
    },
  };
}
