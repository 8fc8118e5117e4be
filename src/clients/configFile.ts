import { randomUUID } from "node:crypto";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClientError } from "./clientError.ts";
import { codeOf, fileTrouble } from "./fileTrouble.ts";

/** A configuration file as it is on the disk. */
export interface ConfigFile {
  /** As the client finds it. */
  readonly path: string;
  /** What it is after all symbolic links. */
  readonly target: string;
  /** Without the byte order mark; undefined where there is no file. */
  readonly text: string | undefined;
  readonly hasByteOrderMark: boolean;
  readonly facts: FileFacts | undefined;
}

interface FileFacts {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const BYTE_ORDER_MARK = "\ufeff";
const MAX_BYTES = 16 * 1024 * 1024;
const MOST_LINKS = 40;
const PERMISSIONS = 0o7777;
const WRITABLE = 0o222;
const HELD_ATTEMPTS = 5;
const HELD_PAUSE_MS = 50;
const DRAFT_PREFIX = ".patchbay-";
const DRAFT_NAME = /^\.patchbay-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
/** Writing takes no second: an older draft belongs to a process that was killed. */
const OLD_DRAFT_MS = 60_000;

/** Reads a file, which need not be there. Rejects with a `ClientError` where it is none, is not UTF-8, is huge or cannot be read. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const target = await targetOf(path);
  let bytes: Uint8Array;
  let facts: FileFacts;
  try {
    const { mode, uid, gid, size } = await stat(target);
    if (size > MAX_BYTES) throw new ClientError(`${path} is too long for a configuration file: look at what it is.`);
    facts = { mode: mode & PERMISSIONS, uid, gid };
    bytes = await readFile(target);
  } catch (error) {
    if (error instanceof ClientError) throw error;
    if (codeOf(error) === "ENOENT") {
      return { path, target, text: undefined, hasByteOrderMark: false, facts: undefined };
    }
    throw fileTrouble(path, "read", error);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new ClientError(`${path} is not written in UTF-8: save it in that encoding first.`, { cause: error });
  }
  const hasByteOrderMark = text.startsWith(BYTE_ORDER_MARK);
  return { path, target, text: hasByteOrderMark ? text.slice(1) : text, hasByteOrderMark, facts };
}

/**
 * Replaces a file as a whole, or removes it (undefined): whoever reads it sees the old text or the new one. Mode, owner, links and the
 * byte order mark stay. Rejects with a `ClientError`, the file being as it was, where it was changed since it was read, is read-only, or
 * cannot be written.
 */
export async function writeConfigFile(file: ConfigFile, text: string | undefined): Promise<void> {
  const { path, target, facts } = file;
  if (facts !== undefined && (facts.mode & WRITABLE) === 0) {
    throw new ClientError(`${path} is read-only: whatever made it so is the place to change it.`);
  }
  const folder = dirname(target);
  await removeOldDrafts(folder);
  const draft = join(folder, `${DRAFT_PREFIX}${randomUUID()}`);
  try {
    if (text === undefined) {
      await assertUnchanged(file);
      return await rm(target, { force: true });
    }
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(file.hasByteOrderMark ? BYTE_ORDER_MARK + text : text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (facts !== undefined) await takeOver(draft, facts);
    await assertUnchanged(file);
    await putInPlace(draft, target);
    await syncFolder(folder);
  } catch (error) {
    throw error instanceof ClientError ? error : fileTrouble(path, "written", error);
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

/** Makes a folder with those around it. Returns the outermost one that it made; undefined where it was there. */
export async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return await makeFolders(path);
  } catch (error) {
    throw fileTrouble(path, "made", error);
  }
}

/** One by one: where a folder takes no others (`/proc`), Node's own recursion has no end. */
async function makeFolders(path: string): Promise<string | undefined> {
  try {
    return await makeOneFolder(path);
  } catch (error) {
    const parent = dirname(path);
    if (codeOf(error) !== "ENOENT" || parent === path) throw error;
    const outermost = await makeFolders(parent);
    const own = await makeOneFolder(path);
    return outermost ?? own;
  }
}

/** Undefined where there is one. */
async function makeOneFolder(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: 0o700 });
    return path;
  } catch (error) {
    if (codeOf(error) === "EEXIST" && (await stat(path)).isDirectory()) return undefined;
    throw error;
  }
}

/** Removes the folders from `inner` up to `outer`, as far as they are empty. */
export async function removeEmptyFolders(inner: string, outer: string): Promise<void> {
  for (let folder = inner; folder.startsWith(outer); folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      return;
    }
  }
}

async function removeOldDrafts(folder: string): Promise<void> {
  try {
    const drafts = (await readdir(folder)).filter((name) => DRAFT_NAME.test(name));
    for (const path of drafts.map((name) => join(folder, name))) {
      if ((await stat(path)).mtimeMs < Date.now() - OLD_DRAFT_MS) await rm(path, { force: true });
    }
  } catch {
    // Whoever writes there next tries again.
  }
}

/** Where a path leads, also where there is nothing at its end yet. */
async function targetOf(path: string): Promise<string> {
  let target = resolve(path);
  for (let links = 0; links < MOST_LINKS; links += 1) {
    let facts;
    try {
      facts = await lstat(target);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return target;
      throw fileTrouble(path, "read", error);
    }
    if (facts.isFile()) return target;
    if (!facts.isSymbolicLink()) throw new ClientError(`${path} is no file: look at what it is.`);
    target = resolve(dirname(target), await readlink(target));
  }
  throw new ClientError(`${path} is a link that leads in a circle: remove it.`);
}

/** As root the owner can be kept; anybody else owns what they may replace, or cannot give it away. */
async function takeOver(draft: string, { mode, uid, gid }: FileFacts): Promise<void> {
  const own = await stat(draft);
  if (own.uid !== uid || own.gid !== gid) await chown(draft, uid, gid).catch(() => undefined);
  await chmod(draft, mode);
}

async function assertUnchanged(file: ConfigFile): Promise<void> {
  const now = await readConfigFile(file.path);
  if (now.target === file.target && now.text === file.text && now.hasByteOrderMark === file.hasByteOrderMark) return;
  throw new ClientError(`${file.path} was changed by another program just now: look at it, and try again.`);
}

async function putInPlace(draft: string, target: string): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await rename(draft, target);
    } catch (error) {
      // Virus scanners and indexers hold files open on Windows, for a moment.
      const isHeld = process.platform === "win32" && ["EPERM", "EACCES", "EBUSY"].includes(codeOf(error));
      if (!isHeld || attempts >= HELD_ATTEMPTS) throw error;
      await sleep(HELD_PAUSE_MS * attempts);
    }
  }
}

/** So that the new name outlives a crash; some file systems do not offer it. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // The file itself is safe.
  }
}
