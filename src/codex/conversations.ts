import type { Clock } from "../ports.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { plainItem } from "./responsesItems.ts";

/** What is remembered of one conversation, so that the backend, which stores nothing, accepts its next request and finds its cache. */
export interface Conversation {
  /** The last instructions that were sent; undefined before the first. */
  instructions: string | undefined;
  /**
   * The request's items as the backend wants to see them again: references to items become the items, an output whose call is missing
   * gets its call, and the answers of a caller that knows no reasoning items (`replay`) get theirs back.
   */
  restore(input: readonly JsonObject[], reasoning: "replay" | "callers_own"): Restored;
  /** Keeps the items of an answer. */
  remember(items: readonly JsonObject[]): void;
  /** The backend's sticky routing token for this turn; undefined in a new one. */
  turnState(turn: string): string | undefined;
  noteTurnState(turn: string, state: string): void;
}

/** An input that was made whole. */
export interface Restored {
  readonly input: readonly JsonObject[];
  /** Ids of references that nothing is remembered of. */
  readonly unknownReferences: readonly string[];
}

/** All conversations that are remembered. */
export interface Conversations {
  /** The conversation of this key, a new one where none is remembered. */
  open(key: string): Conversation;
}

/** The bounds of the memory. */
export interface ConversationLimits {
  /** A conversation that was not used for so long is forgotten, in milliseconds. */
  readonly keepMs: number;
  readonly maximumConversations: number;
  /** Of all conversations together, as JSON characters. */
  readonly maximumCharacters: number;
}

/** A quarter of the memory at most is one conversation's. */
const SHARE = 4;

interface Answer {
  readonly signature: string | undefined;
  readonly items: readonly JsonObject[];
  /** Under the ids that the upstream gave them. */
  readonly byId: readonly (readonly [id: string, item: JsonObject])[];
  readonly characters: number;
}

interface Memory {
  usedAt: number;
  characters: number;
  instructions: string | undefined;
  turn: { readonly turn: string; readonly state: string } | undefined;
  answers: Answer[];
  readonly bySignature: Map<string, Answer>;
  readonly byCallId: Map<string, JsonObject>;
  readonly byId: Map<string, JsonObject>;
}

/** A memory that forgets the conversation unused for longest when a bound is reached. */
export function createConversations(clock: Clock, limits: ConversationLimits): Conversations {
  const memories = new Map<string, Memory>();
  let characters = 0;

  function open(key: string): Memory {
    const now = clock.monotonic();
    for (const [oldKey, old] of memories) {
      if (now - old.usedAt < limits.keepMs) break;
      drop(oldKey, old);
    }
    const memory = memories.get(key) ?? emptyMemory();
    // Put last, so that the map stays in the order of use.
    memories.delete(key);
    memories.set(key, memory);
    memory.usedAt = now;
    bound();
    return memory;
  }

  function drop(key: string, memory: Memory): void {
    memories.delete(key);
    characters -= memory.characters;
  }

  function bound(): void {
    for (const [key, memory] of memories) {
      if (memories.size <= limits.maximumConversations && characters <= limits.maximumCharacters) return;
      if (memories.size > 1) drop(key, memory);
    }
  }

  function grow(key: string, memory: Memory, by: number): void {
    memory.characters += by;
    // One that was forgotten in the meantime is counted no more.
    if (memories.get(key) === memory) characters += by;
  }

  function remember(memory: Memory, items: readonly JsonObject[]): void {
    const answer = answerOf(items);
    if (answer.items.length === 0) return;
    memory.answers.push(answer);
    memory.characters += answer.characters;
    characters += answer.characters;
    if (answer.signature !== undefined) memory.bySignature.set(answer.signature, answer);
    for (const item of answer.items) {
      const callId = item["call_id"];
      if (typeof callId === "string") memory.byCallId.set(callId, item);
    }
    for (const [id, item] of answer.byId) memory.byId.set(id, item);
    while (memory.characters > limits.maximumCharacters / SHARE && memory.answers.length > 0) forgetOldest(memory);
    bound();
  }

  function forgetOldest(memory: Memory): void {
    const answer = memory.answers.shift();
    if (answer === undefined) return;
    memory.characters -= answer.characters;
    characters -= answer.characters;
    if (answer.signature !== undefined && memory.bySignature.get(answer.signature) === answer) {
      memory.bySignature.delete(answer.signature);
    }
    for (const item of answer.items) {
      const callId = item["call_id"];
      if (typeof callId === "string" && memory.byCallId.get(callId) === item) memory.byCallId.delete(callId);
    }
    for (const [id, item] of answer.byId) if (memory.byId.get(id) === item) memory.byId.delete(id);
  }

  return {
    open(key) {
      const memory = open(key);
      return {
        get instructions() {
          return memory.instructions;
        },
        set instructions(text) {
          grow(key, memory, (text?.length ?? 0) - (memory.instructions?.length ?? 0));
          memory.instructions = text;
        },
        restore: (input, reasoning) => restore(memory, input, reasoning === "replay"),
        remember(items) {
          // Forgotten in the meantime: what comes of a long answer must not be counted.
          if (memories.get(key) === memory) remember(memory, items);
        },
        turnState: (turn) => (memory.turn?.turn === turn ? memory.turn.state : undefined),
        noteTurnState(turn, state) {
          const before = memory.turn === undefined ? 0 : memory.turn.turn.length + memory.turn.state.length;
          grow(key, memory, turn.length + state.length - before);
          memory.turn = { turn, state };
        },
      };
    },
  };
}

function emptyMemory(): Memory {
  return {
    usedAt: 0,
    characters: 0,
    instructions: undefined,
    turn: undefined,
    answers: [],
    bySignature: new Map(),
    byCallId: new Map(),
    byId: new Map(),
  };
}

function answerOf(items: readonly JsonObject[]): Answer {
  const kept: JsonObject[] = [];
  const byId: [string, JsonObject][] = [];
  for (const item of items) {
    const plain = plainItem(item);
    if (plain === undefined) continue;
    kept.push(plain);
    if (typeof item["id"] === "string") byId.push([item["id"], plain]);
  }
  const signature = signatureOf(kept);
  const characters = JSON.stringify(kept).length + (signature?.length ?? 0);
  return { signature, items: kept, byId, characters };
}

function restore(memory: Memory, input: readonly JsonObject[], replays: boolean): Restored {
  const unknownReferences: string[] = [];
  const referenced = input.flatMap((item) => {
    if (item["type"] !== "item_reference") return [item];
    const found = memory.byId.get(String(item["id"]));
    if (found === undefined) unknownReferences.push(String(item["id"]));
    return found === undefined ? [] : [found];
  });
  const restored: JsonObject[] = [];
  const calls = new Set<unknown>();
  for (let at = 0; at < referenced.length;) {
    const own = referenced.slice(at, Math.max(endOfAnswer(referenced, at), at + 1));
    for (const item of (replays ? replayed(memory, own) : undefined) ?? own) {
      const { type, call_id: callId } = item;
      if (isCall(type)) calls.add(callId);
      const missing = isCallOutput(type) && !calls.has(callId) ? memory.byCallId.get(String(callId)) : undefined;
      if (missing !== undefined) {
        calls.add(callId);
        restored.push(missing);
      }
      restored.push(item);
    }
    at += own.length;
  }
  return { input: restored, unknownReferences };
}

/** Behind the last of the items from here on that a model's answer consists of. */
function endOfAnswer(input: readonly JsonObject[], from: number): number {
  let end = from;
  while (end < input.length && isOwnWords(input[end])) end += 1;
  return end;
}

function isOwnWords(item: JsonObject | undefined): boolean {
  return item?.["role"] === "assistant" || isCall(item?.["type"]);
}

/** The remembered answer that says the same; undefined where none does. */
function replayed(memory: Memory, own: readonly JsonObject[]): readonly JsonObject[] | undefined {
  const signature = signatureOf(own);
  return signature === undefined ? undefined : memory.bySignature.get(signature)?.items;
}

/** What a caller that knows neither reasoning nor item ids repeats of an answer: its text and the ids of its calls. */
function signatureOf(items: readonly JsonObject[]): string | undefined {
  let text = "";
  const calls: string[] = [];
  for (const item of items) {
    if (item["role"] === "assistant") text += textOf(item["content"]);
    else if (isCall(item["type"])) calls.push(String(item["call_id"]));
  }
  return text.trim() === "" && calls.length === 0 ? undefined : JSON.stringify([text.trim(), calls]);
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: unknown) => (isJsonObject(part) ? (part["text"] ?? part["refusal"]) : undefined))
    .filter((text) => typeof text === "string")
    .join("");
}

function isCall(type: unknown): boolean {
  return type === "function_call" || type === "custom_tool_call";
}

function isCallOutput(type: unknown): boolean {
  return type === "function_call_output" || type === "custom_tool_call_output";
}
