import { type Disposable, MarkdownString, StatusBarAlignment, window } from "vscode";

import type { CommandId } from "./contributions.ts";
import type { ReadSetting } from "./preferences.ts";
import type { ConnectionView } from "./connectionView.ts";
import { statusText } from "./statusText.ts";
import { statusTooltip } from "./statusTooltip.ts";
import type { UsageFacts } from "./usageWatch.ts";

/** What the item shows. */
export interface StatusBarParts {
  readonly view: () => ConnectionView;
  readonly facts: () => UsageFacts;
  readonly isEnabled: (command: CommandId) => boolean;
  readonly read: ReadSetting;
}

/** The one item in the status bar. */
export interface StatusBar extends Disposable {
  /** Something has changed; it is shown soon. */
  update(): void;
}

/** Four times a second is as fast as a number can be read. */
const UPDATE_INTERVAL_MS = 250;
const PRIORITY = 1;

/** Makes the item. No timer runs while nothing changes. */
export function createStatusBar({ view, facts, isEnabled, read }: StatusBarParts): StatusBar {
  const item = window.createStatusBarItem("patchbay.status", StatusBarAlignment.Left, PRIORITY);
  item.name = "Patchbay";
  item.command = "patchbay.showUsage" satisfies CommandId;
  let timer: NodeJS.Timeout | undefined;
  let shown = "";

  function show(): void {
    timer = undefined;
    const content = read("statusBar.content");
    if (content === "hidden") {
      shown = "";
      return item.hide();
    }
    const now = Date.now();
    const { text, spoken } = statusText(view(), facts(), { content, lowPercent: read("statusBar.lowPercent"), now });
    const { markdown, commands } = statusTooltip(view(), facts(), now, isEnabled);
    // What is set anew goes to the window again, and takes the tooltip from under the pointer.
    const next = JSON.stringify([text, spoken, markdown, commands]);
    if (next === shown) return;
    shown = next;
    const tooltip = new MarkdownString(markdown, true);
    tooltip.isTrusted = { enabledCommands: commands };
    item.text = text;
    item.tooltip = tooltip;
    item.accessibilityInformation = { label: spoken };
    item.show();
  }

  show();
  return {
    update: () => {
      timer ??= setTimeout(show, UPDATE_INTERVAL_MS);
    },
    dispose() {
      clearTimeout(timer);
      item.dispose();
    },
  };
}
