import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { ClientError } from "./clientError.ts";
import { makeFolder, readConfigFile, writeConfigFile } from "./configFile.ts";
import { isConnection } from "./connectionShape.ts";
import type { FileEdit } from "./fileEdit.ts";

/** An edit in a file of a client: what was put in, and what was there before. */
export interface ConnectedFile extends FileEdit {
  readonly path: string;
  /** Null where there was no file. */
  readonly before: string | null;
  readonly after: string;
  /** The outermost folder that was made for it; null where there was one. */
  readonly madeFolder: string | null;
}

/** A client that is connected. It is written down before its files are edited. */
export interface Connection {
  readonly version: 1;
  /** The client, with its project where it is connected in one. */
  readonly id: string;
  readonly client: string;
  readonly mode: string;
  readonly project: string | null;
  readonly origin: string;
  readonly label: string;
  readonly keyId: string;
  readonly model: string | null;
  /** Further models that the user asked for. */
  readonly named: readonly string[];
  readonly isBounded: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly connectedAt: number;
  readonly files: readonly ConnectedFile[];
  /** What an earlier connecting put in, until the files are known to hold the newer. */
  readonly earlier: readonly ConnectedFile[];
  /** Keys that are to be revoked: of an earlier connecting, or of one that did not come to its end. */
  readonly spareKeyIds?: readonly string[];
}

/** The connections of a data directory. Everything rejects with a `ClientError`. */
export interface ConnectionJournal {
  read(id: string): Promise<Connection | undefined>;
  all(): Promise<readonly Connection[]>;
  write(connection: Connection): Promise<void>;
  remove(id: string): Promise<void>;
  /** Keeps a copy of a file beside the journal. Resolves with its path. */
  backUp(id: string, path: string, text: string, now: number): Promise<string>;
  /** Where the key of a connection is kept. */
  keyFile(id: string): string;
  /** The key of a connection; undefined where there is none. */
  readKey(id: string): Promise<string | undefined>;
  writeKey(id: string, key: string): Promise<void>;
  removeKey(id: string): Promise<void>;
  /** What those who edit files of clients lock. */
  readonly lockPath: string;
}

/** So many copies of clients' files are kept. */
const MOST_BACKUPS = 30;

/** Opens the journal of a data directory, which need not be there. */
export function openConnectionJournal(dataDirectory: string): ConnectionJournal {
  const folder = join(dataDirectory, "clients");
  const backups = join(folder, "backups");
  const keys = join(folder, "keys");
  const pathOf = (id: string): string => join(folder, `${id}.json`);

  async function read(id: string): Promise<Connection | undefined> {
    const { text } = await readConfigFile(pathOf(id));
    if (text === undefined) return undefined;
    const written = jsonOf(text);
    if (isConnection(written)) return written;
    throw new ClientError(
      `${pathOf(id)} is damaged: take out by hand what it says was put in, then remove it; copies of the files are in ${backups}.`,
    );
  }

  async function replace(path: string, text: string): Promise<void> {
    await makeFolder(join(path, ".."));
    await writeConfigFile(await readConfigFile(path), text);
  }

  return {
    lockPath: join(folder, "lock"),
    read,
    async all() {
      const found = (await listed(folder)).filter((name) => name.endsWith(".json"));
      const all = await Promise.all(found.toSorted().map((name) => read(basename(name, ".json"))));
      return all.filter((one) => one !== undefined);
    },
    write: (connection) => replace(pathOf(connection.id), `${JSON.stringify(connection, undefined, 2)}\n`),
    remove: (id) => rm(pathOf(id), { force: true }),
    async backUp(id, path, text, now) {
      await makeFolder(backups);
      const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, "-");
      const copy = join(backups, `${stamp}-${id}-${basename(path)}`);
      await writeConfigFile(await readConfigFile(copy), text);
      const old = (await listed(backups)).toSorted().slice(0, -MOST_BACKUPS);
      for (const name of old) await rm(join(backups, name), { force: true });
      return copy;
    },
    keyFile: (id) => join(keys, id),
    async readKey(id) {
      const { text } = await readConfigFile(join(keys, id));
      return text === undefined || text.trim() === "" ? undefined : text.trim();
    },
    writeKey: (id, key) => replace(join(keys, id), `${key}\n`),
    removeKey: (id) => rm(join(keys, id), { force: true }),
  };
}

async function listed(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
