import { setTimeout as delay } from "node:timers/promises";
import { commands, type Memento, window } from "vscode";

import { createNoticeGate, type LimitNotice } from "./limitNotices.ts";

const MUTED = "mutedNotices";
const MUTE = "Don't Show Again";

/** The window that the user looks at goes first. */
const OTHERS_WAIT_MS = 250;

/**
 * Shows notices of limits, at most one for each cause, and none that the user has had enough of.
 *
 * @param claim whether it is this window that tells of an occasion, which all windows hear of; left out, each tells of it
 */
export function createNoticeShower(
  memory: Memento,
  areWanted: () => boolean,
  claim?: (occasion: string) => Promise<boolean>,
): (notice: LimitNotice, occasion?: string) => void {
  const muted = (): readonly string[] => memory.get<readonly string[]>(MUTED, []);
  const passes = createNoticeGate((kind) => muted().includes(kind));
  return (notice, occasion = notice.cause) => {
    if (areWanted() && passes(notice)) void tell(notice, occasion);
  };

  async function tell(notice: LimitNotice, occasion: string): Promise<void> {
    if (claim !== undefined) {
      if (!window.state.focused) await delay(OTHERS_WAIT_MS);
      // A process that cannot be asked keeps nothing from the user.
      if (!(await claim(occasion).catch(() => true))) return;
    }
    await show(notice);
  }

  async function show({ kind, message, buttons }: LimitNotice): Promise<void> {
    const chosen = await window.showWarningMessage(message, ...buttons.map(({ title }) => title), MUTE);
    if (chosen === MUTE) await memory.update(MUTED, [...muted(), kind]);
    const button = buttons.find(({ title }) => title === chosen);
    if (button !== undefined) await commands.executeCommand(button.command, ...(button.arguments ?? []));
  }
}
