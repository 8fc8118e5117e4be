import { hash } from "node:crypto";
import { parseAuthFile, tokensOfAuthFile, withoutTokens, withTokens } from "../codex/authFile.ts";
import type { CodexTokens, CredentialStore } from "../codex/credentialStore.ts";
import { SignInError } from "../codex/signInError.ts";
import type { JsonObject } from "../wire/json.ts";
import { lockedBeside } from "./credentialFile.ts";
import type { RunProgram } from "./runProgram.ts";

/** The macOS keychain, by its command line tool. */
export interface KeychainParts {
  readonly platform: NodeJS.Platform;
  readonly run: RunProgram;
  /** Codex's own folder, with all links followed: the entry is named after it. */
  readonly codexHome: string;
  /** What is written down as the tokens' origin. */
  readonly issuer: string;
  /** Beside which path to lock. */
  readonly lockPath: string;
}

const SECURITY = "/usr/bin/security";
const SERVICE = "Codex Auth";
/** errSecItemNotFound as an exit code. */
const NOT_FOUND = 44;
/** `security -i` cuts longer lines, stores what it has got, and runs the rest as another command. The line end counts. */
const LONGEST_LINE_BYTES = 4095;
/** Asking the tool takes tens of milliseconds, too long for every request. Whoever refreshes asks anew. */
const KNOWN_FOR_MS = 10_000;
/** The tokens of a refresh are about as long as those before, but not to the byte. */
const SPARE_BYTES = 128;

/** The entry that Codex itself uses with `cli_auth_credentials_store = "keyring"`. Throws a `SignInError` elsewhere than on macOS. */
export function openKeychain({ platform, run, codexHome, issuer, lockPath }: KeychainParts): CredentialStore {
  if (platform !== "darwin") {
    throw new SignInError("store_failed", "--creds-store keychain works on macOS only: use --creds-store auto here.");
  }
  const account = keychainAccount(codexHome);
  let known: { readonly tokens: CodexTokens | undefined; readonly until: number } | undefined;

  async function readDocument(): Promise<JsonObject> {
    const { code, stdout } = await called(["find-generic-password", "-s", SERVICE, "-a", account, "-w"], "");
    if (code === NOT_FOUND) return {};
    if (code !== 0) {
      throw new SignInError(
        "store_failed",
        "The keychain did not give the sign-in: unlock it and allow the access when macOS asks.",
      );
    }
    try {
      return parseAuthFile(stdout);
    } catch {
      throw new SignInError(
        "store_failed",
        `The entry "${SERVICE}" in the keychain is damaged: remove it in Keychain Access and sign in again.`,
      );
    }
  }

  async function store(document: JsonObject): Promise<void> {
    // On standard input: everybody can list the arguments of a running program. What the tool says is dropped, for it quotes its input.
    const { code } = await called(["-i"], lineFor(account, document));
    const kept = code === 0 ? await readDocument() : {};
    if (JSON.stringify(kept) !== JSON.stringify(document)) {
      throw new SignInError("store_failed", "The keychain did not take the sign-in: unlock it first.");
    }
  }

  async function called(words: readonly string[], input: string) {
    try {
      return await run(SECURITY, words, input);
    } catch {
      throw new SignInError("store_failed", `${SECURITY} cannot be run: use --creds-store auto.`);
    }
  }

  return {
    async read() {
      if (known === undefined || performance.now() > known.until) {
        known = { tokens: tokensOfAuthFile(await readDocument()), until: performance.now() + KNOWN_FOR_MS };
      }
      return known.tokens;
    },
    async write(tokens: CodexTokens) {
      const document = JSON.parse(JSON.stringify(withTokens(await readDocument(), tokens, issuer))) as JsonObject;
      assertFits(account, document, 0);
      known = undefined;
      await store(document);
    },
    async clear() {
      known = undefined;
      const left = withoutTokens(await readDocument());
      if (left["auth_mode"] === "apikey") return store(left);
      const { code } = await called(["delete-generic-password", "-s", SERVICE, "-a", account], "");
      if (code !== 0 && code !== NOT_FOUND) {
        throw new SignInError("store_failed", "The keychain did not remove the sign-in: unlock it first.");
      }
    },
    locked: (work) =>
      lockedBeside(lockPath, async (interrupted) => {
        known = undefined;
        // Before a refresh token is spent whose successor could not be stored.
        assertFits(account, await readDocument(), SPARE_BYTES);
        return work(interrupted);
      }),
  };
}

/** The account that Codex names its entry by. */
export function keychainAccount(codexHome: string): string {
  return `cli|${hash("sha256", codexHome, "hex").slice(0, 16)}`;
}

function lineFor(account: string, document: JsonObject): string {
  const secret = JSON.stringify(document).replaceAll(/["\\]/g, String.raw`\$&`);
  return `add-generic-password -U -s "${SERVICE}" -a "${account}" -w "${secret}"\n`;
}

function assertFits(account: string, document: JsonObject, spareBytes: number): void {
  if (Buffer.byteLength(lineFor(account, document)) + spareBytes <= LONGEST_LINE_BYTES) return;
  throw new SignInError(
    "store_failed",
    "The sign-in is longer than /usr/bin/security can store, so it can be read from the keychain but not written: let Codex CLI refresh it, or use --creds-store auto.",
  );
}
