import type { Log } from "../ports.ts";
import type { CodexTokens, CredentialStore } from "./credentialStore.ts";
import type { OauthIssuer } from "./oauthIssuer.ts";
import { endOfSignIn, notAllowed } from "./refreshRefusal.ts";
import { SIGN_IN_ADVICE } from "./signInAdvice.ts";
import { SignInError } from "./signInError.ts";
import { IssuerRefused } from "./tokenAnswer.ts";
import { accessOf, type CodexAccess, expiryOf } from "./tokenClaims.ts";
import { createUnsavedTokens } from "./unsavedTokens.ts";

export type { CodexAccess };

/** For status displays: who is signed in, if anybody. */
export interface SignInStatus {
  /** "expired": there is a sign-in, but only a new one helps. */
  readonly state: "signed_out" | "signed_in" | "expired";
  readonly email: string | undefined;
  readonly planType: string | undefined;
  readonly accountId: string | undefined;
  /** When the access token ends, in milliseconds since the epoch; it is refreshed before. */
  readonly expiresAt: number | undefined;
  /** What to do about "expired", or about tokens that are good but cannot be refreshed or stored just now. */
  readonly notice: string | undefined;
}

/** Keeps the sign-in usable: hands out access tokens, refreshed first where need be. */
export interface TokenKeeper {
  /** A token that is good for some minutes, refreshed first where need be. Rejects with a `SignInError`. */
  access(): Promise<CodexAccess>;
  /** The upstream refused this one: a newer one, from the store or by one refresh. Rejects with a `SignInError`. */
  renew(rejected: CodexAccess): Promise<CodexAccess>;
  /** Asks nobody but the store. Rejects with a `SignInError` where that cannot be read. */
  status(): Promise<SignInStatus>;
}

/** A keeper that can be told to get new tokens. */
export interface RefreshingTokenKeeper extends TokenKeeper {
  /** Refreshes whatever the age of the tokens. Rejects with a `SignInError`. */
  refreshNow(): Promise<CodexAccess>;
}

/** What a keeper works with. */
export interface TokenKeeperParts {
  readonly store: CredentialStore;
  readonly issuer: OauthIssuer;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Log;
  /** False never asks the issuer for new tokens. */
  readonly allowRefresh: boolean;
}

/** Codex refreshes so long before the end, and requests that begin shortly before it must not fail under way. */
const REFRESH_AHEAD_MS = 5 * 60_000;
/** For access tokens that do not say when they end, as Codex has it. */
const REFRESH_INTERVAL_MS = 8 * 86_400_000;
/**
 * After a refresh ahead of time, the issuer is left alone for so long while the token is good: one that failed would fail again, and an
 * issuer whose tokens are short-lived would be asked before every request.
 */
const REST_MS = 30_000;
/** A token that was renewed because of a refusal and is refused again within this time would be refused renewed as well. */
const RENEW_AGAIN_MS = 60_000;

/**
 * Makes a keeper. Refreshes are made one at a time, here and over all processes that share the store, from what the store holds at
 * that moment; new tokens are stored before they are handed out.
 */
export function createTokenKeeper({ store, issuer, now, log, allowRefresh }: TokenKeeperParts): RefreshingTokenKeeper {
  const unsaved = createUnsavedTokens(store, log);
  /** The end of a sign-in, by the refresh token that it was told for. */
  let ended: { readonly refreshToken: string; readonly error: SignInError } | undefined;
  /** A refresh token that was sent without hearing back: it may be spent. */
  let unanswered: string | undefined;
  let restUntil = 0;
  let renewed: { readonly accessToken: string; readonly at: number } | undefined;
  /** The newest access token that a refresh of our own brought. */
  let refreshed: string | undefined;
  let running: Promise<CodexTokens> | undefined;

  async function current(): Promise<CodexTokens> {
    const tokens = await unsaved.overStored();
    if (tokens !== undefined) return tokens;
    throw new SignInError("signed_out", `Nobody is signed in with ChatGPT: ${SIGN_IN_ADVICE}.`);
  }

  /** Why these tokens cannot be refreshed; undefined where they can. */
  function obstacle(tokens: CodexTokens): SignInError | undefined {
    if (tokens.refreshToken === undefined || !allowRefresh) return notAllowed(tokens.refreshToken !== undefined);
    return ended?.refreshToken === tokens.refreshToken ? ended.error : undefined;
  }

  /** Joins a refresh that runs already. Resolves with tokens whose access token is another than the stale ones'. */
  async function refresh(stale: CodexTokens): Promise<CodexTokens> {
    const joined = running;
    const tokens = await (joined ?? begin(stale));
    // One that was about to end when these tokens were refused brought these very ones.
    return joined === undefined || tokens.accessToken !== stale.accessToken ? tokens : (running ?? begin(stale));
  }

  function begin(stale: CodexTokens): Promise<CodexTokens> {
    running = store
      .locked((interrupted) => refreshLocked(stale, interrupted))
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  async function refreshLocked(stale: CodexTokens, interrupted: boolean): Promise<CodexTokens> {
    let tokens = await current();
    if (tokens.accessToken !== stale.accessToken && !isOver(tokens, now())) return tokens;
    for (;;) {
      const problem = obstacle(tokens);
      if (problem !== undefined) throw problem;
      try {
        return await refreshAndStore(tokens);
      } catch (error) {
        if (!(error instanceof IssuerRefused)) throw error;
        // A program without our lock may have been faster: Codex CLI, where the file is shared.
        const newer = await current();
        if (newer.accessToken !== tokens.accessToken && !isOver(newer, now())) return newer;
        if (newer.refreshToken === tokens.refreshToken) throw remember(error, tokens, interrupted);
        tokens = newer;
      }
    }
  }

  async function refreshAndStore(tokens: CodexTokens): Promise<CodexTokens> {
    let fresh: CodexTokens;
    try {
      fresh = await issuer.refresh(tokens);
    } catch (error) {
      if (error instanceof SignInError && error.problem === "unreachable") unanswered = tokens.refreshToken;
      throw error;
    }
    unanswered = undefined;
    restUntil = now() + REST_MS;
    refreshed = fresh.accessToken;
    await unsaved.store(fresh, tokens);
    log.info("The ChatGPT sign-in was refreshed.", { expires: expiryText(fresh) });
    return fresh;
  }

  function remember(refused: IssuerRefused, tokens: CodexTokens, interrupted: boolean): SignInError {
    const { permanent, error } = endOfSignIn(refused, interrupted || unanswered === tokens.refreshToken);
    if (permanent && tokens.refreshToken !== undefined) {
      ended = { refreshToken: tokens.refreshToken, error };
      log.error(error.message);
    }
    return error;
  }

  return {
    async access() {
      const tokens = await current();
      if (!isDue(tokens, now())) return accessOf(tokens);
      const stillGood = !isOver(tokens, now());
      const problem = obstacle(tokens);
      if (problem !== undefined || (stillGood && now() < restUntil)) {
        if (problem !== undefined && !stillGood) throw problem;
        return accessOf(tokens);
      }
      try {
        return accessOf(await refresh(tokens));
      } catch (error) {
        if (!stillGood) throw error;
        restUntil = now() + REST_MS;
        log.warn("The ChatGPT sign-in could not be refreshed ahead of its end; the present token goes on being used.", {
          reason: error instanceof Error ? error.message : String(error),
          expires: expiryText(tokens),
        });
        return accessOf(tokens);
      }
    },

    async renew(rejected) {
      const tokens = await current();
      if (tokens.accessToken !== rejected.accessToken && !isOver(tokens, now())) return accessOf(tokens);
      const problem = obstacle(tokens);
      if (problem !== undefined) throw problem;
      if (renewed?.accessToken === tokens.accessToken && now() - renewed.at < RENEW_AGAIN_MS) {
        throw new SignInError(
          "expired",
          `The ChatGPT backend refuses even freshly renewed tokens of this sign-in: ${SIGN_IN_ADVICE}.`,
        );
      }
      const fresh = await refresh(tokens);
      if (fresh.accessToken === refreshed) renewed = { accessToken: fresh.accessToken, at: now() };
      return accessOf(fresh);
    },

    async refreshNow() {
      return accessOf(await refresh(await current()));
    },

    async status() {
      const tokens = await unsaved.overStored();
      const nobody = { email: undefined, planType: undefined, accountId: undefined, expiresAt: undefined };
      if (tokens === undefined) return { state: "signed_out", ...nobody, notice: undefined };
      const { email, planType, accountId, expiresAt } = accessOf(tokens);
      const problem = obstacle(tokens);
      const over = isOver(tokens, now());
      // That a good token cannot be refreshed is worth a word where the issuer refused, not where the user wants it so.
      const notice = over || ended?.error === problem ? problem?.message : undefined;
      return {
        state: over && problem !== undefined ? "expired" : "signed_in",
        email,
        planType,
        accountId,
        expiresAt,
        notice: notice ?? unsaved.notice,
      };
    },
  };
}

function isDue(tokens: CodexTokens, now: number): boolean {
  const expiry = expiryOf(tokens.accessToken);
  if (expiry !== undefined) return expiry - REFRESH_AHEAD_MS <= now;
  return tokens.refreshedAt !== undefined && tokens.refreshedAt + REFRESH_INTERVAL_MS <= now;
}

/** A token that does not say when it ends is tried for as long as there is no other. */
function isOver(tokens: CodexTokens, now: number): boolean {
  const expiry = expiryOf(tokens.accessToken);
  return expiry !== undefined && expiry <= now;
}

function expiryText(tokens: CodexTokens): string | undefined {
  const expiry = expiryOf(tokens.accessToken);
  return expiry === undefined ? undefined : new Date(expiry).toISOString();
}
