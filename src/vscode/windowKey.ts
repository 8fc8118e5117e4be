import { createHash } from "node:crypto";

import type { ControlClient } from "../node/controlClient.ts";
import type { HostSecrets } from "./credentialHandover.ts";
import { keptKey } from "./keptKey.ts";

/** What tells apart the windows that get a key each. */
export interface WindowIdentity {
  /** The workspace as people call it; undefined for an empty window. */
  readonly name: string | undefined;
  /** Its addresses. */
  readonly folders: readonly string[];
}

const ID_CHARACTERS = 16;
const LONGEST_NAME = 80;

/** The key of a workspace: the one that was made for it before, while it is good, or a new one. Rejects with a `ControlError`. */
export async function windowKey(
  { name, folders }: WindowIdentity,
  secrets: HostSecrets,
  client: Pick<ControlClient, "keys" | "addKey">,
): Promise<string> {
  const place = createHash("sha256").update(folders.join("\n")).digest("hex").slice(0, ID_CHARACTERS);
  const label = `VS Code: ${(name ?? "empty window").slice(0, LONGEST_NAME)}`;
  return keptKey({ kind: "windowKey", detail: place }, label, secrets, client);
}
