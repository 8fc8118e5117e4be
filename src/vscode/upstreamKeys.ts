import { env, ProgressLocation, Uri, window } from "vscode";

import type { KeyedUpstream } from "../node/controlCredentials.ts";
import { offerChanged } from "./credentialHandover.ts";
import { answeringProcess, type WindowParts } from "./windowParts.ts";

interface KeyPlace {
  readonly name: string;
  /** Where the upstream hands its keys out. */
  readonly page: string;
  readonly example: string;
}

const PLACES: Readonly<Record<KeyedUpstream, KeyPlace>> = {
  openai: { name: "OpenAI", page: "https://platform.openai.com/api-keys", example: "sk-..." },
  openrouter: { name: "OpenRouter", page: "https://openrouter.ai/settings/keys", example: "sk-or-..." },
};

const REPLACE = "Replace the key";
const REMOVE = "Remove the key";
const GET = "Get a key in the browser";
const ENTER = "Enter a key";

/** Asks for an upstream's key, tries it, and keeps it; or takes away the one that is kept. */
export async function setUpstreamKey(parts: WindowParts, upstream: KeyedUpstream): Promise<void> {
  const { name, page } = PLACES[upstream];
  const isKept = (await parts.secrets.get(upstream)) !== undefined;
  const chosen = await window.showQuickPick(isKept ? [REPLACE, REMOVE, GET] : [ENTER, GET], {
    title: `${name} API Key`,
    placeHolder: isKept ? `A key of ${name} is kept in VS Code's secret storage.` : `No key of ${name} is kept.`,
  });
  if (chosen === undefined) return;
  if (chosen === REMOVE) return removeUpstreamKey(parts, upstream);
  if (chosen === GET) await env.openExternal(Uri.parse(page));
  const key = await askForKey(upstream);
  if (key !== undefined) await keepUpstreamKey(parts, upstream, key);
}

/** Tries a key with its upstream, and keeps it where that accepts it. */
export async function keepUpstreamKey(parts: WindowParts, upstream: KeyedUpstream, key: string): Promise<boolean> {
  const { name } = PLACES[upstream];
  const running = await answeringProcess(parts);
  const verdict =
    running === undefined
      ? undefined
      : await window.withProgress(
          { location: ProgressLocation.Notification, title: `Trying the key with ${name}…` },
          () => running.extended.verifyKey(upstream, key),
        );
  if (verdict?.verdict === "refused") {
    void window.showErrorMessage(verdict.message);
    return false;
  }
  if (verdict?.verdict !== "accepted") {
    const message = verdict?.message ?? "The key cannot be tried, because no proxy of this window's is running.";
    const chosen = await window.showWarningMessage(`${message} Keep it untried?`, "Keep It");
    if (chosen === undefined) return false;
  }
  await parts.secrets.store(upstream, key);
  if (running !== undefined) await offerChanged(upstream, parts.secrets, running.extended);
  parts.watch.refresh();
  void window.showInformationMessage(`The ${name} key is kept in VS Code's secret storage.`);
  return true;
}

async function removeUpstreamKey(parts: WindowParts, upstream: KeyedUpstream): Promise<void> {
  await parts.secrets.delete(upstream);
  const running = parts.connection.client === undefined ? undefined : await answeringProcess(parts);
  if (running !== undefined) await offerChanged(upstream, parts.secrets, running.extended);
  parts.watch.refresh();
  void window.showInformationMessage(`The ${PLACES[upstream].name} key was removed.`);
}

async function askForKey(upstream: KeyedUpstream): Promise<string | undefined> {
  const { name, example } = PLACES[upstream];
  const key = await window.showInputBox({
    title: `${name} API Key`,
    prompt: "It is tried with the upstream, and kept in VS Code's secret storage on success.",
    placeHolder: example,
    password: true,
    ignoreFocusOut: true,
    // What is not visible ASCII cannot be written into a header.
    validateInput: (text) =>
      text.trim() === "" || /^[\x21-\x7e]{8,}$/.test(text.trim()) ? undefined : "This is no API key: copy all of it.",
  });
  return key === undefined || key.trim() === "" ? undefined : key.trim();
}
