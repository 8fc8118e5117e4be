import { type Disposable, env, ProgressLocation, type Uri, Uri as UriMaker, window } from "vscode";

import { beginOpenRouterSignIn, newState } from "./openrouterFlow.ts";
import { keepUpstreamKey } from "./upstreamKeys.ts";
import type { WindowParts } from "./windowParts.ts";

/** The path of our address that OpenRouter sends the browser back to. */
const CALLBACK_PATH = "/openrouter";
const WAIT_MS = 10 * 60_000;

/** Takes what browsers come back with. An extension can have one of these in its life. */
export interface CallbackUris extends Disposable {
  /** The query of the callback that carries this state; undefined where the signal aborts first. */
  next(state: string, signal: AbortSignal): Promise<URLSearchParams | undefined>;
}

/** Registers it. */
export function createCallbackUris(): CallbackUris {
  const waiting = new Map<string, (parameters: URLSearchParams) => void>();
  const registration = window.registerUriHandler({
    handleUri(uri: Uri) {
      const parameters = new URLSearchParams(uri.query);
      // Callbacks of other attempts, or of nobody, are passed over.
      if (uri.path === CALLBACK_PATH) waiting.get(parameters.get("state") ?? "")?.(parameters);
    },
  });
  return {
    next: (state, signal) =>
      new Promise((resolve) => {
        const done = (parameters: URLSearchParams | undefined): void => {
          waiting.delete(state);
          resolve(parameters);
        };
        waiting.set(state, done);
        signal.addEventListener("abort", () => done(undefined), { once: true });
      }),
    dispose: () => void registration.dispose(),
  };
}

/** Gets a key from OpenRouter through the browser, and keeps it as if it had been entered. */
export async function signInOpenrouter(parts: WindowParts, callbacks: CallbackUris): Promise<void> {
  const state = newState();
  const { uriScheme } = env;
  // In a remote window this becomes an address that finds its way back to it.
  const callback = await env.asExternalUri(
    UriMaker.parse(`${uriScheme}://${parts.context.extension.id}${CALLBACK_PATH}?state=${state}`),
  );
  const attempt = beginOpenRouterSignIn({
    fetch: (url, init) => fetch(url, init),
    callbackUrl: callback.toString(true),
    state,
  });
  const key = await window.withProgress(
    { location: ProgressLocation.Notification, title: "Sign in with OpenRouter: waiting for the browser…", cancellable: true },
    async (_progress, token) => {
      const stopping = new AbortController();
      token.onCancellationRequested(() => stopping.abort());
      await env.openExternal(UriMaker.parse(attempt.url));
      const parameters = await callbacks.next(state, AbortSignal.any([stopping.signal, AbortSignal.timeout(WAIT_MS)]));
      return parameters === undefined ? undefined : attempt.complete(parameters);
    },
  );
  if (key !== undefined) await keepUpstreamKey(parts, "openrouter", key);
}
