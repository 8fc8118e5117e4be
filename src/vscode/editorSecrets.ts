import { hostname } from "node:os";
import { type Disposable, env, ExtensionKind, type ExtensionContext } from "vscode";

import type { HostSecrets } from "./credentialHandover.ts";
import { secretKind, type SecretKind, secretName, type SecretPlace } from "./secretNames.ts";

/** This host's part of the editor's SecretStorage. */
export interface EditorSecrets extends HostSecrets {
  /** A secret was changed, here or in another window; versions of VS Code say so twice, or not in the window that changed it. */
  onDidChange(listener: (kind: SecretKind) => void): Disposable;
}

/** Opens it. */
export function openEditorSecrets({ secrets, extension }: ExtensionContext, sandbox: boolean): EditorSecrets {
  // `remoteName` is told in local extension hosts too; where the extension runs is what counts.
  const isLocal = extension.extensionKind === ExtensionKind.UI || env.remoteName === undefined;
  const place: SecretPlace = { host: isLocal ? "local" : hostname(), sandbox };
  return {
    get: async (kind, detail) => secrets.get(secretName(place, kind, detail)),
    store: async (kind, value, detail) => secrets.store(secretName(place, kind, detail), value),
    delete: async (kind, detail) => secrets.delete(secretName(place, kind, detail)),
    onDidChange: (listener) =>
      secrets.onDidChange(({ key }) => {
        const kind = secretKind(place, key);
        if (kind !== undefined) listener(kind);
      }),
  };
}
