import type { Log } from "../ports.ts";
import type { CodexTokens, CredentialStore } from "./credentialStore.ts";

/** New tokens that the store would not take: kept in memory, because the old ones are spent, until it takes them. */
export interface UnsavedTokens {
  /** Stores the successor of these tokens; where that fails, the log says so and it is kept. Never rejects. */
  store(fresh: CodexTokens, former: CodexTokens): Promise<void>;
  /** The tokens to use: what is kept, else what the store holds. Tries to store what is kept, without being waited for. */
  overStored(): Promise<CodexTokens | undefined>;
  /** What to do about it; undefined where everything is stored. */
  readonly notice: string | undefined;
}

/** Makes the memory for one store. */
export function createUnsavedTokens(store: CredentialStore, log: Log): UnsavedTokens {
  let kept: { readonly fresh: CodexTokens; readonly former: CodexTokens } | undefined;
  let trying = false;

  async function save(fresh: CodexTokens, former: CodexTokens): Promise<void> {
    const again = kept !== undefined;
    try {
      await store.write(fresh);
    } catch (error) {
      kept = { fresh, former };
      if (again) return;
      log.error(
        "The refreshed ChatGPT sign-in could not be stored and lives in memory only: if Patchbay ends before it is stored, it is lost.",
        { reason: error instanceof Error ? error.message : String(error) },
      );
      return;
    }
    kept = undefined;
    if (again) log.info("The refreshed ChatGPT sign-in is stored now.");
  }

  /** Under the lock, and only over what it succeeds: whoever signed in meanwhile goes first. */
  async function saveAgain(): Promise<void> {
    trying = true;
    try {
      await store.locked(async () => {
        const stored = await store.read();
        if (kept !== undefined && isSucceeded(stored, kept.former)) await save(kept.fresh, kept.former);
      });
    } catch {
      // Still out of order, as was logged at first; the next request tries again.
    } finally {
      trying = false;
    }
  }

  return {
    async store(fresh, former) {
      await save(fresh, kept?.fresh.accessToken === former.accessToken ? kept.former : former);
    },
    async overStored() {
      let stored: CodexTokens | undefined;
      try {
        stored = await store.read();
      } catch (error) {
        // A disk that fails in writing may fail in reading too.
        if (kept === undefined) throw error;
        return kept.fresh;
      }
      if (kept === undefined) return stored;
      // Somebody signed in or out meanwhile, or refreshed what we hold.
      if (!isSucceeded(stored, kept.former)) {
        kept = undefined;
        return stored;
      }
      if (!trying) void saveAgain();
      return kept.fresh;
    },
    get notice() {
      return kept === undefined
        ? undefined
        : "The refreshed sign-in could not be stored yet: make its place writable before Patchbay ends.";
    },
  };
}

/** Whether the store still holds what was refreshed. */
function isSucceeded(stored: CodexTokens | undefined, former: CodexTokens): boolean {
  return stored?.accessToken === former.accessToken && stored.refreshToken === former.refreshToken;
}
