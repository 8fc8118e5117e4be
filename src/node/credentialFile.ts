import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { chmod, mkdir, open, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { authFileText, parseAuthFile, tokensOfAuthFile, withoutTokens, withTokens } from "../codex/authFile.ts";
import type { CodexTokens, CredentialStore } from "../codex/credentialStore.ts";
import { SignInError } from "../codex/signInError.ts";
import type { JsonObject } from "../wire/json.ts";
import { LockBusyError, withFileLock } from "./fileLock.ts";

/** A file that a sign-in is kept in, in the shape of Codex's `auth.json`. */
export interface CredentialFileParts {
  readonly path: string;
  /** What is written down as the tokens' origin. */
  readonly issuer: string;
  /**
   * What stays after signing out. "empty": the file without tokens, so that it goes on saying that nobody is signed in. "nothing": as
   * Codex does it, no file, unless an API key is in there too.
   */
  readonly afterSignOut: "empty" | "nothing";
}

/** A store that can tell whether it was ever used. */
export interface CredentialFile extends CredentialStore {
  readonly path: string;
  /** False before the first sign-in; true also after signing out, where the file stays. */
  exists(): Promise<boolean>;
}

/** Timestamps of files are only so fine; a file that was changed this shortly before it was read may have changed since. */
const SETTLED_AFTER_MS = 2_000;
/** Codex before 0.169 writes in place: a file may be seen half written. */
const READ_ATTEMPTS = 3;
const BUSY_ATTEMPTS = 5;
const BUSY_PAUSE_MS = 50;

/**
 * Opens a credentials file, which need not be there. It is for its owner alone (0600), replaced as a whole, and read again when another
 * program has changed it; asking costs one `stat`. Members that are not known here stay.
 */
export function openCredentialFile({ path, issuer, afterSignOut }: CredentialFileParts): CredentialFile {
  let known: { readonly version: string; readonly tokens: CodexTokens | undefined } | undefined;

  async function read(): Promise<CodexTokens | undefined> {
    const facts = factsOf(path);
    if (facts === undefined) return undefined;
    if (known?.version === facts.version) return known.tokens;
    const tokens = tokensOfAuthFile(await readDocument(path));
    const settled = Date.now() - facts.changedMs > SETTLED_AFTER_MS;
    known = settled ? { version: facts.version, tokens } : undefined;
    return tokens;
  }

  return {
    path,
    read,
    async exists() {
      return factsOf(path) !== undefined;
    },
    async write(tokens) {
      await replace(path, withTokens(await readDocument(path), tokens, issuer));
      known = undefined;
    },
    async clear() {
      const document = await readDocument(path);
      const left = withoutTokens(document);
      if (afterSignOut === "empty" || left["auth_mode"] === "apikey") await replace(path, left);
      else await attempt(path, "removed", () => rm(path, { force: true }));
      known = undefined;
    },
    locked: (work) => lockedBeside(path, work),
  };
}

/**
 * A lock for all who keep to it, beside a file. It has a name of its own: Codex leaves an `auth.json.lock` lying about, which it locks by
 * means that Node does not have. Rejects with a `SignInError` where it cannot be had.
 */
export async function lockedBeside<Result>(
  path: string,
  work: (interrupted: boolean) => Promise<Result>,
): Promise<Result> {
  let begun = false;
  try {
    return await withFileLock(`${path}.patchbay-lock`, (interrupted) => {
      begun = true;
      return work(interrupted);
    });
  } catch (error) {
    if (begun) throw error;
    if (error instanceof LockBusyError) {
      throw new SignInError("store_failed", `Another process holds on to ${path}.patchbay-lock: end it first.`);
    }
    throw storeFailed(path, "locked", error);
  }
}

/** Asked for each request that a plan may answer: by way of the thread pool it would cost fifty times as much. */
function factsOf(path: string): { readonly version: string; readonly changedMs: number } | undefined {
  try {
    const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (facts === undefined) return undefined;
    const { mtimeNs, ctimeNs, size, ino } = facts;
    return { version: `${mtimeNs} ${ctimeNs} ${size} ${ino}`, changedMs: Number(mtimeNs / 1_000_000n) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storeFailed(path, "read", error);
  }
}

async function readDocument(path: string): Promise<JsonObject> {
  for (let attempts = 1; ; attempts += 1) {
    let content: string;
    try {
      content = await readFile(path, "utf8");
    } catch (error) {
      if (isMissing(error)) return {};
      throw storeFailed(path, "read", error);
    }
    const last = attempts === READ_ATTEMPTS;
    try {
      if (content.trim() !== "" || last) return parseAuthFile(content);
    } catch {
      if (last) {
        throw new SignInError(
          "store_failed",
          `The credentials in ${path} are damaged: remove the file and sign in again.`,
        );
      }
    }
    await sleep(BUSY_PAUSE_MS);
  }
}

async function replace(path: string, document: JsonObject): Promise<void> {
  await attempt(path, "written", async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // What the link points at is replaced, not the link.
    const target = await realpath(path).catch(() => path);
    const draft = `${target}.${randomUUID()}`;
    try {
      const file = await open(draft, "wx", 0o600);
      try {
        await file.writeFile(authFileText(document));
        await file.sync();
      } finally {
        await file.close();
      }
      await putInPlace(draft, target);
    } finally {
      await rm(draft, { force: true });
    }
  });
}

async function putInPlace(draft: string, target: string): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await rename(draft, target);
    } catch (error) {
      const code = codeOf(error);
      // Virus scanners and indexers hold files open on Windows, for a moment.
      const isHeld = process.platform === "win32" && (code === "EPERM" || code === "EACCES" || code === "EBUSY");
      if (isHeld && attempts < BUSY_ATTEMPTS) {
        await sleep(BUSY_PAUSE_MS * attempts);
        continue;
      }
      if (code !== "EBUSY") throw error;
      // A file that is mounted by itself into a container cannot be replaced, only rewritten.
      await writeFile(target, await readFile(draft), { flush: true });
      return await chmod(target, 0o600);
    }
  }
}

async function attempt<Result>(
  path: string,
  what: "written" | "removed",
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw storeFailed(path, what, error);
  }
}

function storeFailed(path: string, what: "read" | "written" | "removed" | "locked", error: unknown): SignInError {
  const code = codeOf(error);
  return new SignInError(
    "store_failed",
    `The credentials in ${path} cannot be ${what}${typeof code === "string" ? ` (${code})` : ""}: check the permissions of the file and its folder.`,
    { cause: error },
  );
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
