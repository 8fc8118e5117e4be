import type { Conversation, Conversations } from "../codex/conversations.ts";
import type { Call } from "./call.ts";
import { clientSession } from "./clientIdentity.ts";
import type { Digest, LocalKey } from "./localKey.ts";

/** What in a request tells which conversation it belongs to. */
export interface SessionHints {
  readonly user: string | undefined;
  readonly promptCacheKey: string | undefined;
  /** The first items up to the first user message: they stay the same in every request of a conversation. */
  readonly opening: string;
}

/** A request's place in its conversation. */
export interface CodexSession {
  readonly conversation: Conversation;
  /** Goes upstream as `session-id` and `prompt_cache_key`: equal and stable, because the prompt cache hangs on both. */
  readonly id: string;
}

/** An id that goes upstream as the caller chose it. */
const PLAIN_ID = /^[A-Za-z0-9][\w.:-]{7,63}$/;

/**
 * Finds the conversation of a request: by the `user` field, else by the headers that agents send, else by the prompt cache key, else by the
 * caller's address and how the conversation began. Local keys never share one.
 */
export function codexSession(
  conversations: Conversations,
  call: Call,
  key: LocalKey,
  hints: SessionHints,
  digest: Digest,
): CodexSession {
  const { exchange } = call;
  const agent = exchange.header("x-openclaw-session-key") || clientSession(exchange) || undefined;
  const named = hints.user ?? agent ?? hints.promptCacheKey;
  const own = named ?? `${exchange.remoteAddress ?? ""}\n${hints.opening}`;
  const scope = digest(`${key.id}\n${named === undefined ? "opening" : "named"}\n${own}`);
  // What an agent sends as both is what its own history hangs on; a user's name does not leave the house.
  const sent =
    hints.user === undefined ? (exchange.header("session-id") ?? hints.promptCacheKey) : hints.promptCacheKey;
  return {
    conversation: conversations.open(scope),
    id: sent !== undefined && PLAIN_ID.test(sent) ? sent : uuidOf(scope),
  };
}

/** 128 bits in the form that agents give their sessions. */
function uuidOf(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}
