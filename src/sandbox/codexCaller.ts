import { refuseDetail, refuseToken } from "./codexRefusals.ts";
import type { CodexCaller } from "./codexRequestRules.ts";
import type { Exchange } from "./exchange.ts";
import type { SandboxUser } from "./issuerClaims.ts";
import { badRequest, type RefusedError } from "./refusal.ts";

/** Who is signed in. Throws a RefusedError where the token is not one of our issuer, or the account not the token's. */
export async function signedInUser(exchange: Exchange): Promise<SandboxUser> {
  const { request, room, bearer } = exchange;
  // The bearer was looked at where it was taken from, and chance may put these letters into a token.
  const headers = [...request.headers].filter(([name]) => name !== "authorization");
  checkNoLocalKey([request.url, ...headers.map(([, value]) => value)].join("\n"));
  if (bearer === "") throw refuseDetail(401, "Unauthorized");
  const checked = await room.codex.tokens.check(bearer);
  switch (checked.kind) {
    case "foreign":
      throw refuseToken("invalid_token", "Could not parse your authentication token. Please try signing in again.");
    case "expired":
      throw refuseToken("token_expired", "Provided authentication token is expired. Please try signing in again.");
    case "invalidated":
      throw refuseToken(
        "token_invalidated",
        "Your authentication token has been invalidated. Please try signing in again.",
      );
    case "valid":
      break;
  }
  const account = request.headers.get("chatgpt-account-id");
  if (account === null) throw refuseDetail(400, "Missing chatgpt-account-id header", "account_id_missing");
  if (account !== checked.user.accountId)
    throw refuseDetail(403, "The chatgpt-account-id header is not the account of this token", "account_id_foreign");
  return checked.user;
}

/** How a caller that posts presents itself. Throws a RefusedError where the headers are not those of the call. */
export function postingCaller(exchange: Exchange): CodexCaller {
  const { headers } = exchange.request;
  const header = (name: string): string => (headers.get(name) ?? "").toLowerCase();
  if (!header("content-type").startsWith("application/json")) throw refuseDetail(415, "Unsupported content type");
  if (!header("accept").includes("text/event-stream")) throw refuseDetail(406, "Accept must include text/event-stream");
  return {
    // The originators of OpenAI's own: codex_exec, codex_cli_rs, codex-tui, codex_vscode, "Codex Desktop".
    isCodex: header("originator").startsWith("codex"),
    isLite: header("x-openai-internal-codex-responses-lite") === "true",
  };
}

/** A key of the proxy's own must never get here, wherever it stands but in what people wrote. Throws a RefusedError. */
export function checkBodyKeys(body: Readonly<Record<string, unknown>>): void {
  const { input: _input, instructions: _instructions, tools: _tools, ...rest } = body;
  checkNoLocalKey(JSON.stringify(rest));
}

function checkNoLocalKey(text: string): void {
  if (/(?<![A-Za-z0-9])pb_/.test(text) || /pb%5f/i.test(text)) throw leaked();
}

function leaked(): RefusedError {
  return badRequest("A local Patchbay key reached the Codex backend.", null, "local_key_leaked");
}
