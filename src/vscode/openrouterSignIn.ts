import { type Disposable, env, ProgressLocation, type Uri, Uri as UriMaker, window } from "vscode";

import { beginOpenRouterSignIn, newState, type OpenRouterAttempt } from "./openrouterFlow.ts";
import { keepUpstreamKey } from "./upstreamKeys.ts";
import { browserIsLocal, type WindowParts } from "./windowParts.ts";

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
  const key = await window.withProgress(
    {
      location: ProgressLocation.Notification,
      title: "Sign in with OpenRouter: waiting for the browser…",
      cancellable: true,
    },
    (_progress, token) => {
      const stopping = new AbortController();
      token.onCancellationRequested(() => stopping.abort());
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(WAIT_MS)]);
      return browserIsLocal(parts.context)
        ? keyOverLoopback(signal)
        : keyOverUri(parts.context.extension.id, callbacks, signal);
    },
  );
  if (key !== undefined) await keepUpstreamKey(parts, "openrouter", key);
}

/** The browser comes back to a port of this machine; OpenRouter takes any. */
async function keyOverLoopback(signal: AbortSignal): Promise<string | undefined> {
  const { startCallbackServer } = await import("../node/callbackServer.ts");
  const state = newState();
  const came = Promise.withResolvers<string | undefined>();
  signal.addEventListener("abort", () => came.resolve(undefined), { once: true });
  let attempt: OpenRouterAttempt | undefined;
  const server = await startCallbackServer({
    ports: [0],
    async answer(path, parameters) {
      if (path !== CALLBACK_PATH || attempt === undefined || parameters.get("state") !== state)
        return { status: 404, title: "Not found", text: "There is nothing here." };
      try {
        came.resolve(await attempt.complete(parameters));
        return { status: 200, title: "Signed in", text: "Patchbay has its key. You can close this page." };
      } catch (error) {
        came.reject(error);
        return { status: 400, title: "Not signed in", text: error instanceof Error ? error.message : "It failed." };
      }
    },
  });
  try {
    attempt = attemptWith(`http://localhost:${server.port}${CALLBACK_PATH}?state=${state}`, state);
    await env.openExternal(UriMaker.parse(attempt.url));
    return await came.promise;
  } finally {
    await server.close();
  }
}

/** The browser is on another machine than we are: it comes back through the editor. */
async function keyOverUri(
  extensionId: string,
  callbacks: CallbackUris,
  signal: AbortSignal,
): Promise<string | undefined> {
  const state = newState();
  const callback = await env.asExternalUri(
    UriMaker.parse(`${env.uriScheme}://${extensionId}${CALLBACK_PATH}?state=${state}`),
  );
  const attempt = attemptWith(callback.toString(true), state);
  const coming = callbacks.next(state, signal);
  await env.openExternal(UriMaker.parse(attempt.url));
  const parameters = await coming;
  return parameters === undefined ? undefined : attempt.complete(parameters);
}

function attemptWith(callbackUrl: string, state: string): OpenRouterAttempt {
  return beginOpenRouterSignIn({ fetch: (url, init) => fetch(url, init), callbackUrl, state });
}
