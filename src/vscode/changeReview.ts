import { commands, type Disposable, type Uri, window } from "vscode";

import type { FileChange } from "../clients/connectClient.ts";
import { changeTitle, withShortKeys } from "./shownChange.ts";
import type { ShownDocuments } from "./shownDocuments.ts";

/** What is to be agreed to. */
export interface ReviewQuestion {
  /** In front of each diff's title: `Connect Codex CLI`. */
  readonly title: string;
  /** What the notification says. */
  readonly message: string;
  /** The button that agrees. */
  readonly agree: string;
  readonly changes: readonly FileChange[];
}

/** Shows changes of clients' files in the diff editor and asks whether to make them. */
export interface ChangeReview extends Disposable {
  /** Resolves with the answer. A diff that is closed is a no; a notification that is put away is none, as the diff has buttons as well. */
  ask(question: ReviewQuestion): Promise<boolean>;
  /** Answers what is being asked. */
  decide(isAgreed: boolean): void;
}

const CANCEL = "Cancel";
/** A notification cannot be taken back. */
const OVER = "This change was decided on, or its diff was closed, before: nothing was done now.";

/** Makes it. `tell` hears whether something is being asked. */
export function createChangeReview(documents: ShownDocuments, tell: (isAsking: boolean) => void): ChangeReview {
  let settle: ((isAgreed: boolean) => void) | undefined;

  async function ask({ title, message, agree, changes }: ReviewQuestion): Promise<boolean> {
    // Two questions at once would have their diffs and answers mixed up.
    settle?.(false);
    const answer = Promise.withResolvers<boolean>();
    settle = answer.resolve;
    const uris: Uri[] = [];
    for (const change of changes) uris.push(...(await showDiff(title, change)));
    const closing = window.tabGroups.onDidChangeTabs(({ closed }) => {
      if (closed.length > 0 && uris.length > 0 && !documents.areShown(uris)) answer.resolve(false);
    });
    tell(true);
    void window.showInformationMessage(message, agree, CANCEL).then((chosen) => {
      if (chosen === agree && settle !== answer.resolve) void window.showInformationMessage(OVER);
      if (chosen !== undefined || uris.length === 0) answer.resolve(chosen === agree);
    });
    try {
      return await answer.promise;
    } finally {
      closing.dispose();
      if (settle === answer.resolve) {
        settle = undefined;
        tell(false);
      }
      await documents.close(uris);
    }
  }

  async function showDiff(title: string, change: FileChange): Promise<readonly Uri[]> {
    const { path, before, after } = change;
    const [left, right] = [before, after].map((text) => documents.add(path, withShortKeys(text ?? "")));
    if (left === undefined || right === undefined) return [];
    await commands.executeCommand("vscode.diff", left, right, changeTitle(title, change), { preview: false });
    return [left, right];
  }

  return {
    ask,
    decide: (isAgreed) => settle?.(isAgreed),
    dispose: () => settle?.(false),
  };
}
