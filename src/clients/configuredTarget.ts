import { isTable } from "./configValue.ts";
import { currentDocument } from "./connectionDrift.ts";
import type { Connection } from "./connectionJournal.ts";

/** Where a client's own files send its requests, and with which key. */
export interface ConfiguredTarget {
  readonly baseUrl: string;
  /** Undefined where the key is part of the address. */
  readonly key: string | undefined;
}

/**
 * Reads from a client's files, not from what we believe of them, where its requests go. Undefined where nothing of ours is in them any
 * more. Rejects with a `ClientError` where a file cannot be read.
 */
export async function configuredTarget(
  connection: Connection,
  keptKey: string | undefined,
): Promise<ConfiguredTarget | undefined> {
  for (const file of connection.files) {
    const document = await currentDocument(file);
    const leaves = file.assignments.flatMap(({ path, value }) => textsIn(value, path));
    const address = leaves.find(({ text }) => text.startsWith(connection.origin));
    const now = address === undefined ? undefined : valueIn(document, address.path);
    if (typeof now !== "string" || !URL.canParse(now)) continue;
    const written = leaves.find(({ text }) => text.startsWith("pb_"));
    const key = written === undefined ? keptKey : valueIn(document, written.path);
    return { baseUrl: now, key: /\/k\/pb_/.test(now) || typeof key !== "string" ? undefined : key };
  }
  // Nothing was put in a file: the user entered it.
  return connection.files.length === 0 ? { baseUrl: `${connection.origin}/v1`, key: keptKey } : undefined;
}

/** Numbers are places in a list. */
type DeepPath = readonly (string | number)[];

function textsIn(value: unknown, path: DeepPath): readonly { readonly path: DeepPath; readonly text: string }[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((inner, place) => textsIn(inner, [...path, place]));
  return isTable(value) ? Object.entries(value).flatMap(([name, inner]) => textsIn(inner, [...path, name])) : [];
}

function valueIn(document: unknown, path: DeepPath): unknown {
  return path.reduce<unknown>((around, step) => {
    if (typeof step === "number") return Array.isArray(around) ? around[step] : undefined;
    return isTable(around) && Object.hasOwn(around, step) ? around[step] : undefined;
  }, document);
}
