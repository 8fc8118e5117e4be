import { setTimeout as delay } from "node:timers/promises";
import { type CancellationToken, env, type Progress, ProgressLocation, Uri, window } from "vscode";

import type { CodexTokens } from "../codex/credentialStore.ts";
import type { OauthIssuer } from "../codex/oauthIssuer.ts";
import { SignInError } from "../codex/signInError.ts";
import { windowClient } from "../node/windowClient.ts";
import { offerChanged } from "./credentialHandover.ts";
import { editorWords } from "./editorWords.ts";
import { tokensOfText, tokensText } from "./secretTokens.ts";
import { type SignInWay, signInWays } from "./signInWay.ts";
import { browserIsLocal, sayFailure, type WindowParts } from "./windowParts.ts";

type Report = Progress<{ readonly message?: string }>;

interface Attempt {
  readonly issuer: OauthIssuer;
  readonly keep: (tokens: CodexTokens) => Promise<void>;
  readonly signal: AbortSignal;
  readonly progress: Report;
}

const AUTH_BASE_URL = "https://auth.openai.com";
const TERMS_ACCEPTED = "termsAccepted";
const TERMS =
  "With this sign-in, Patchbay uses your ChatGPT plan outside OpenAI's own clients, which may be against OpenAI's terms. Whether you want that is your decision.";
const WAY_TITLES: Readonly<Record<SignInWay, string>> = {
  browser: "Sign In in the Browser",
  device: "Use a Device Code",
  paste: "Paste the Address",
};

/** Signs in with ChatGPT: says what to know about it first, and offers another way where one fails. */
export async function signInChatgpt(parts: WindowParts): Promise<void> {
  if (!(await areTermsKnown(parts))) return;
  const ways = signInWays({ isLocal: browserIsLocal(parts.context) });
  let [way] = ways;
  while (way !== undefined) {
    const failed = await attemptSignIn(parts, way);
    if (failed === undefined) return;
    const others = ways.filter((one) => one !== way).map((one) => ({ title: WAY_TITLES[one], way: one }));
    way = (await window.showErrorMessage(failed, ...others))?.way;
  }
}

/** Forgets the sign-in, here and at OpenAI. */
export async function signOut(parts: WindowParts): Promise<void> {
  const tokens = tokensOfText(await parts.secrets.get("codex"));
  await parts.secrets.delete("codex");
  await offerCodex(parts);
  parts.watch.refresh();
  void window.showInformationMessage("Signed out of ChatGPT.");
  if (tokens === undefined) return;
  try {
    await (await issuerFor(parts)).revoke(tokens);
  } catch (error) {
    // Here it is forgotten all the same.
    parts.log.warn("OpenAI was not told of the sign-out.", { cause: error instanceof Error ? error.message : "" });
  }
}

async function areTermsKnown({ context }: WindowParts): Promise<boolean> {
  if (context.globalState.get<boolean>(TERMS_ACCEPTED) === true) return true;
  const chosen = await window.showWarningMessage(
    "Use your ChatGPT plan with Patchbay?",
    { modal: true, detail: TERMS },
    "Continue",
  );
  if (chosen === undefined) return false;
  await context.globalState.update(TERMS_ACCEPTED, true);
  return true;
}

/** Resolves with what went wrong, in a sentence; with undefined where somebody is signed in, or gave up. */
async function attemptSignIn(parts: WindowParts, way: SignInWay): Promise<string | undefined> {
  return window.withProgress(
    { location: ProgressLocation.Notification, title: "Sign in with ChatGPT", cancellable: true },
    async (progress, token) => {
      const signal = signalOf(token);
      let signedIn: CodexTokens | undefined;
      try {
        const issuer = await issuerFor(parts);
        const { accessOf } = await import("../codex/tokenClaims.ts");
        const keep = async (tokens: CodexTokens): Promise<void> => {
          // Throws where the tokens name no account.
          accessOf(tokens);
          await parts.secrets.store("codex", tokensText(tokens));
          signedIn = tokens;
        };
        // A request that hangs must not keep Cancel waiting.
        await Promise.race([cancellation(signal), signInBy(way, { issuer, keep, signal, progress })]);
        if (signedIn === undefined) return undefined;
        const { email, planType } = accessOf(signedIn);
        await offerCodex(parts);
        parts.watch.refresh();
        void window.showInformationMessage(
          `Signed in with ChatGPT${email === undefined ? "" : ` as ${email}`} (plan: ${planType ?? "unknown"}).`,
        );
        return undefined;
      } catch (error) {
        if (error instanceof SignInError && error.problem === "cancelled") return undefined;
        return error instanceof Error ? editorWords(error.message) : String(error);
      }
    },
  );
}

function signInBy(way: SignInWay, attempt: Attempt): Promise<void> {
  switch (way) {
    case "browser":
      return throughBrowser(attempt);
    case "device":
      return byDevice(attempt);
    case "paste":
      return byPaste(attempt);
  }
}

async function throughBrowser({ issuer, keep, signal, progress }: Attempt): Promise<void> {
  const { signInOverLoopback } = await import("../node/loopbackSignIn.ts");
  await signInOverLoopback({
    issuer,
    keep,
    signal,
    async show(url) {
      progress.report({ message: "waiting for the browser…" });
      await env.openExternal(Uri.parse(url));
    },
  });
}

async function byDevice({ issuer, keep, signal, progress }: Attempt): Promise<void> {
  const { beginDeviceSignIn } = await import("../codex/deviceSignIn.ts");
  const device = await beginDeviceSignIn(issuer, {
    monotonic: () => performance.now(),
    wait: (milliseconds, stop) => delay(milliseconds, undefined, { signal: stop }).catch(() => undefined),
  });
  progress.report({ message: `enter the code ${device.userCode} at ${device.url}` });
  void window
    .showInformationMessage(
      `Your code is ${device.userCode}. Enter it on the sign-in page; it is good for 15 minutes. Give it to nobody.`,
      "Copy Code and Open Page",
    )
    .then(async (chosen) => {
      if (chosen === undefined) return;
      await env.clipboard.writeText(device.userCode);
      await env.openExternal(Uri.parse(device.url));
    });
  await keep(await device.complete(signal));
}

async function byPaste({ issuer, keep, signal }: Attempt): Promise<void> {
  const { beginBrowserSignIn, CALLBACK_PORTS } = await import("../codex/browserSignIn.ts");
  const attempt = await beginBrowserSignIn(issuer, CALLBACK_PORTS[0]);
  await env.openExternal(Uri.parse(attempt.url));
  let hint =
    "Sign in in the browser. It ends at a page that it cannot show: copy that page's address and paste it here.";
  while (!signal.aborted) {
    const pasted = await window.showInputBox({
      title: "Sign In with ChatGPT",
      prompt: hint,
      placeHolder: "http://localhost:1455/auth/callback?code=…",
      ignoreFocusOut: true,
      password: true,
    });
    if (pasted === undefined) throw new SignInError("cancelled", "The sign-in was cancelled.");
    if (pasted.trim() === "") continue;
    try {
      return await keep(await attempt.completePasted(pasted));
    } catch (error) {
      if (!(error instanceof SignInError && error.problem === "wrong_state")) throw error;
      hint = error.message;
    }
  }
}

/** The sandbox has a sign-in server of its own, which its process names. */
async function issuerFor({ connection, context }: WindowParts): Promise<OauthIssuer> {
  const { createOauthIssuer } = await import("../codex/oauthIssuer.ts");
  if (connection.client === undefined) await connection.start();
  const { client } = connection;
  const told = client === undefined ? undefined : await windowClient(client).settings();
  return createOauthIssuer({
    baseUrl: told?.authBaseUrl ?? AUTH_BASE_URL,
    // The host's own, which goes by the editor's proxy and certificates.
    fetch: (url, init) => fetch(url, init),
    userAgent: `patchbay/${String(context.extension.packageJSON.version)}`,
    now: () => Date.now(),
  });
}

async function offerCodex(parts: WindowParts): Promise<void> {
  const { client } = parts.connection;
  if (client === undefined) return;
  await offerChanged("codex", parts.secrets, windowClient(client)).catch((error: Error) => sayFailure(error.message));
}

function signalOf(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}

function cancellation(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new SignInError("cancelled", "The sign-in was cancelled.")));
  });
}
