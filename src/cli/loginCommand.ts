import { beginBrowserSignIn, CALLBACK_PORTS } from "../codex/browserSignIn.ts";
import type { CodexTokens } from "../codex/credentialStore.ts";
import { beginDeviceSignIn } from "../codex/deviceSignIn.ts";
import type { OauthIssuer } from "../codex/oauthIssuer.ts";
import { SignInError } from "../codex/signInError.ts";
import { accessOf } from "../codex/tokenClaims.ts";
import { signInOverLoopback } from "../node/loopbackSignIn.ts";
import { issuerOf, openCredentialPlace, PLACE_FLAGS } from "./credentialSource.ts";
import { type Flags, flagsHelp, Misuse, readFlags, refuseArguments } from "./flags.ts";
import { type LoginEffects, systemLoginEffects } from "./loginEffects.ts";
import type { CommandIo } from "./serveCommand.ts";

const LOGIN_FLAGS = {
  device: { kind: "switch", help: "show a code to type in on any device; what is done where no browser can open" },
  paste: { kind: "switch", help: "take the address that the browser ends at by hand; the last resort" },
  browser: { kind: "switch", shownNegated: true, help: "print the sign-in page's address instead of opening it" },
  ...PLACE_FLAGS,
} as const satisfies Flags;

const LOGIN_HELP = `Usage: patchbay login [options]

Signs in with ChatGPT, so that requests can be answered from a ChatGPT plan. A running proxy takes up the sign-in at once.

Options:
${flagsHelp(LOGIN_FLAGS)}`;

const TERMS = `Note: with this sign-in, Patchbay uses your ChatGPT plan outside OpenAI's own clients, which may be against OpenAI's terms.
Whether you want that is your decision; Ctrl-C leaves everything as it is.

`;

const KEYCHAIN_NOTE = `Note: macOS's own tool for the keychain stores no more than about 4,000 characters, and a sign-in with ChatGPT is mostly longer.
This one may therefore fail at its end; --creds-store auto keeps the sign-in in a file that only you can read.

`;

/** The ways to sign in. */
type Way = "browser" | "device" | "paste";

/** Runs `patchbay login`. Returns the exit code: 1 when it was cancelled. Throws `Misuse`, and a `SignInError` where nobody was signed in. */
export async function runLogin(
  commandLine: readonly string[],
  io: CommandIo,
  makeEffects: (io: CommandIo) => LoginEffects = systemLoginEffects,
): Promise<number> {
  const { values, positionals, help } = readFlags(LOGIN_FLAGS, commandLine, io.environment);
  if (help) {
    io.stdout(LOGIN_HELP);
    return 0;
  }
  refuseArguments(positionals);
  if (values.device === true && values.paste === true)
    throw new Misuse("--device and --paste are two ways: choose one.");
  const effects = makeEffects(io);
  const cancelling = new AbortController();
  const forget = io.onInterrupt(() => cancelling.abort());
  try {
    const issuer = issuerOf(values, effects);
    const { kind, store, description } = openCredentialPlace(values, io.environment, issuer.baseUrl, effects);
    if (kind === "env") throw new Misuse("--creds-store env is not signed in to: set ACCESS_TOKEN and ACCOUNT_ID.");
    if (kind === "keychain") io.stdout(KEYCHAIN_NOTE);
    // A damaged file says so before the user goes through a sign-in.
    if ((await store.read()) === undefined) io.stdout(TERMS);
    let signedIn: CodexTokens | undefined;
    const keep = async (tokens: CodexTokens): Promise<void> => {
      accessOf(tokens);
      await store.locked(() => store.write(tokens));
      signedIn = tokens;
    };
    const { signal } = cancelling;
    const opens = values.browser !== false;
    // A request that hangs must not keep Ctrl-C waiting.
    await Promise.race([
      cancellation(signal),
      signIn(wayOf(values, effects), { issuer, io, effects, keep, signal, opens }),
    ]);
    if (signedIn !== undefined) io.stdout(`${whoText(signedIn)} The sign-in is kept in ${description}.\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof SignInError && error.problem === "cancelled")) throw error;
    io.stderr(`${error.message}\n`);
    return 1;
  } finally {
    forget();
    await effects.close();
  }
}

function cancellation(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new SignInError("cancelled", "The sign-in was cancelled.")));
  });
}

interface Attempt {
  readonly issuer: OauthIssuer;
  readonly io: CommandIo;
  readonly effects: LoginEffects;
  readonly keep: (tokens: CodexTokens) => Promise<void>;
  readonly signal: AbortSignal;
  readonly opens: boolean;
}

function wayOf(
  values: { readonly device?: boolean; readonly paste?: boolean; readonly browser?: boolean },
  effects: LoginEffects,
): Way {
  if (values.device === true) return "device";
  if (values.paste === true) return "paste";
  return effects.hasBrowser || values.browser !== undefined ? "browser" : "device";
}

async function signIn(way: Way, attempt: Attempt): Promise<void> {
  switch (way) {
    case "browser":
      return throughBrowser(attempt);
    case "device":
      return byDevice(attempt);
    case "paste":
      return byPaste(attempt);
  }
}

function throughBrowser({ issuer, io, effects, keep, signal, opens }: Attempt): Promise<void> {
  return signInOverLoopback({
    issuer,
    keep,
    signal,
    ports: effects.callbackPorts,
    async show(url) {
      const opened = opens && (await effects.openBrowser(url));
      io.stdout(
        opened
          ? `Your browser opens the sign-in page. Should it not, open it yourself:\n\n  ${url}\n\n`
          : `Open this page in a browser on this machine:\n\n  ${url}\n\nFrom another machine, use \`patchbay login --device\`.\n`,
      );
    },
  });
}

async function byDevice({ issuer, io, effects, keep, signal }: Attempt): Promise<void> {
  const device = await beginDeviceSignIn(issuer, effects);
  io.stdout(
    `Open this page on any device:\n\n  ${device.url}\n\nand type in this code, which is good for 15 minutes:\n\n  ${device.userCode}\n\n`,
  );
  io.stdout("Give the code to nobody: whoever confirms it decides which account is used here.\n");
  await keep(await device.complete(signal));
}

async function byPaste({ issuer, io, effects, keep, signal }: Attempt): Promise<void> {
  const attempt = await beginBrowserSignIn(issuer, CALLBACK_PORTS[0]);
  io.stdout(
    `Open this page in a browser on any machine and sign in:\n\n  ${attempt.url}\n\nThe browser ends at a page that it cannot show. Copy that page's address, and paste it here:\n`,
  );
  for (;;) {
    const pasted = await effects.readLine(signal);
    if (pasted === undefined) throw new SignInError("cancelled", "The sign-in was cancelled.");
    if (pasted.trim() === "") continue;
    try {
      return await keep(await attempt.completePasted(pasted));
    } catch (error) {
      if (!(error instanceof SignInError && error.problem === "wrong_state")) throw error;
      io.stdout(`${error.message}\n`);
    }
  }
}

function whoText(tokens: CodexTokens): string {
  const { email, planType, accountId } = accessOf(tokens);
  return `Signed in as ${email ?? `account ${accountId}`} (plan: ${planType ?? "unknown"}).`;
}
