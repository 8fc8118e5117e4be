import { window } from "vscode";

import { type DriftedConnection, watchDrift } from "../clients/driftWatch.ts";
import type { KeyView } from "../node/keyKeeping.ts";
import { clientName } from "./clientTools.ts";
import { driftNotices } from "./driftNotice.ts";
import type { OfficeTools } from "./officeTools.ts";

/** Watches the connected clients for this window. */
export interface DriftGuard {
  /** Looks at once. */
  look(): Promise<readonly DriftedConnection[]>;
  dispose(): void;
}

/** A program that writes its file anew may have it in pieces for a moment, and so have we while we connect a client. */
const SECOND_LOOK_MS = 700;

/** Makes the guard, which begins to watch with the first look. */
export function createDriftGuard({
  parts: { journal },
  present,
  showNotice,
}: Pick<OfficeTools, "parts" | "present" | "showNotice">): DriftGuard {
  let keys: readonly KeyView[] = [];
  let drifted: readonly DriftedConnection[] = [];
  let timer: NodeJS.Timeout | undefined;
  const watch = watchDrift({
    journal,
    facts: () => ({
      origin: present()?.url,
      isKeyGood(id) {
        const state = keys.find((key) => key.id === id)?.state;
        return state === undefined ? undefined : state === "active";
      },
    }),
    onDrift(found) {
      drifted = found;
      clearTimeout(timer);
      if (found.length === 0) return;
      timer = setTimeout(() => void look().then(tell, () => undefined), SECOND_LOOK_MS);
      timer.unref();
    },
  });
  // Of several windows, the one that the user is at tells.
  const focus = window.onDidChangeWindowState(({ focused }) => {
    if (focused && drifted.length > 0) void look().then(tell, () => undefined);
  });

  async function look(): Promise<readonly DriftedConnection[]> {
    keys =
      (await present()
        ?.client.keys()
        .catch(() => undefined)) ?? keys;
    return watch.look();
  }

  function tell(): void {
    if (!window.state.focused) return;
    for (const notice of driftNotices(drifted, clientName)) showNotice(notice);
  }

  return {
    look,
    dispose() {
      clearTimeout(timer);
      focus.dispose();
      watch.dispose();
    },
  };
}
