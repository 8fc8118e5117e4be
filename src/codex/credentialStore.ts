/** The tokens of one sign-in with ChatGPT. */
export interface CodexTokens {
  readonly accessToken: string;
  /** Good for one refresh, which brings the next; undefined where the access token is all there is. */
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
  /** Undefined where only the tokens' claims tell. */
  readonly accountId: string | undefined;
  /** When the issuer gave them, in milliseconds since the epoch; undefined where nobody wrote that down. */
  readonly refreshedAt: number | undefined;
}

/**
 * The place that one sign-in is kept in, which other processes may read and write too. All of it rejects with a `SignInError`
 * ("store_failed") where the place is out of order.
 */
export interface CredentialStore {
  /** What is there now, as the last writer left it; undefined for nothing. Asked before every request, so it has to be cheap. */
  read(): Promise<CodexTokens | undefined>;
  /** Resolves when they would survive a crash. */
  write(tokens: CodexTokens): Promise<void>;
  /** Signs out: nothing is there afterwards, and nothing is brought back by itself. */
  clear(): Promise<void>;
  /**
   * Does the work while no other process refreshes. `interrupted` tells that the last one which had the lock died holding it: the
   * issuer may have taken a refresh token whose successor was never stored.
   */
  locked<Result>(work: (interrupted: boolean) => Promise<Result>): Promise<Result>;
}
