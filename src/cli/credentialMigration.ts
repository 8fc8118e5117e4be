import type { CodexTokens } from "../codex/credentialStore.ts";
import type { RefreshingTokenKeeper } from "../codex/tokenKeeper.ts";
import type { Log } from "../ports.ts";
import type { CredentialPlace } from "./credentialSource.ts";

/**
 * Takes over a sign-in of Codex CLI where there is none of our own yet, and refreshes it, so that each program has tokens of its own. An
 * earlier takeover whose refresh did not come about is refreshed now. Whatever fails, the log says so and what credentials there are go
 * on being used; nothing is waited for but the copy. Never rejects.
 */
export async function migrate(
  place: CredentialPlace,
  keeper: RefreshingTokenKeeper,
  log: Log,
  refresh: boolean,
): Promise<void> {
  if (place.forerunners.length === 0) return;
  try {
    const source = (await place.wasUsed()) ? await sharedSource(place) : await copy(place, log);
    if (source === undefined) return;
    if (refresh) void refreshAtOnce(keeper, source, log);
    else {
      log.warn(
        `The sign-in is shared with Codex CLI (${source}): whichever program refreshes it first signs the other out. Run \`patchbay login\` for one of your own.`,
      );
    }
  } catch (error) {
    log.warn("The sign-in of Codex CLI could not be taken over.", { reason: reasonOf(error) });
  }
}

/** Where the sign-in was copied from; undefined where there was none. */
async function copy(
  { store, forerunners, description, wasUsed }: CredentialPlace,
  log: Log,
): Promise<string | undefined> {
  log.debug("No sign-in of Patchbay's own yet; looking for one of Codex CLI.", { file: description });
  for (const forerunner of forerunners) {
    let tokens: CodexTokens | undefined;
    try {
      tokens = await forerunner.read();
    } catch (error) {
      log.warn(`The sign-in in ${forerunner.description} cannot be taken over.`, { reason: reasonOf(error) });
      continue;
    }
    if (tokens === undefined) {
      log.debug(`There is no ChatGPT sign-in in ${forerunner.description}.`);
      continue;
    }
    const copied = tokens;
    await store.locked(async () => {
      if (!(await wasUsed())) await store.write(copied);
    });
    log.info(`The ChatGPT sign-in in ${forerunner.description} was copied to ${description}.`);
    log.info("A ChatGPT plan used outside OpenAI's own clients may be against its terms; `patchbay logout` ends that.");
    return forerunner.description;
  }
  return undefined;
}

/** Where the very same refresh token still is; undefined where our own is another one. */
export async function sharedSource({ store, forerunners }: CredentialPlace): Promise<string | undefined> {
  const own = (await store.read())?.refreshToken;
  if (own === undefined) return undefined;
  for (const { description, read } of forerunners) {
    // Codex's file being out of order is no concern of those who do not need it any more.
    const other = await read().catch(() => undefined);
    if (other?.refreshToken === own) return description;
  }
  return undefined;
}

async function refreshAtOnce(keeper: RefreshingTokenKeeper, source: string, log: Log): Promise<void> {
  log.info("Refreshing the copied sign-in, so that Patchbay has tokens of its own.");
  try {
    await keeper.refreshNow();
    log.warn(
      `Patchbay has tokens of its own now, and those in ${source} can no longer be refreshed: Codex CLI will ask for a new sign-in when they run out.`,
    );
  } catch (error) {
    log.warn("The copied sign-in could not be refreshed; it goes on being used as it is for as long as it is good.", {
      reason: reasonOf(error),
    });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
