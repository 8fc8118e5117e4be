import type { CodexTokens } from "../codex/credentialStore.ts";
import type { OauthIssuer } from "../codex/oauthIssuer.ts";
import { sharedSource } from "./credentialMigration.ts";
import { issuerOf, openCredentialPlace, PLACE_FLAGS } from "./credentialSource.ts";
import { flagsHelp, Misuse, readFlags, refuseArguments } from "./flags.ts";
import { type LoginEffects, systemLoginEffects } from "./loginEffects.ts";
import type { CommandIo } from "./serveCommand.ts";

const LOGOUT_HELP = `Usage: patchbay logout [options]

Ends the sign-in with ChatGPT: at OpenAI, where that can be reached, and here in any case. With --creds-store legacy or keychain
that signs Codex CLI out too.

Options:
${flagsHelp(PLACE_FLAGS)}`;

/** Runs `patchbay logout`. Returns the exit code. Throws `Misuse`, and a `SignInError` where the place of the sign-in is out of order. */
export async function runLogout(
  commandLine: readonly string[],
  io: CommandIo,
  makeEffects: (
    io: CommandIo,
  ) => Pick<LoginEffects, "platform" | "homeDirectory" | "run" | "fetch" | "now" | "close"> = systemLoginEffects,
): Promise<number> {
  const { values, positionals, help } = readFlags(PLACE_FLAGS, commandLine, io.environment);
  if (help) {
    io.stdout(LOGOUT_HELP);
    return 0;
  }
  refuseArguments(positionals);
  const effects = makeEffects(io);
  try {
    const issuer = issuerOf(values, effects);
    const place = openCredentialPlace(values, io.environment, issuer.baseUrl, effects);
    if (place.kind === "env") throw new Misuse("--creds-store env is not signed out of: unset ACCESS_TOKEN.");
    const { store, description } = place;
    // Under the lock, so that no proxy refreshes into the file that is being emptied.
    const told = await store.locked(async () => {
      const tokens = await store.read();
      const shared = await sharedSource(place);
      const revoked = tokens === undefined ? "" : await revoke(issuer, tokens, shared);
      await store.clear();
      return tokens === undefined
        ? "Nobody was signed in.\n"
        : `Signed out: ${description} holds no sign-in any more.\n${revoked}`;
    });
    io.stdout(told);
    return 0;
  } finally {
    await effects.close();
  }
}

/** Returns what there is to say about it, a line or nothing. */
async function revoke(issuer: OauthIssuer, tokens: CodexTokens, shared: string | undefined): Promise<string> {
  if (shared !== undefined) return `It is still good in ${shared}, so it was not ended at OpenAI.\n`;
  try {
    await issuer.revoke(tokens);
    return "";
  } catch (error) {
    return `It could not be ended at OpenAI (${error instanceof Error ? error.message : String(error)}); its tokens run out by themselves.\n`;
  }
}
