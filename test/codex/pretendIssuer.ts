import { createHash } from "node:crypto";
import type { CodexTokens, CredentialStore } from "../../src/codex/credentialStore.ts";

/** A sign-in server with rotation and reuse detection, in memory. */
export interface PretendIssuer {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** A sign-in that came about elsewhere. */
  signIn(lifetimeMs: number, account?: string): CodexTokens;
  /** Agrees to an authorization URL as its user would; returns where the browser is sent. */
  agree(url: string): URL;
  /** Confirms the code of a device. */
  confirm(userCode: string): void;
  /** How many requests came to each path, refreshes and refused refreshes told apart. */
  readonly counts: Record<string, number>;
  readonly bodies: string[];
  /** Answers the next requests to the token endpoint instead; `undefined` entries let one through. */
  readonly failures: ((() => Response | Promise<Response>) | undefined)[];
  /** Runs within each refresh, after the old token is spent. */
  duringRefresh: () => Promise<void>;
  nonceOf: (sent: string | null) => string | undefined;
}

export const BASE_URL = "http://127.0.0.1:9/auth";
const LIFETIME_MS = 10 * 86_400_000;

export function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}

export function createPretendIssuer(now: () => number = Date.now): PretendIssuer {
  const families = new Map<string, { serial: number; revoked: boolean; account: string }>();
  const codes = new Map<string, { challenge: string; redirectUri: string; nonce: string | undefined }>();
  const confirmed = new Set<string>();
  const counts: Record<string, number> = {};
  let issued = 0;

  const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);

  function tokens(family: string, lifetimeMs: number, nonce?: string) {
    const { serial, account } = families.get(family)!;
    issued += 1;
    const exp = Math.floor((now() + lifetimeMs) / 1000);
    const auth = { chatgpt_account_id: account, chatgpt_plan_type: "plus" };
    return {
      id_token: jwt({ email: "user@example.com", exp, nonce, "https://api.openai.com/auth": auth }),
      access_token: jwt({ exp, jti: String(issued), "https://api.openai.com/auth": auth }),
      refresh_token: `rt_${family}_${serial}`,
      token_type: "Bearer",
      expires_in: lifetimeMs / 1000,
    };
  }

  function newFamily(account: string): string {
    const family = `family${families.size + 1}`;
    families.set(family, { serial: 1, revoked: false, account });
    return family;
  }

  const json = (body: object, status = 200): Response => Response.json(body, { status });
  const refused = (status: number, error: object): Response => json({ error }, status);

  async function token(form: URLSearchParams): Promise<Response> {
    if (form.get("grant_type") === "authorization_code") {
      count("exchange");
      const grant = codes.get(form.get("code") ?? "");
      codes.delete(form.get("code") ?? "");
      const challenge = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      if (grant === undefined || grant.challenge !== challenge || grant.redirectUri !== form.get("redirect_uri")) {
        return json({ error: "invalid_grant" }, 400);
      }
      return json(tokens(newFamily("account-1"), LIFETIME_MS, grant.nonce));
    }
    const [, name = "", serial] = /^rt_(\w+)_(\d+)$/.exec(form.get("refresh_token") ?? "") ?? [];
    const family = families.get(name);
    if (family === undefined || family.revoked || Number(serial) !== family.serial) {
      count("refused refresh");
      if (family !== undefined) family.revoked = true;
      return refused(401, { code: "refresh_token_reused", message: `secret ${form.get("refresh_token")}` });
    }
    count("refresh");
    family.serial += 1;
    await issuer.duringRefresh();
    return json(tokens(name, LIFETIME_MS));
  }

  const issuer: PretendIssuer = {
    counts,
    bodies: [],
    failures: [],
    duringRefresh: async () => undefined,
    nonceOf: (sent) => sent ?? undefined,
    signIn(lifetimeMs, account = "account-1") {
      const given = tokens(newFamily(account), lifetimeMs);
      return {
        accessToken: given.access_token,
        refreshToken: given.refresh_token,
        idToken: given.id_token,
        accountId: account,
        refreshedAt: now(),
      };
    },
    agree(written) {
      const query = new URL(written).searchParams;
      const code = `code${codes.size + 1}`;
      const redirectUri = query.get("redirect_uri") ?? "";
      codes.set(code, {
        challenge: query.get("code_challenge") ?? "",
        redirectUri,
        nonce: issuer.nonceOf(query.get("nonce")),
      });
      return new URL(`${redirectUri}?${new URLSearchParams({ code, state: query.get("state") ?? "" }).toString()}`);
    },
    confirm: (userCode) => void confirmed.add(userCode),
    async fetch(url, init) {
      const request = new Request(url, init);
      const path = new URL(url).pathname.replace(/^\/auth/, "");
      const body = await request.text();
      issuer.bodies.push(body);
      switch (path) {
        case "/oauth/token": {
          const failure = issuer.failures.shift();
          return failure === undefined ? token(new URLSearchParams(body)) : failure();
        }
        case "/oauth/revoke":
          count("revoke");
          return json({});
        case "/api/accounts/deviceauth/usercode":
          return json({ device_auth_id: "device", user_code: "ABCD-EFGH", interval: "5" });
        case "/api/accounts/deviceauth/token": {
          count("poll");
          if (!confirmed.has("ABCD-EFGH")) return refused(403, { code: "deviceauth_authorization_pending" });
          const challenge = createHash("sha256").update("device verifier").digest("base64url");
          const redirectUri = `${url.slice(0, url.indexOf("/api/"))}/deviceauth/callback`;
          codes.set("device code", { challenge, redirectUri, nonce: undefined });
          return json({
            authorization_code: "device code",
            code_challenge: challenge,
            code_verifier: "device verifier",
          });
        }
        default:
          return json({}, 404);
      }
    },
  };
  return issuer;
}

/** A store in memory, whose lock is that of one process. */
export function memoryStore(
  initial?: CodexTokens,
): CredentialStore & { tokens: CodexTokens | undefined; broken: boolean | "wholly"; interrupted: boolean } {
  let last: Promise<unknown> = Promise.resolve();
  return {
    tokens: initial,
    broken: false,
    interrupted: false,
    async read() {
      if (this.broken === "wholly") throw new Error("The disk is gone.");
      return this.tokens;
    },
    async write(tokens) {
      if (this.broken !== false) throw new Error("The disk is full.");
      this.tokens = tokens;
    },
    async clear() {
      this.tokens = undefined;
    },
    locked(work) {
      const result = last.then(() => work(this.interrupted));
      last = result.catch(() => undefined);
      return result;
    },
  };
}
