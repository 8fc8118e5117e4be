import type { OfferedCredentials } from "../node/controlCredentials.ts";
import type { WindowClient } from "../node/windowClient.ts";
import type { SecretKind } from "./secretNames.ts";
import { tokensOfText, tokensText } from "./secretTokens.ts";

/** This host's secrets, as the editor keeps them. */
export interface HostSecrets {
  get(kind: SecretKind, detail?: string): Promise<string | undefined>;
  store(kind: SecretKind, value: string, detail?: string): Promise<void>;
  delete(kind: SecretKind, detail?: string): Promise<void>;
}

/** Hands over all secrets that are there; what is not there stays as it is in the process: another window may know better. */
export async function offerAll(secrets: HostSecrets, client: WindowClient): Promise<void> {
  const [openai, openrouter, codex] = await Promise.all([
    secrets.get("openai"),
    secrets.get("openrouter"),
    secrets.get("codex").then(tokensOfText),
  ]);
  const offered: OfferedCredentials = {
    ...(openai === undefined ? {} : { openai }),
    ...(openrouter === undefined ? {} : { openrouter }),
    ...(codex === undefined ? {} : { codex }),
  };
  // Nothing is told as well: requests wait for the first window's word.
  await client.offerCredentials(offered);
}

/** Hands over one secret that has changed, here or in another window; one that is gone is taken away. */
export async function offerChanged(kind: SecretKind, secrets: HostSecrets, client: WindowClient): Promise<void> {
  switch (kind) {
    case "openai":
    case "openrouter":
      await client.offerCredentials({ [kind]: (await secrets.get(kind)) ?? null });
      break;
    case "codex":
      await client.offerCredentials({ codex: tokensOfText(await secrets.get("codex")) ?? null });
      break;
    case "windowKey":
    case "terminalKey":
      break;
  }
}

/** Stores the refreshed ChatGPT tokens that the process is waiting with. */
export async function storePending(id: string, secrets: HostSecrets, client: WindowClient): Promise<void> {
  const tokens = await client.pendingCredentials(id);
  if (tokens === undefined) return;
  if (tokens === null) await secrets.delete("codex");
  else await secrets.store("codex", tokensText(tokens));
  await client.storedCredentials(id);
}
