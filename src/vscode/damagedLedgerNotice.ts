import { env, window } from "vscode";

import type { ConnectionView } from "./connectionView.ts";

const COPY_PATH = "Copy Path";

/** Says that the process which this window has started found a damaged ledger; once for each process. */
export function createDamagedLedgerNotice(): (view: ConnectionView) => void {
  let toldOf: number | undefined;
  return ({ status, state }) => {
    // Another window has started the process, and said so.
    if (state?.ledgerSetAside === undefined || status === "attached" || state.pid === toldOf) return;
    toldOf = state.pid;
    void show(state.ledgerSetAside);
  };
}

async function show(path: string): Promise<void> {
  const chosen = await window.showWarningMessage(
    `Patchbay's usage ledger was damaged. It was kept as ${path}, and a new one was started: earlier usage, local keys and credit are not in it.`,
    COPY_PATH,
  );
  if (chosen === COPY_PATH) await env.clipboard.writeText(path);
}
