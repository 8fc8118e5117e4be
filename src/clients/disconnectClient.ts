import { dirname } from "node:path";
import { ClientError } from "./clientError.ts";
import { removeEmptyFolders, writeConfigFile } from "./configFile.ts";
import type { ConnectionParts, FileChange } from "./connectClient.ts";
import { type BareFile, readBare } from "./connectionFiles.ts";
import { withConnectionLock } from "./connectionLock.ts";
import type { Connection } from "./connectionJournal.ts";

/** What taking a connection out would come to; nothing is done until it is applied. */
export interface DisconnectProposal {
  readonly changes: readonly FileChange[];
  /** Sentences about what was put in and changed since, which stays. */
  readonly notices: readonly string[];
  /**
   * Does it. Rejects with a `ClientError`, nothing being changed, where a file was changed since or cannot be written, and with the error of
   * the keys where all is done but the key's revocation, which a further call then does.
   */
  apply(): Promise<{ readonly backups: readonly string[] }>;
}

/** Plans to disconnect; undefined where there is no such connection. Rejects with a `ClientError`. */
export async function proposeDisconnect(parts: ConnectionParts, id: string): Promise<DisconnectProposal | undefined> {
  const connection = await parts.journal.read(id);
  if (connection === undefined) return undefined;
  const files = await readBare([], connection);
  return {
    changes: changed(files).map(({ file, bare }) => ({ path: file.path, before: file.text, after: bare })),
    notices: files.flatMap(({ file, leftAlone }) =>
      leftAlone.map((path) => `"${path.join(".")}" in ${file.path} was changed after it was put in, and stays.`),
    ),
    apply: () =>
      withConnectionLock(parts.journal.lockPath, () =>
        apply(parts, id, new Map(files.map(({ file }) => [file.path, file.text]))),
      ),
  };
}

async function apply(
  parts: ConnectionParts,
  id: string,
  seen: ReadonlyMap<string, string | undefined>,
): Promise<{ readonly backups: readonly string[] }> {
  const { journal, keys, write = writeConfigFile } = parts;
  const connection = await journal.read(id);
  // Another process was faster.
  if (connection === undefined) return { backups: [] };
  const files = await readBare([], connection);
  for (const { file } of files) {
    if (seen.has(file.path) && seen.get(file.path) === file.text) continue;
    throw new ClientError(`${file.path} was changed by another program just now: look at it, and try again.`);
  }
  const backups: string[] = [];
  for (const { file, bare, madeFolder } of changed(files)) {
    if (file.text !== undefined) backups.push(await journal.backUp(id, file.path, file.text, parts.now()));
    await write(file, bare);
    if (bare === undefined && madeFolder !== null) await removeEmptyFolders(dirname(file.target), madeFolder);
  }
  const bare: Connection = { ...connection, files: [], earlier: [] };
  await journal.write(bare);
  for (const keyId of new Set([connection.keyId, ...(connection.spareKeyIds ?? [])])) await keys.revoke(keyId);
  await journal.removeKey(id);
  await journal.remove(id);
  return { backups };
}

function changed(files: readonly BareFile[]): readonly BareFile[] {
  return files.filter(({ file, bare }) => file.text !== bare);
}
