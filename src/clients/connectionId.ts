import { hash } from "node:crypto";

const HASH_CHARACTERS = 12;

/** What a connection is called in the journal: the client, and its project where it is connected in one. It is safe as a file's name. */
export function connectionId(client: string, project: string | undefined): string {
  return project === undefined ? client : `${client}-${hash("sha256", project, "hex").slice(0, HASH_CHARACTERS)}`;
}
