import { createHash } from "node:crypto";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { CODEX_CLIENT_ID } from "../../src/sandbox/issuerClaims.ts";
import { json } from "./pretend.ts";

const ISSUER = "http://sandbox/auth";

/** A PKCE verifier of 43 characters, and its challenge. */
export const VERIFIER = "v".repeat(43);

/** What `codex login` asks for, but for its random parts. */
export function authorization(changes: Record<string, string | undefined> = {}): URLSearchParams {
  const query = {
    response_type: "code",
    client_id: CODEX_CLIENT_ID,
    redirect_uri: "http://localhost:1455/auth/callback",
    code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
    code_challenge_method: "S256",
    state: "state-of-this-test",
    scope: "openid profile email offline_access",
    id_token_add_organizations: "true",
    codex_cli_simplified_flow: "true",
    originator: "codex_cli_rs",
    ...changes,
  };
  return new URLSearchParams(Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined));
}

/** Opens the page of the sign-in. */
export async function authorize(sandbox: Sandbox, query: URLSearchParams): Promise<Response> {
  return await sandbox.fetch(`${ISSUER}/oauth/authorize?${query.toString()}`);
}

/** Sends a form to the issuer. */
export async function postForm(sandbox: Sandbox, path: string, fields: Record<string, string>): Promise<Response> {
  return await sandbox.fetch(ISSUER + path, { method: "POST", body: new URLSearchParams(fields) });
}

/** Sends JSON to the issuer. */
export async function postJson(sandbox: Sandbox, path: string, body: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return await sandbox.fetch(ISSUER + path, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** A code that is good once. */
export async function freshCode(sandbox: Sandbox): Promise<string> {
  const answer = await authorize(sandbox, authorization({ sandbox_auto: "1" }));
  return new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? "";
}

/** The form that exchanges a code. */
export function exchangeForm(code: string, changes: Record<string, string> = {}): Record<string, string> {
  return {
    grant_type: "authorization_code",
    client_id: CODEX_CLIENT_ID,
    code,
    redirect_uri: "http://localhost:1455/auth/callback",
    code_verifier: VERIFIER,
    ...changes,
  };
}

/** The fields that renew. */
export function refreshFields(refreshToken: string): Record<string, string> {
  return { grant_type: "refresh_token", client_id: CODEX_CLIENT_ID, refresh_token: refreshToken };
}

/** The claims of a token. */
export function claimsOf(token: string): ReturnType<typeof JSON.parse> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
}

/** What `/sandbox/codex` counts. */
export async function countsOf(sandbox: Sandbox): Promise<Record<string, number>> {
  return await json(await sandbox.fetch("http://sandbox/sandbox/codex"));
}
