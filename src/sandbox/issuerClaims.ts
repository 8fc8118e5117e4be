/** Who signs in to the pretend ChatGPT. */
export interface SandboxUser {
  readonly accountId: string;
  readonly userId: string;
  readonly email: string;
  readonly planType: string;
}

/** The only client that may ask for tokens: the one of Codex and of all that speak to its backend. */
export const CODEX_CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann";

/** The user that the consent page signs in. */
export const SANDBOX_USER: SandboxUser = {
  accountId: "acc_patchbay_sandbox",
  userId: "user-patchbay-sandbox",
  email: "sandbox@patchbay.invalid",
  planType: "plus",
};

/** What one pair of tokens has in common. Times are seconds since the epoch. */
export interface TokenFacts {
  readonly user: SandboxUser;
  readonly issuer: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly scope: string;
  readonly tokenId: string;
  readonly familyId: string;
}

/** The claims of an id token, as Codex reads them. */
export function idClaims(facts: TokenFacts): Record<string, unknown> {
  const { user } = facts;
  return {
    ...commonClaims(facts),
    aud: [CODEX_CLIENT_ID],
    email: user.email,
    email_verified: true,
    auth_provider: "sandbox",
    [AUTH_CLAIM]: {
      ...authClaim(user),
      organizations: [{ id: "org-patchbay-sandbox", is_default: true, role: "owner", title: "Personal" }],
    },
  };
}

/** The claims of an access token. */
export function accessClaims(facts: TokenFacts): Record<string, unknown> {
  const { user } = facts;
  return {
    ...commonClaims(facts),
    aud: ["https://api.openai.com/v1"],
    client_id: CODEX_CLIENT_ID,
    jti: facts.tokenId,
    session_id: facts.familyId,
    scp: facts.scope.split(" "),
    "https://api.openai.com/profile": { email: user.email, email_verified: true },
    [AUTH_CLAIM]: authClaim(user),
  };
}

const AUTH_CLAIM = "https://api.openai.com/auth";

function commonClaims(facts: TokenFacts): Record<string, unknown> {
  return { iss: facts.issuer, sub: `sandbox|${facts.user.userId}`, iat: facts.issuedAt, exp: facts.expiresAt };
}

function authClaim(user: SandboxUser): Record<string, unknown> {
  return {
    chatgpt_account_id: user.accountId,
    chatgpt_plan_type: user.planType,
    chatgpt_user_id: user.userId,
    user_id: user.userId,
    chatgpt_compute_residency: "no_constraint",
  };
}
