import type { ControlClient } from "../node/controlClient.ts";
import { isJsonObject } from "../wire/json.ts";
import type { HostSecrets } from "./credentialHandover.ts";

/** A local key that the editor keeps for its own use. */
export interface KeptKeyPlace {
  readonly kind: "windowKey" | "terminalKey";
  /** Tells apart several of a kind. */
  readonly detail?: string;
}

/** The key that is kept there, while it is good; else a new one of that label. Rejects with a `ControlError`. */
export async function keptKey(
  { kind, detail }: KeptKeyPlace,
  label: string,
  secrets: HostSecrets,
  client: Pick<ControlClient, "keys" | "addKey">,
): Promise<string> {
  const kept = readKept(await secrets.get(kind, detail));
  const known = kept === undefined ? [] : await client.keys();
  if (kept !== undefined && known.some(({ id, state }) => id === kept.id && state === "active")) return kept.key;
  const { id, key } = await client.addKey({ label });
  await secrets.store(kind, JSON.stringify({ id, key }), detail);
  return key;
}

/** Revokes the key that is kept there and forgets it, if there is one. Rejects with a `ControlError`. */
export async function giveUpKept(
  { kind, detail }: KeptKeyPlace,
  secrets: HostSecrets,
  client: Pick<ControlClient, "keys" | "revokeKey">,
): Promise<void> {
  const kept = readKept(await secrets.get(kind, detail));
  if (kept === undefined) return;
  const known = await client.keys();
  if (known.some(({ id, state }) => id === kept.id && state !== "revoked")) await client.revokeKey(kept.id);
  await secrets.delete(kind, detail);
}

function readKept(text: string | undefined): { readonly id: string; readonly key: string } | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
  const { id, key } = isJsonObject(read) ? read : {};
  return typeof id === "string" && typeof key === "string" ? { id, key } : undefined;
}
