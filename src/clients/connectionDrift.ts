import { ClientError } from "./clientError.ts";
import { configFormat } from "./configFormat.ts";
import { readConfigFile } from "./configFile.ts";
import { type ConfigPath, isSameValue, valueAt } from "./configValue.ts";
import type { ConnectedFile, Connection } from "./connectionJournal.ts";

/** What a connection is compared with besides its files. */
export interface DriftFacts {
  /** Where the proxy listens now; undefined where that is not known. */
  readonly origin: string | undefined;
  /** Whether a key is good; undefined where that is not known. */
  readonly isKeyGood: (keyId: string) => boolean | undefined;
}

/** A way in which a connection is no longer what was put in. */
export interface Drift {
  readonly kind: "changed" | "missing" | "unreadable" | "moved" | "key_revoked";
  /** One sentence. */
  readonly what: string;
}

/** Compares a connection with its files, and with where the proxy is; empty where all is as it should be. */
export async function connectionDrift(connection: Connection, facts: DriftFacts): Promise<readonly Drift[]> {
  const inFiles = await Promise.all(connection.files.map(fileDrift));
  const isMoved = facts.origin !== undefined && facts.origin !== connection.origin;
  const isUnfinished = connection.spareKeyIds !== undefined;
  return [
    ...(isUnfinished ? [{ kind: "missing" as const, what: "Connecting it did not come to its end." }] : []),
    ...inFiles.flat(),
    ...(isMoved
      ? [
          {
            kind: "moved" as const,
            what: `The proxy is at ${facts.origin} now, and no longer at ${connection.origin}.`,
          },
        ]
      : []),
    ...(facts.isKeyGood(connection.keyId) === false
      ? [{ kind: "key_revoked" as const, what: "Its key was revoked, or has expired." }]
      : []),
  ];
}

/** What stands in the client's file now, where something was put in. */
export async function currentDocument(file: ConnectedFile): Promise<unknown> {
  const { text } = await readConfigFile(file.path);
  return text === undefined ? undefined : configFormat(file.format).parse(text);
}

async function fileDrift(file: ConnectedFile): Promise<readonly Drift[]> {
  let document: unknown;
  try {
    document = await currentDocument(file);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return [{ kind: "unreadable", what: `${file.path} cannot be read. ${error.message}` }];
  }
  if (document === undefined) return [{ kind: "missing", what: `${file.path} is gone.` }];
  return file.assignments.flatMap(({ path, value, mark }): readonly Drift[] => {
    const now = valueAt(document, path);
    if (now === undefined) return [drifted("missing", file, path, "is no longer there")];
    const isAsPut = mark === undefined ? isSameValue(now, value) : mark.every((inner) => isSameAt(now, value, inner));
    return isAsPut ? [] : [drifted("changed", file, path, "was changed")];
  });
}

function isSameAt(one: unknown, other: unknown, path: ConfigPath): boolean {
  return isSameValue(valueAt(one, path), valueAt(other, path));
}

function drifted(kind: Drift["kind"], file: ConnectedFile, path: ConfigPath, how: string): Drift {
  return { kind, what: `"${path.join(".")}" in ${file.path} ${how}.` };
}
