import { commands } from "vscode";

import type { ClientFacts } from "./clientAccess.ts";
import { CONTEXT_KEYS, type ContextKeys } from "./contributions.ts";
import { isUp, type ConnectionView } from "./connectionView.ts";
import type { UsageFacts } from "./usageWatch.ts";

/** What the context keys hold in a state of affairs. `hadUsage`: something was used at some time before. */
export function contextKeysOf(
  { status, sandbox }: ConnectionView,
  facts: UsageFacts,
  hadUsage: boolean,
  { hasClients, isReviewing }: ClientFacts,
): ContextKeys {
  const { held, signIn, today } = facts;
  const isSignedIn = held?.codex === true || (signIn !== undefined && signIn.state !== "signed_out");
  const hasOpenaiKey = held?.openai === true;
  const hasOpenrouterKey = held?.openrouter === true;
  return {
    "patchbay.status": status,
    "patchbay.isUp": isUp(status),
    "patchbay.isSignedIn": isSignedIn,
    "patchbay.hasOpenaiKey": hasOpenaiKey,
    "patchbay.hasOpenrouterKey": hasOpenrouterKey,
    "patchbay.hasUpstream": sandbox || isSignedIn || hasOpenaiKey || hasOpenrouterKey,
    "patchbay.hasUsage": hadUsage || today.length > 0,
    "patchbay.hasClients": hasClients,
    "patchbay.isReviewing": isReviewing,
  };
}

/** Tells the editor of the keys, of each only when it changes. */
export function createContextKeyTeller(): (keys: ContextKeys) => void {
  const told = new Map<string, unknown>();
  return (keys) => {
    const values: Readonly<Record<string, unknown>> = { ...keys };
    for (const name of CONTEXT_KEYS) {
      if (told.has(name) && told.get(name) === values[name]) continue;
      told.set(name, values[name]);
      void commands.executeCommand("setContext", name, values[name]);
    }
  };
}
