import { type QuickPickItem, QuickPickItemKind, window } from "vscode";

import type { Choice, ChoiceGroup } from "./clientChoices.ts";

/** What a list to pick from says of itself. */
export interface PickOptions {
  readonly title: string;
  readonly placeHolder: string;
}

/** Who looks something up in between comes back to it. */
const BEHAVIOUR = { ignoreFocusOut: true, matchOnDescription: true, matchOnDetail: true } as const;

/** Lets the user pick one of a few; undefined where nothing was picked. */
export async function pickChoice<Value>(
  choices: readonly Choice<Value>[],
  options: PickOptions,
): Promise<Value | undefined> {
  return (await window.showQuickPick([...choices], { ...options, ...BEHAVIOUR }))?.value;
}

/** The same under headings. */
export async function pickGrouped<Value>(
  groups: Promise<readonly ChoiceGroup<Value>[]>,
  options: PickOptions,
): Promise<Value | undefined> {
  type Item = QuickPickItem & { readonly value?: Value };
  const items = groups.then((all) =>
    all.flatMap(({ title, choices }): Item[] => [{ label: title, kind: QuickPickItemKind.Separator }, ...choices]),
  );
  return (await window.showQuickPick(items, { ...options, ...BEHAVIOUR }))?.value;
}
