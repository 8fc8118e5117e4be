import type { CodexServed } from "./served.ts";
import { sha256Text } from "./sha256.ts";
import { countInputTokens } from "./tokenCount.ts";

/** What of a request decides how it stands in its conversation. */
export interface ConversationTurn {
  readonly accountId: string;
  readonly sessionId: string | null;
  readonly cacheKey: string | null;
  readonly turnState: string | null;
  readonly model: string;
  /** Whatever stands before the input in the prompt: instructions, tools. */
  readonly head: readonly unknown[];
  readonly input: readonly unknown[];
}

/** How a request stands in its conversation. */
export interface ConversationPlace {
  readonly continuity: CodexServed["continuity"];
  readonly turnState: CodexServed["turnState"];
  /** What the answer's header `x-codex-turn-state` says. */
  readonly nextTurnState: string;
  /** Input tokens that the prompt cache has. */
  readonly cachedTokens: number;
}

/** The bounded memory of conversations: of each only the last input's digest. */
export interface CodexConversations {
  /** Notes the request and compares it with the last one. */
  enter(turn: ConversationTurn): Promise<ConversationPlace>;
}

interface Remembered {
  readonly items: number;
  readonly digest: string;
  readonly head: string;
  readonly tokens: number;
  readonly turnState: string;
}

const CONVERSATION_LIMIT = 1000;

/** No conversation yet. */
export function createCodexConversations(): CodexConversations {
  const conversations = new Map<string, Remembered>();
  let turns = 0;

  function remember(key: string, now: Remembered): void {
    conversations.delete(key);
    conversations.set(key, now);
    const oldest = conversations.keys().next().value;
    if (conversations.size > CONVERSATION_LIMIT && oldest !== undefined) conversations.delete(oldest);
  }

  return {
    async enter(turn) {
      const name = turn.sessionId ?? turn.cacheKey;
      const key = await sha256Text(`${turn.accountId} ${name}`);
      const head = await digestOf([turn.model, turn.head]);
      const digest = await digestOf(turn.input);
      const last = name === null ? undefined : conversations.get(key);
      // Only the first so many items are compared, so that nothing of a conversation has to be kept.
      const opening = last === undefined ? "" : await digestOf(turn.input.slice(0, last.items));
      const continues = last !== undefined && last.head === head && last.digest === opening;
      // A repeated request belongs to the turn that it repeats.
      const goesOn = isWithinTurn(turn.input.at(-1)) || digest === last?.digest;
      const isEcho = last !== undefined && turn.turnState === last.turnState;
      const sameTurn = isEcho && goesOn;
      if (!sameTurn) turns += 1;
      const nextTurnState = sameTurn ? last.turnState : `ts_${(await sha256Text(`${key} ${turns}`)).slice(0, 32)}`;
      const tokens = countInputTokens([turn.input, ...turn.head]);
      if (name !== null) remember(key, { items: turn.input.length, digest, head, tokens, turnState: nextTurnState });
      return {
        continuity: name === null ? null : continuityOf(last, continues, turn.input.length),
        turnState: turn.turnState === null ? "none" : isEcho ? (goesOn ? "echoed" : "late") : "foreign",
        nextTurnState,
        // The cache is found by the session's id, and only where the key is that id.
        cachedTokens: continues && turn.sessionId !== null && turn.sessionId === turn.cacheKey ? last.tokens : 0,
      };
    },
  };
}

function continuityOf(
  last: Remembered | undefined,
  continues: boolean,
  items: number,
): NonNullable<CodexServed["continuity"]> {
  if (last === undefined) return "first";
  if (!continues) return "changed";
  return items > last.items ? "extended" : "repeated";
}

/** Whether an input that ends with this item goes on with a turn: what a tool answered, or a compaction on the way. */
function isWithinTurn(item: unknown): boolean {
  if (typeof item !== "object" || item === null || !("type" in item) || typeof item.type !== "string") return false;
  return item.type.endsWith("_output") || item.type === "compaction_trigger";
}

async function digestOf(value: unknown): Promise<string> {
  return await sha256Text(JSON.stringify(value) ?? "");
}
