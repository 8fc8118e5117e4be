import { workspace } from "vscode";

import { windowKey } from "./windowKey.ts";
import type { WindowParts } from "./windowParts.ts";

/** The key of the folders that are open; it is made at the first use. Rejects with a sentence for the user. */
export async function keyOfThisWindow({ connection, secrets }: WindowParts): Promise<string> {
  const { client } = connection;
  if (client === undefined) throw new Error("The proxy is not running: start it.");
  const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => uri.toString());
  return windowKey({ name: workspace.name, folders }, secrets, client);
}
