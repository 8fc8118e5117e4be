import assert from "node:assert/strict";

/** The file of a sign-in, in the shape of Codex's `auth.json`. */
export interface AuthFile {
  readonly auth_mode: string;
  readonly OPENAI_API_KEY: null;
  readonly tokens: {
    readonly id_token: string;
    readonly access_token: string;
    readonly refresh_token: string;
    readonly account_id: string;
  };
  readonly last_refresh: string;
}

/** What the pretend issuer counted. */
export interface IssuerCounts {
  readonly signIns: number;
  readonly refreshes: number;
  readonly reuses: number;
  readonly revocations: number;
}

/** The sandbox's Codex backend and issuer, as tests move them from outside. */
export interface SandboxControls {
  /** Signs in without a browser. The order's fields are those of `POST /sandbox/codex/sign-in`. */
  signIn(order?: object): Promise<AuthFile>;
  /** Ends all access tokens; with `sign_ins` the refresh tokens too. */
  expire(order?: object): Promise<void>;
  counts(): Promise<IssuerCounts>;
}

const DEADLINE_MS = 5_000;

/** The controls of the sandbox at this origin. */
export function sandboxControls(origin: string): SandboxControls {
  async function ask(path: string, order?: object): Promise<unknown> {
    const answer = await fetch(`${origin}/sandbox/codex${path}`, {
      ...(order === undefined ? {} : { method: "POST", body: JSON.stringify(order) }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    assert.equal(answer.status, 200);
    return answer.json();
  }

  return {
    signIn: async (order = {}) => (await ask("/sign-in", order)) as AuthFile,
    async expire(order = {}) {
      await ask("/expire", order);
    },
    counts: async () => (await ask("")) as IssuerCounts,
  };
}
