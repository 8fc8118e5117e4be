import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { CodexTokens, CredentialStore } from "../codex/credentialStore.ts";
import { createOauthIssuer, type OauthIssuer } from "../codex/oauthIssuer.ts";
import { SignInError } from "../codex/signInError.ts";
import { createTokenKeeper, type TokenKeeper } from "../codex/tokenKeeper.ts";
import { configDirectory } from "../node/configDirectory.ts";
import { openCredentialFile } from "../node/credentialFile.ts";
import { openKeychain } from "../node/keychain.ts";
import type { RunProgram } from "../node/runProgram.ts";
import { VERSION } from "../node/version.ts";
import type { Log } from "../ports.ts";
import { migrate } from "./credentialMigration.ts";
import { type Flags, type FlagValues, Misuse } from "./flags.ts";

/** The flags that say where the sign-in with ChatGPT is kept and made. */
export const PLACE_FLAGS = {
  "creds-store": {
    kind: "text",
    value: "STORE",
    help: "auto, xdg, legacy (Codex CLI's own file), keychain (macOS) or env (ACCESS_TOKEN, ACCOUNT_ID); default auto",
  },
  "creds-path": {
    kind: "text",
    value: "FILE",
    alsoNamed: "auth-path",
    help: "the file of the sign-in, in the shape of Codex's auth.json",
  },
  "auth-base-url": { kind: "text", value: "URL", help: "the sign-in server (default https://auth.openai.com)" },
} as const satisfies Flags;

/** Those, and what a running proxy may do with it. */
export const CREDENTIAL_FLAGS = {
  ...PLACE_FLAGS,
  "disable-migrate-refresh": {
    kind: "switch",
    help: "do not refresh a sign-in that was taken over from Codex CLI: both then share it",
  },
  "allow-refresh": { kind: "switch", shownNegated: true, help: "never ask the sign-in server for new tokens" },
} as const satisfies Flags;

/** What was given of them. */
export type CredentialValues = FlagValues<typeof CREDENTIAL_FLAGS>;

type Environment = Readonly<Record<string, string | undefined>>;

/** The effects of reaching for credentials. */
export interface CredentialEffects {
  readonly platform: NodeJS.Platform;
  readonly homeDirectory: string;
  /** Reaches the sign-in server, through the same forward proxies as the upstreams. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly run: RunProgram;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The kinds of `--creds-store`. */
const STORES = ["auto", "xdg", "legacy", "keychain", "env"] as const;

/** An opened place of credentials. */
export interface CredentialPlace {
  readonly kind: (typeof STORES)[number];
  readonly store: CredentialStore;
  /** For messages. */
  readonly description: string;
  /** Where a first use looks for a sign-in of Codex CLI to take over, in this order; empty where nothing is taken over. */
  readonly forerunners: readonly {
    readonly description: string;
    readonly read: () => Promise<CodexTokens | undefined>;
  }[];
  /** Whether this place was ever used, be it to sign out. */
  readonly wasUsed: () => Promise<boolean>;
}

/** Makes the sign-in server of `--auth-base-url`. Throws `Misuse`. */
export function issuerOf(values: CredentialValues, effects: Pick<CredentialEffects, "fetch" | "now">): OauthIssuer {
  const baseUrl = values["auth-base-url"] ?? "https://auth.openai.com";
  try {
    return createOauthIssuer({ baseUrl, fetch: effects.fetch, now: effects.now, userAgent: `patchbay/${VERSION}` });
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    throw new Misuse(`--auth-base-url takes an https URL, or http on this machine, not "${baseUrl}".`);
  }
}

/** Opens the place that the flags name. Throws `Misuse`, and a `SignInError` where there is no such place on this system. */
export function openCredentialPlace(
  values: CredentialValues,
  environment: Environment,
  issuer: string,
  effects: Pick<CredentialEffects, "platform" | "homeDirectory" | "run">,
): CredentialPlace {
  const written = values["creds-store"] ?? "auto";
  const kind = STORES.find((one) => one === written);
  if (kind === undefined) {
    throw new Misuse(`--creds-store takes auto, xdg, legacy, keychain or env, not "${written}".`);
  }
  const chosenPath = values["creds-path"];
  const codexHome = codexHomeOf(environment, effects.homeDirectory);
  const codexFile = join(codexHome, "auth.json");
  const ownFile = chosenPath ?? join(configDirectory({ environment, ...effects }), "auth.json");
  const keychain = () =>
    openKeychain({
      platform: effects.platform,
      run: effects.run,
      codexHome: canonical(codexHome),
      issuer,
      lockPath: join(configDirectory({ environment, ...effects }), "keychain"),
    });
  const alone = { kind, forerunners: [], wasUsed: async () => true };
  switch (kind) {
    case "auto":
    case "xdg": {
      const file = openCredentialFile({ path: ownFile, issuer, afterSignOut: "empty" });
      const place = { ...alone, store: file, description: ownFile, wasUsed: () => file.exists() };
      if (kind === "xdg" || ownFile === codexFile) return place;
      const codex = openCredentialFile({ path: codexFile, issuer, afterSignOut: "nothing" });
      const fromKeychain = { description: "the macOS keychain", read: async () => keychain().read() };
      return {
        ...place,
        forerunners: [
          { description: codexFile, read: () => codex.read() },
          ...(effects.platform === "darwin" ? [fromKeychain] : []),
        ],
      };
    }
    case "legacy": {
      const path = chosenPath ?? codexFile;
      return { ...alone, store: openCredentialFile({ path, issuer, afterSignOut: "nothing" }), description: path };
    }
    case "keychain":
    case "env":
      if (chosenPath !== undefined) throw new Misuse(`--creds-path does not go with --creds-store ${kind}.`);
      return kind === "env"
        ? { ...alone, store: environmentStore(environment), description: "ACCESS_TOKEN in the environment" }
        : { ...alone, store: keychain(), description: "the macOS keychain" };
  }
}

/** Whether the flags make sense, before anything is begun with them. Throws like `openCredentialPlace` and `issuerOf`. */
export function checkCredentials(
  values: CredentialValues,
  environment: Environment,
  effects: Omit<CredentialEffects, "fetch">,
): void {
  const issuer = issuerOf(values, { ...effects, fetch: () => Promise.reject(new TypeError("Nothing is asked yet.")) });
  openCredentialPlace(values, environment, issuer.baseUrl, effects);
}

/**
 * Opens the credentials of a running proxy. With `auto`, a sign-in of Codex CLI is taken over at the first use; its refresh then goes on
 * beside this. Rejects with `Misuse`, and with a `SignInError` where there is no such place on this system.
 */
export async function openCredentials(
  values: CredentialValues,
  environment: Environment,
  log: Log,
  effects: CredentialEffects,
): Promise<TokenKeeper> {
  const issuer = issuerOf(values, effects);
  const place = openCredentialPlace(values, environment, issuer.baseUrl, effects);
  const allowRefresh = values["allow-refresh"] !== false;
  const keeper = createTokenKeeper({ store: place.store, issuer, now: effects.now, log, allowRefresh });
  await migrate(place, keeper, log, allowRefresh && values["disable-migrate-refresh"] !== true);
  return keeper;
}

/** Codex's own folder: `CODEX_HOME`, else `~/.codex`. */
function codexHomeOf(environment: Environment, homeDirectory: string): string {
  const chosen = environment["CODEX_HOME"];
  return chosen !== undefined && chosen !== "" ? chosen : join(homeDirectory, ".codex");
}

function canonical(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function environmentStore(environment: Environment): CredentialStore {
  const given = (name: string): string | undefined => {
    const value = environment[name]?.trim();
    return value === "" ? undefined : value;
  };
  const accessToken = given("ACCESS_TOKEN");
  const readOnly = async () => {
    throw new SignInError("store_failed", "The credentials come from the environment: change ACCESS_TOKEN there.");
  };
  return {
    async read() {
      if (accessToken === undefined) return undefined;
      const accountId = given("ACCOUNT_ID");
      return { accessToken, accountId, refreshToken: undefined, idToken: undefined, refreshedAt: undefined };
    },
    write: readOnly,
    clear: readOnly,
    locked: (work) => work(false),
  };
}
