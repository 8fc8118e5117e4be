import type { CodexTokens, CredentialStore } from "../codex/credentialStore.ts";
import { SignInError } from "../codex/signInError.ts";
import { ApiError } from "../wire/errors.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { type ControlApi, jsonBody } from "./controlApi.ts";
import type { KeyVerdict, VerifyKey } from "./keyVerdict.ts";
import type { ControlTeller } from "./processControl.ts";

/** The upstreams that are reached with a key. */
export type KeyedUpstream = "openai" | "openrouter";

/** What a window hands over: a value replaces, null takes away, what is left out stays. */
export interface OfferedCredentials {
  readonly openai?: string | null;
  readonly openrouter?: string | null;
  readonly codex?: CodexTokens | null;
}

/** Which credentials the process holds. */
export interface HeldCredentials {
  readonly openai: boolean;
  readonly openrouter: boolean;
  readonly codex: boolean;
}

/** Credentials that live in this process's memory only; the windows keep them for good. */
export interface CredentialRoutes {
  keyOf(upstream: KeyedUpstream): string | undefined;
  /** Until a window has handed over what it has, a promise of that; it is kept after `FIRST_OFFER_DEADLINE_MS` at the latest. */
  toCome(): Promise<void> | undefined;
  /** The Codex tokens, stored by way of the attached windows. */
  readonly store: CredentialStore;
  /** Adds the routes below `/credentials`. */
  add(api: ControlApi, teller: ControlTeller): void;
}

/** What the routes work with. */
export interface CredentialRoutesParts {
  readonly verify: VerifyKey;
  readonly randomId: () => string;
  /** Runs something after so many milliseconds; returns what cancels it. */
  readonly later: (delayMs: number, work: () => void) => () => void;
}

/** A window answers in milliseconds, unless its machine has just woken up. */
const STORE_DEADLINE_MS = 10_000;
/** A window looks for its process every 100 ms. Longer than this no agent is kept waiting for what may not come. */
const FIRST_OFFER_DEADLINE_MS = 3_000;
const KEYED: readonly KeyedUpstream[] = ["openai", "openrouter"];

interface Pending {
  readonly id: string;
  readonly codex: CodexTokens | null;
  readonly stored: () => void;
}

/** Makes them, with nothing held. */
export function createCredentialRoutes({ verify, randomId, later }: CredentialRoutesParts): CredentialRoutes {
  const keys = new Map<KeyedUpstream, string>();
  let codex: CodexTokens | undefined;
  let pending: Pending | undefined;
  let teller: ControlTeller | undefined;
  let hasCome: () => void = () => undefined;
  let toCome: Promise<void> | undefined = new Promise((resolve) => {
    hasCome = () => {
      toCome = undefined;
      resolve();
    };
  });
  const stopWaiting = later(FIRST_OFFER_DEADLINE_MS, hasCome);

  function held(): HeldCredentials {
    return { openai: keys.has("openai"), openrouter: keys.has("openrouter"), codex: codex !== undefined };
  }

  /** Resolves when a window has stored the tokens. Rejects with a `SignInError`. */
  function storedByWindow(tokens: CodexTokens | null): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (): void =>
        reject(new SignInError("store_failed", "No window of VS Code stored the refreshed sign-in: open one."));
      if (teller === undefined || teller.visitors() === 0) return failed();
      const id = randomId();
      const cancel = later(STORE_DEADLINE_MS, () => {
        if (pending?.id === id) pending = undefined;
        failed();
      });
      pending = {
        id,
        codex: tokens,
        stored() {
          cancel();
          resolve();
        },
      };
      teller.publish(() => ({ type: "credentials", pending: id }));
    });
  }

  function take(offered: JsonObject): void {
    for (const upstream of KEYED) {
      const key = offered[upstream];
      if (key === null) keys.delete(upstream);
      else if (typeof key === "string" && key !== "") keys.set(upstream, key);
    }
    const tokens = offered["codex"];
    if (tokens === null) codex = undefined;
    else if (tokens !== undefined) {
      const read = tokensOf(tokens);
      // A window that read its store before another one wrote the refreshed tokens there: their refresh token is spent.
      if (codex === undefined || !isOlder(read, codex)) codex = read;
    }
  }

  return {
    keyOf: (upstream) => keys.get(upstream),
    toCome: () => toCome,
    store: {
      read: () => Promise.resolve(codex),
      async write(tokens) {
        await storedByWindow(tokens);
        codex = tokens;
      },
      async clear() {
        await storedByWindow(null);
        codex = undefined;
      },
      locked(work) {
        // A refresh spends the refresh token: without somebody to store the next one, the sign-in would be lost with this process.
        if (teller === undefined || teller.visitors() === 0)
          return Promise.reject(
            new SignInError("expired", "The ChatGPT sign-in is only renewed while a VS Code window is open: open one."),
          );
        return work(false);
      },
    },
    add(api, ownTeller) {
      teller = ownTeller;
      api.get("/credentials", (context) => context.json(held()));
      api.post("/credentials", async (context) => {
        const before = JSON.stringify(held());
        take(await jsonBody(context));
        stopWaiting();
        hasCome();
        if (JSON.stringify(held()) !== before) ownTeller.publishState();
        return context.json(held());
      });
      api.get("/credentials/pending/:id", (context) => {
        if (pending?.id !== context.req.param("id")) throw noSuchPending();
        return context.json({ codex: pending.codex });
      });
      api.post("/credentials/stored", async (context) => {
        const { id } = await jsonBody(context);
        if (pending === undefined || pending.id !== id) throw noSuchPending();
        pending.stored();
        pending = undefined;
        return context.json(held());
      });
      api.post("/credentials/verify", async (context) => {
        const { upstream, key } = await jsonBody(context);
        const known = KEYED.find((one) => one === upstream);
        if (known === undefined || typeof key !== "string")
          throw new ApiError("invalid_request", "Give `upstream` (openai or openrouter) and the `key` to try.");
        return context.json((await verify(known, key)) satisfies KeyVerdict);
      });
    },
  };
}

function noSuchPending(): ApiError {
  return new ApiError("unknown_route", "Nothing is waiting to be stored under this id: another window was faster.");
}

function isOlder(offered: CodexTokens, held: CodexTokens): boolean {
  return (
    offered.accountId === held.accountId &&
    offered.refreshedAt !== undefined &&
    held.refreshedAt !== undefined &&
    offered.refreshedAt < held.refreshedAt
  );
}

function tokensOf(value: unknown): CodexTokens {
  const { accessToken, refreshToken, idToken, accountId, refreshedAt } = isJsonObject(value) ? value : {};
  if (typeof accessToken !== "string" || accessToken === "")
    throw new ApiError("invalid_request", "`codex` needs at least an `accessToken`.");
  return {
    accessToken,
    refreshToken: text(refreshToken),
    idToken: text(idToken),
    accountId: text(accountId),
    refreshedAt: typeof refreshedAt === "number" ? refreshedAt : undefined,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
