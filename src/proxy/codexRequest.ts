import { pairCalls } from "../codex/callPairing.ts";
import { type ChatTranslation, translateChatRequest } from "../codex/chatRequest.ts";
import { resolveModel } from "../codex/modelNames.ts";
import { readResponsesRequest, type ResponsesReading } from "../codex/responsesRequest.ts";
import { asksForCompaction, compactionInput, DEFAULT_INSTRUCTIONS, upstreamBody } from "../codex/upstreamBody.ts";
import { ApiError } from "../wire/errors.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { spoken } from "../wire/retryBait.ts";
import type { Call } from "./call.ts";
import { isCodex } from "./clientIdentity.ts";
import type { CodexParts } from "./codexParts.ts";
import { type CodexSession, codexSession } from "./codexSession.ts";
import type { LocalKey } from "./localKey.ts";
import type { ProxyParts } from "./proxyParts.ts";
import { MAX_DECODED_BYTES } from "./requestFacts.ts";

/** What is asked of the Codex backend, by the endpoint that the caller speaks to. */
export type CodexEndpoint = "chat" | "responses" | "compact";

/** A request ready for the backend. */
export interface CodexRequest {
  readonly body: Uint8Array;
  readonly stream: boolean;
  /** The conversation is to be compacted. */
  readonly compacts: boolean;
  /** Only of a chat stream: its caller wants usage. */
  readonly includeUsage: boolean;
  readonly session: CodexSession;
  /** Which turn of the conversation this is: the same for all requests between one user message and the next. */
  readonly turn: string;
  /** The backend's routing token for this turn, where the caller keeps it itself. */
  readonly turnState: string | undefined;
  /** A tool's name as the caller knows it. */
  readonly toCaller: (toolName: string) => string;
  /** Only of chat: the caller reads a call as the legacy `function_call`. */
  readonly legacyCalls: boolean;
  /** The names of fields that were left out because the backend refuses them. */
  readonly dropped: readonly string[];
}

const encoder = new TextEncoder();

/** Reads a caller's body and writes the backend's. Throws an `ApiError` that says what cannot be had. */
export async function codexRequest(
  parts: ProxyParts,
  codex: CodexParts,
  call: Call,
  key: LocalKey,
  endpoint: CodexEndpoint,
): Promise<CodexRequest> {
  const body = await readBody(parts, call);
  await codex.catalogue.refresh();
  try {
    return translated(parts, codex, call, key, endpoint, body);
  } catch (error) {
    // `JSON.stringify` has the stack for some thousand levels.
    if (!(error instanceof RangeError)) throw error;
    throw new ApiError("invalid_request", "The body is nested too deeply: send it flatter.");
  }
}

function translated(
  parts: ProxyParts,
  codex: CodexParts,
  call: Call,
  key: LocalKey,
  endpoint: CodexEndpoint,
  body: JsonObject,
): CodexRequest {
  const isNative = isCodex(call.exchange);
  const asked = endpoint === "chat" ? translateChatRequest(body) : readResponsesRequest(body, isNative);
  const model = asked.model ?? parts.settings().defaultModel;
  if (model === undefined) {
    throw new ApiError(
      "invalid_request",
      "The request names no model: set 'model', or a default with --model (in VS Code: 'patchbay.defaultModel').",
      {
        param: "model",
      },
    );
  }
  const choice = resolveModel({ model, effort: asked.effort }, codex.catalogue.models(), codex.aliases());
  const session = codexSession(codex.conversations, call, key, hintsOf(asked), parts.digest);
  const { conversation } = session;
  // Codex sends its prompt as a developer message, and its backend knows that.
  const instructions = asked.instructions ?? conversation.instructions ?? (isNative ? undefined : DEFAULT_INSTRUCTIONS);
  if (instructions !== undefined) conversation.instructions = instructions;
  const { input: restored, turn } = inputOf(asked, session, endpoint);
  const input = endpoint === "compact" ? compactionInput(restored) : restored;
  const isChat = "toolNames" in asked;
  // Chat callers see reasoning only as its summary, and have no field to ask for one.
  const rest = isChat ? { ...asked.rest, reasoning: { summary: "auto" } } : asked.rest;
  const sent = upstreamBody({
    model: choice.model,
    effort: choice.effort,
    instructions,
    input,
    rest,
    promptCacheKey: session.id,
  });
  return {
    body: encoder.encode(JSON.stringify(sent)),
    stream: asked.stream && endpoint !== "compact",
    compacts: asksForCompaction(input),
    includeUsage: isChat && asked.includeUsage,
    session,
    turn,
    turnState: call.exchange.header("x-codex-turn-state"),
    toCaller: isChat ? (name) => asked.toolNames.toCaller(name) : (name) => name,
    legacyCalls: isChat && asked.legacyCalls,
    dropped: asked.dropped,
  };
}

function inputOf(
  asked: ChatTranslation | ResponsesReading,
  session: CodexSession,
  endpoint: CodexEndpoint,
): { readonly input: readonly JsonObject[]; readonly turn: string } {
  const reasoning = endpoint === "chat" ? "replay" : "callers_own";
  const restored = session.conversation.restore(asked.input, reasoning);
  const [unknown] = restored.unknownReferences;
  if (unknown !== undefined) {
    throw new ApiError(
      "invalid_request",
      `${spoken(`The item '${unknown}'`, "An item of the input")} is not remembered here: send the item itself instead of a reference to it.`,
      { param: "input" },
    );
  }
  // A Responses caller gets the backend's own words about calls that do not fit; a chat caller may have cut its history.
  const input = endpoint === "chat" ? pairCalls(restored.input).input : restored.input;
  return { input, turn: turnOf(asked.input) };
}

/** The place of the last user message: what comes after it is the same turn. */
function turnOf(input: readonly JsonObject[]): string {
  const at = input.findLastIndex((item) => item["role"] === "user");
  return `${input.slice(0, at + 1).filter((item) => item["role"] === "user").length} ${JSON.stringify(input[at] ?? null).slice(0, 1024)}`;
}

function hintsOf(asked: ChatTranslation | ResponsesReading): {
  user: string | undefined;
  promptCacheKey: string | undefined;
  opening: string;
} {
  const promptCacheKey = "promptCacheKey" in asked ? asked.promptCacheKey : textOf(asked.rest["prompt_cache_key"]);
  const first = asked.input.findIndex((item) => item["role"] === "user");
  // What a Responses caller may leave out of a follow-up must not decide where it belongs.
  const told = "toolNames" in asked ? (asked.instructions ?? null) : null;
  const opening = JSON.stringify([told, ...asked.input.slice(0, first + 1)]);
  return { user: asked.user, promptCacheKey, opening };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

async function readBody(parts: ProxyParts, call: Call): Promise<JsonObject> {
  const { exchange } = call;
  const sent = await exchange.body.whole();
  const encoding = exchange.header("content-encoding");
  const plain =
    encoding === undefined || encoding === "identity"
      ? sent
      : await parts.decodeBody(encoding, sent, MAX_DECODED_BYTES);
  const body = plain === undefined ? undefined : parsed(plain);
  if (isJsonObject(body)) return body;
  throw new ApiError("invalid_request", "The body is not a JSON object: send one with a model and its input.");
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Whatever is wrong with it, its sender is told what is wanted.
    return undefined;
  }
}
