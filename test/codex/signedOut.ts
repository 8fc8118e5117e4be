import { SignInError } from "../../src/codex/signInError.ts";
import type { TokenKeeper } from "../../src/codex/tokenKeeper.ts";

const nobody = (): Promise<never> => Promise.reject(new SignInError("signed_out", "Nobody is signed in."));

/** The keeper of a proxy that nobody has signed in at. */
export const signedOut: TokenKeeper = {
  access: nobody,
  renew: nobody,
  status: async () => ({
    state: "signed_out",
    email: undefined,
    planType: undefined,
    accountId: undefined,
    expiresAt: undefined,
    notice: undefined,
  }),
};
