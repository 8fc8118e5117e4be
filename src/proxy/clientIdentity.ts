import type { Exchange } from "./exchange.ts";

const MAX_NAME_CHARACTERS = 64;
const MAX_SESSION_CHARACTERS = 128;

/** Where clients put their session, the most telling first. */
const SESSION_HEADERS = ["session-id", "session_id", "x-session-id", "x-claude-code-session-id", "x-session-affinity"];

/** The program that asks: its `originator`, else the first product of its user agent without the version. */
export function clientName(exchange: Exchange): string | null {
  const name = exchange.header("originator") ?? exchange.header("user-agent")?.split(/[\s/(]/, 1)[0];
  return printable(name, MAX_NAME_CHARACTERS);
}

/** The client's own session id, where it sends one. */
export function clientSession(exchange: Exchange): string | null {
  for (const header of SESSION_HEADERS) {
    const session = printable(exchange.header(header), MAX_SESSION_CHARACTERS);
    if (session !== null) return session;
  }
  return null;
}

/** Codex never gets a 401 of ours: it would rotate the user's ChatGPT refresh token over and over. */
export function isCodex(exchange: Exchange): boolean {
  return (
    exchange.header("originator")?.toLowerCase().startsWith("codex") === true ||
    exchange.header("user-agent")?.toLowerCase().startsWith("codex") === true
  );
}

/**
 * The status that this caller gets where our own keys or limits are the matter. Codex, and whoever else brings a ChatGPT token of its
 * own, would take a 401 for that token's: see `isCodex`. opencode repeats every 429 for a minute and
 * shows nothing meanwhile, so a quota that no wait cures is a 402 to it, which it shows at once.
 */
export function statusForCaller(exchange: Exchange, status: number, curedByWaiting = true): number {
  if (status === 401 && (isCodex(exchange) || bringsToken(exchange))) return 400;
  if (status === 429 && !curedByWaiting && isOpencode(exchange)) return 402;
  return status;
}

function bringsToken(exchange: Exchange): boolean {
  return (exchange.header("chatgpt-account-id") ?? "") !== "";
}

function isOpencode(exchange: Exchange): boolean {
  return exchange.header("user-agent")?.startsWith("opencode/") === true;
}

function printable(value: string | undefined, limit: number): string | null {
  if (value === undefined) return null;
  // Control characters would break terminal tables and log lines.
  const text = value
    .replaceAll(/[^\x20-\x7e]/g, "")
    .trim()
    .slice(0, limit);
  return text === "" ? null : text;
}
