import { type Disposable, TabInputText, TabInputTextDiff, Uri, window, workspace } from "vscode";

import { fileName } from "./shownChange.ts";

/** Texts that are shown in read-only editors and kept nowhere: neither in a file, nor in the editor's history and backups. */
export interface ShownDocuments extends Disposable {
  /** Makes a text known; `name` decides its language. */
  add(name: string, text: string): Uri;
  /** Closes the editors that show any of these, and forgets their texts. */
  close(uris: readonly Uri[]): Promise<void>;
  /** Whether any editor shows one of these. */
  areShown(uris: readonly Uri[]): boolean;
}

const SCHEME = "patchbay";

/** Registers them. */
export function createShownDocuments(): ShownDocuments {
  const texts = new Map<string, string>();
  let made = 0;
  const registration = workspace.registerTextDocumentContentProvider(SCHEME, {
    provideTextDocumentContent: (uri) => texts.get(uri.toString()) ?? "This was shown for a moment only.\n",
  });
  // What nobody sees any more need not be remembered.
  const closing = workspace.onDidCloseTextDocument(({ uri }) => void texts.delete(uri.toString()));
  const tabsOf = (uris: readonly Uri[]) => {
    const wanted = new Set(uris.map(String));
    return window.tabGroups.all.flatMap(({ tabs }) =>
      tabs.filter(({ input }) => shownIn(input).some((uri) => wanted.has(uri.toString()))),
    );
  };
  return {
    add(name, text) {
      made += 1;
      const uri = Uri.from({ scheme: SCHEME, path: `/${made}/${fileName(name)}` });
      texts.set(uri.toString(), text);
      return uri;
    },
    async close(uris) {
      await window.tabGroups.close(tabsOf(uris), true);
      for (const uri of uris) texts.delete(uri.toString());
    },
    areShown: (uris) => tabsOf(uris).length > 0,
    dispose() {
      closing.dispose();
      registration.dispose();
    },
  };
}

function shownIn(input: unknown): readonly Uri[] {
  if (input instanceof TabInputTextDiff) return [input.original, input.modified];
  return input instanceof TabInputText ? [input.uri] : [];
}
