/** Why there is no token to be had, or a sign-in did not come about. */
export type SignInProblem =
  /** Nobody is signed in. */
  | "signed_out"
  /** The sign-in has ended or may not be refreshed: only a new one helps. */
  | "expired"
  /** The issuer cannot be reached or has a failure of its own: later it may answer. */
  | "unreachable"
  /** The user or the workspace said no. */
  | "denied"
  /** Somebody broke the sign-in off. */
  | "cancelled"
  /** Nobody confirmed in time. */
  | "timed_out"
  /** What came back belongs to another attempt. */
  | "wrong_state"
  /** An answer that cannot be understood, or a step that the issuer refused. */
  | "failed"
  /** The place of the credentials cannot be read, written or locked. */
  | "store_failed";

/** A sign-in that cannot be used or made. The message is one sentence for the user, without any secret. */
export class SignInError extends Error {
  readonly problem: SignInProblem;

  constructor(problem: SignInProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SignInError";
    this.problem = problem;
  }
}
