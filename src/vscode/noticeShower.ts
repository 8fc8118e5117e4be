import { commands, type Memento, window } from "vscode";

import { createNoticeGate, type LimitNotice } from "./limitNotices.ts";

const MUTED = "mutedNotices";
const MUTE = "Don't Show Again";

/** Shows notices of limits, at most one for each cause, and none that the user has had enough of. */
export function createNoticeShower(memory: Memento, areWanted: () => boolean): (notice: LimitNotice) => void {
  const muted = (): readonly string[] => memory.get<readonly string[]>(MUTED, []);
  const passes = createNoticeGate((kind) => muted().includes(kind));
  return (notice) => {
    if (areWanted() && passes(notice)) void show(notice);
  };

  async function show({ kind, message, buttons }: LimitNotice): Promise<void> {
    const chosen = await window.showWarningMessage(message, ...buttons.map(({ title }) => title), MUTE);
    if (chosen === MUTE) await memory.update(MUTED, [...muted(), kind]);
    const button = buttons.find(({ title }) => title === chosen);
    if (button !== undefined) await commands.executeCommand(button.command, ...(button.arguments ?? []));
  }
}
