import { type BrowserSignIn, beginBrowserSignIn, CALLBACK_PATH, CALLBACK_PORTS } from "../codex/browserSignIn.ts";
import type { CodexTokens } from "../codex/credentialStore.ts";
import type { OauthIssuer } from "../codex/oauthIssuer.ts";
import { SignInError } from "../codex/signInError.ts";
import { type CallbackAnswer, startCallbackServer } from "./callbackServer.ts";
import { ListenError } from "./listenOn.ts";

/** How a sign-in through a browser on this machine is made. */
export interface LoopbackSignInParts {
  readonly issuer: OauthIssuer;
  /** Puts the sign-in page before the user. */
  readonly show: (url: string) => Promise<void>;
  /** Stores the tokens, before the browser is told that all went well. */
  readonly keep: (tokens: CodexTokens) => Promise<void>;
  readonly signal: AbortSignal;
  /** Default: those that are registered with OpenAI. */
  readonly ports?: readonly number[];
}

const WAIT_MS = 15 * 60_000;

const NOT_FOUND: CallbackAnswer = { status: 404, title: "Not found", text: "There is nothing here." };

/** Signs in through a browser that comes back to a port of this machine. Rejects with a `SignInError`. */
export async function signInOverLoopback({
  issuer,
  show,
  keep,
  signal,
  ports = CALLBACK_PORTS,
}: LoopbackSignInParts): Promise<void> {
  const outcome = Promise.withResolvers<undefined>();
  // Taken note of below, perhaps only after it has failed.
  outcome.promise.catch(() => undefined);
  let attempt: BrowserSignIn | undefined;
  // Browsers ask twice: when they look ahead, when the page is reloaded. The code is good once.
  const answers = new Map<string, Promise<CallbackAnswer>>();

  async function take(parameters: URLSearchParams): Promise<CallbackAnswer> {
    if (attempt === undefined) return NOT_FOUND;
    try {
      await keep(await attempt.complete(parameters));
    } catch (error) {
      const message =
        error instanceof SignInError ? error.message : "The sign-in failed: see the program that you began it in.";
      // Any page can have the browser ask, as often and for as much as it likes: of that nothing is kept.
      if (error instanceof SignInError && error.problem === "wrong_state") answers.delete(parameters.toString());
      else outcome.reject(error);
      return { status: 400, title: "Not signed in", text: message };
    }
    outcome.resolve(undefined);
    return { status: 200, title: "Signed in", text: "Patchbay is signed in with ChatGPT. You can close this page." };
  }

  async function answer(path: string, parameters: URLSearchParams): Promise<CallbackAnswer> {
    switch (path) {
      case CALLBACK_PATH: {
        const key = parameters.toString();
        const answered = answers.get(key) ?? take(parameters);
        answers.set(key, answered);
        return answered;
      }
      case "/cancel":
        outcome.reject(
          new SignInError("cancelled", "Another program's sign-in took over: start this one again after it."),
        );
        return { status: 200, title: "Cancelled", text: "The sign-in was cancelled." };
      default:
        return NOT_FOUND;
    }
  }

  const server = await startCallbackServer({ ports, answer }).catch((error: unknown) => {
    if (!(error instanceof ListenError)) throw error;
    throw new SignInError(
      "failed",
      `The browser has no port to come back to (${ports.join(" or ")}): end the other sign-in, or use a device code (\`patchbay login --device\`).`,
      { cause: error },
    );
  });
  const cancelled = (): void => outcome.reject(new SignInError("cancelled", "The sign-in was cancelled."));
  const timer = setTimeout(
    () => outcome.reject(new SignInError("timed_out", "Nobody signed in within 15 minutes: start again.")),
    WAIT_MS,
  );
  try {
    signal.addEventListener("abort", cancelled);
    if (signal.aborted) cancelled();
    attempt = await beginBrowserSignIn(issuer, server.port);
    await show(attempt.url);
    await outcome.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancelled);
    await server.close();
  }
}
