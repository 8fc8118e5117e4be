import { dirname } from "node:path";
import { aboutFile, ClientError } from "./clientError.ts";
import type { ClientPlace, ClientRow, ConnectionFacts } from "./clientRow.ts";
import { makeFolder, writeConfigFile } from "./configFile.ts";
import { configFormat } from "./configFormat.ts";
import { valueAt } from "./configValue.ts";
import { type BareFile, readBare } from "./connectionFiles.ts";
import { connectionId } from "./connectionId.ts";
import { withConnectionLock } from "./connectionLock.ts";
import type { ConnectedFile, Connection, ConnectionJournal } from "./connectionJournal.ts";
import { applyEdit, type FileEdit } from "./fileEdit.ts";

/** Makes and revokes the keys of clients. */
export interface ClientKeys {
  create(label: string): Promise<{ readonly id: string; readonly key: string }>;
  revoke(id: string): Promise<void>;
}

/** The effects of connecting and disconnecting. */
export interface ConnectionParts {
  readonly journal: ConnectionJournal;
  readonly keys: ClientKeys;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Replaces a file; for tests. */
  readonly write?: typeof writeConfigFile;
}

/** What is to be connected, and how. */
export interface ConnectRequest {
  readonly client: ClientRow;
  readonly place: ClientPlace;
  /** Undefined for the best one. */
  readonly mode: string | undefined;
  /** All but the key. */
  readonly facts: Omit<ConnectionFacts, "key" | "keyFile">;
  /** Models beside the usual ones, written down so that mending offers them again. */
  readonly named?: readonly string[];
  /** Makes a new key although there is one: that one was revoked. */
  readonly freshKey?: boolean;
}

/** A file as it is and as it would be; undefined where there is none. */
export interface FileChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What would be done; nothing is done until it is applied. */
export interface ConnectProposal {
  readonly mode: string;
  /** Why this mode; undefined where it was asked for. */
  readonly reason: string | undefined;
  /** Files that would change. A new key stands in them by a name; one that is there already does not, so that they are shown `withoutKeys`. */
  readonly changes: readonly FileChange[];
  readonly notices: readonly string[];
  /** What to enter by hand; undefined where nothing is, and while the key is not made. */
  readonly values: string | undefined;
  /** False where all is as it should be. */
  readonly isNeeded: boolean;
  /** Does it. Rejects with a `ClientError`, nothing being changed, where a file was changed since, or cannot be written. */
  apply(): Promise<ConnectResult>;
}

/** What was done. */
export interface ConnectResult {
  /** What to enter by hand, where something is. */
  readonly values: string | undefined;
  /** Copies of the files that were changed. */
  readonly backups: readonly string[];
}

/** A key, the command that prints one, or the file of one. */
const OTHERS_KEY = /\bpb_[\w-]+|"client-key"|[/\\]clients[/\\]+keys[/\\]/;

/** What stands for a key that is not made yet. */
export const KEY_TO_COME = "pb_made_when_you_agree";

interface Planned {
  readonly connection: Connection | undefined;
  readonly mode: string;
  readonly reason: string | undefined;
  readonly files: readonly PlannedFile[];
  readonly notices: readonly string[];
  readonly values: string | undefined;
}

interface PlannedFile extends BareFile {
  readonly after: string | undefined;
  readonly edit: Pick<ConnectedFile, "format" | "assignments"> | undefined;
}

/** Plans to connect a client, or to bring its connection up to date. Rejects with a `ClientError`. */
export async function proposeConnect(parts: ConnectionParts, request: ConnectRequest): Promise<ConnectProposal> {
  const id = connectionId(request.client.id, request.place.project);
  const known = request.freshKey === true ? undefined : await parts.journal.readKey(id);
  const planned = await plan(parts, request, known ?? KEY_TO_COME);
  const changes = changesOf(planned);
  return {
    mode: planned.mode,
    reason: planned.reason,
    changes,
    notices: planned.notices,
    values: known === undefined ? undefined : planned.values,
    isNeeded: changes.length > 0 || known === undefined || !isUpToDate(planned, request),
    apply: () =>
      withConnectionLock(parts.journal.lockPath, async () => {
        const before = new Map(planned.files.map(({ file }) => [file.path, file.text]));
        return apply(parts, request, { before, mode: planned.mode });
      }),
  };
}

async function plan(parts: ConnectionParts, request: ConnectRequest, key: string): Promise<Planned> {
  const { client, place } = request;
  const id = connectionId(client.id, place.project);
  const connection = await parts.journal.read(id);
  const files = await readBare(client.reads(place), connection);
  const texts = new Map(files.map(({ file, bare }) => [file.path, bare]));
  const chosen = chosenMode(request, texts);
  const facts = { ...request.facts, key, keyFile: parts.journal.keyFile(id) };
  const { edits, notices, values } = client.plan({ place, mode: chosen.mode, texts, facts });
  return {
    connection,
    ...chosen,
    notices: [...notices, ...edits.filter((edit) => holdsAnother(texts.get(edit.path), edit)).map(othersNotice)],
    values,
    files: files.map((one) => {
      const edit = edits.find(({ path }) => path === one.file.path);
      const after = edit === undefined ? one.bare : aboutFile(one.file.path, () => applyEdit(one.bare ?? "", edit));
      return { ...one, after, edit: edit && { format: edit.format, assignments: edit.assignments } };
    }),
  };
}

/** Whether a file, without our own edit, has the key of another data directory, or leads to it, where ours is to be. */
function holdsAnother(bare: string | undefined, { path, format, assignments }: FileEdit & { readonly path: string }) {
  if (bare === undefined) return false;
  const document = aboutFile(path, () => configFormat(format).parse(bare));
  return assignments.some((one) => OTHERS_KEY.test(JSON.stringify(valueAt(document, one.path)) ?? ""));
}

function othersNotice({ path }: { readonly path: string }): string {
  return `${path} leads to another Patchbay, which comes back when this one is disconnected: disconnect that one first, or take its lines out.`;
}

function chosenMode(
  { client, place, mode }: ConnectRequest,
  texts: ReadonlyMap<string, string | undefined>,
): { readonly mode: string; readonly reason: string | undefined } {
  const known = client.modes.map((one) => one.id);
  if (mode === undefined) return client.choose?.(place, texts) ?? { mode: client.modes[0].id, reason: undefined };
  if (known.includes(mode)) return { mode, reason: undefined };
  throw new ClientError(`${client.name} has no mode "${mode}": choose ${known.join(" or ")}.`);
}

function changesOf(planned: Planned): readonly FileChange[] {
  return planned.files.flatMap(({ file, after }) =>
    file.text === after ? [] : [{ path: file.path, before: file.text, after }],
  );
}

function isUpToDate({ connection, mode }: Planned, { facts }: ConnectRequest): boolean {
  return (
    connection !== undefined &&
    connection.spareKeyIds === undefined &&
    connection.mode === mode &&
    connection.origin === facts.origin
  );
}

async function apply(
  parts: ConnectionParts,
  request: ConnectRequest,
  seen: { readonly before: ReadonlyMap<string, string | undefined>; readonly mode: string },
): Promise<ConnectResult> {
  const { journal, keys } = parts;
  const { client, place, facts, freshKey = false } = request;
  const id = connectionId(client.id, place.project);
  const label = place.project === undefined ? client.name : `${client.name} in ${place.project}`;
  const previous = await journal.read(id);
  const known = await journal.readKey(id);
  const isKept = previous?.spareKeyIds === undefined && previous !== undefined && known !== undefined && !freshKey;
  const made = isKept ? { id: previous.keyId, key: known } : await keys.create(label);
  const spareKeyIds = isKept || previous === undefined ? [] : [previous.keyId, ...(previous.spareKeyIds ?? [])];
  const stub: Connection = {
    version: 1,
    id,
    client: client.id,
    mode: seen.mode,
    project: place.project ?? null,
    origin: facts.origin,
    label,
    keyId: made.id,
    model: facts.model ?? null,
    named: request.named ?? [],
    isBounded: facts.isBounded,
    connectedAt: parts.now(),
    files: [],
    earlier: [...(previous?.files ?? []), ...(previous?.earlier ?? [])],
  };
  const written: PlannedFile[] = [];
  try {
    // From here on it is known that there is this key.
    if (!isKept)
      await journal.write({ ...(previous ?? stub), spareKeyIds: [made.id, ...(previous?.spareKeyIds ?? [])] });
    const planned = await plan(parts, request, made.key);
    assertUnchanged(planned, seen.before);
    const connection = { ...stub, mode: planned.mode };
    if (!isKept) await journal.writeKey(id, made.key);
    const changed = planned.files.filter(({ file, after }) => file.text !== after);
    const backups: string[] = [];
    for (const { file } of changed) {
      if (file.text !== undefined) backups.push(await journal.backUp(id, file.path, file.text, parts.now()));
    }
    const files: ConnectedFile[] = [];
    for (const one of planned.files) {
      if (one.edit === undefined || one.after === undefined) continue;
      const madeFolder = (await makeFolder(dirname(one.file.target))) ?? one.madeFolder;
      const { path } = one.file;
      files.push({ path, ...one.edit, before: one.bare ?? null, after: one.after, madeFolder });
    }
    // Whatever happens from here on, it is known what to take out.
    await journal.write({ ...connection, files, ...(isKept ? {} : { spareKeyIds }) });
    for (const one of changed) {
      await writeOf(parts)(one.file, one.after);
      written.push(one);
    }
    const done: Connection = { ...connection, files, earlier: [] };
    await journal.write(spareKeyIds.length === 0 ? done : { ...done, spareKeyIds });
    if (spareKeyIds.length > 0) await revokeSpare(parts, done, spareKeyIds);
    return { values: planned.values, backups };
  } catch (error) {
    // What cannot be taken back now stays written down, so that disconnecting takes it out.
    if (!(await takeBack(parts, written))) throw error;
    if (!isKept) {
      await keys.revoke(made.id).catch(() => undefined);
      await (known === undefined ? journal.removeKey(id) : journal.writeKey(id, known)).catch(() => undefined);
    }
    await (previous === undefined ? journal.remove(id) : journal.write(previous)).catch(() => undefined);
    throw error;
  }
}

/** Keys that cannot be revoked now stay written down; nothing else depends on it. */
async function revokeSpare(
  { keys, journal }: ConnectionParts,
  done: Connection,
  ids: readonly string[],
): Promise<void> {
  try {
    for (const id of new Set(ids)) await keys.revoke(id);
    await journal.write(done);
  } catch {
    // The next connecting, or disconnecting, does it.
  }
}

function assertUnchanged(planned: Planned, seen: ReadonlyMap<string, string | undefined>): void {
  for (const { file, bare, edit } of planned.files) {
    // What is only looked at may change: a client renews its sign-in at any time.
    if (edit === undefined && bare === file.text) continue;
    if (seen.has(file.path) && seen.get(file.path) === file.text) continue;
    throw new ClientError(`${file.path} was changed by another program just now: look at it, and try again.`);
  }
}

/** Puts the files that were written already back to what they were; false where that does not work for all. */
async function takeBack(parts: ConnectionParts, written: readonly PlannedFile[]): Promise<boolean> {
  const undone = await Promise.allSettled(
    written.map(({ file, after }) => writeOf(parts)({ ...file, text: after }, file.text)),
  );
  return undone.every(({ status }) => status === "fulfilled");
}

function writeOf(parts: ConnectionParts): typeof writeConfigFile {
  return parts.write ?? writeConfigFile;
}
