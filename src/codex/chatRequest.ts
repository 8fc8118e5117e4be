import type { JsonObject } from "../wire/json.ts";
import { translateMessages } from "./chatMessages.ts";
import { translateTextSettings, withJsonWord } from "./chatTextFormat.ts";
import { translateToolChoice } from "./chatToolChoice.ts";
import { translateTools } from "./chatTools.ts";
import { unknownFields } from "./droppedFields.ts";
import {
  isAbsent,
  optionalBoolean,
  optionalList,
  optionalObject,
  optionalText,
  refusedField,
} from "./requestFields.ts";
import { shortHash } from "./shortHash.ts";
import { createToolNames, type ToolNames } from "./toolNames.ts";

/** A chat completions request in the terms of the Codex backend's Responses API. */
export interface ChatTranslation {
  /** As asked, suffix and all; null where the request names none. */
  readonly model: string | null;
  /** `reasoning_effort`, else `reasoning.effort`, as written. */
  readonly effort: string | undefined;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** A hint at the session; it never goes upstream. */
  readonly user: string | undefined;
  /** From the leading system and developer messages; undefined where there are none. */
  readonly instructions: string | undefined;
  /** Responses input items. Calls and outputs may lack their counterpart: `pairCalls` puts that right. */
  readonly input: readonly JsonObject[];
  /** What else goes upstream, in a fixed order of keys: tools, tool_choice, parallel_tool_calls, text, prompt_cache_key, service_tier. */
  readonly rest: JsonObject;
  readonly toolNames: ToolNames;
  /** The caller offers `functions` and no `tools`: it reads a call as `function_call`, of which an answer has one. */
  readonly legacyCalls: boolean;
  /** Sorted names of the fields that were left out although they say something. */
  readonly dropped: readonly string[];
}

/** OpenAI refuses a longer `prompt_cache_key`. */
const MAX_CACHE_KEY_LENGTH = 64;

/**
 * Translates a chat completions request. The result is made of what the backend is known to take; nothing is passed on unread but hosted
 * tools and the schemas of the caller's own. Throws an `ApiError` (`invalid_request`, with `param`) for wrong types and for what the
 * backend cannot do.
 */
export function translateChatRequest(body: JsonObject): ChatTranslation {
  refuseImpossible(body);
  const toolNames = createToolNames();
  const tools = translateTools(body, toolNames);
  const choice = translateToolChoice(body, tools, toolNames);
  const legacyCalls = !isAbsent(body["functions"]) && isAbsent(body["tools"]);
  const parallel = legacyCalls ? false : optionalBoolean(body["parallel_tool_calls"], "parallel_tool_calls");
  const history = translateMessages(body["messages"], tools, toolNames);
  const text = translateTextSettings(body);
  const wantsJson = (text?.["format"] as JsonObject | undefined)?.["type"] === "json_object";
  const cacheKey = optionalText(body["prompt_cache_key"], "prompt_cache_key") || undefined;
  const tier = optionalText(body["service_tier"], "service_tier");
  const withTools = tools.upstream.length > 0;
  const dropped = new Set(unknownFields(body));
  if (history.namesAuthors) dropped.add("messages[].name");
  if (!withTools && choice !== undefined && choice !== "auto" && choice !== "none") dropped.add("tool_choice");
  if (!withTools && !legacyCalls && parallel === false) dropped.add("parallel_tool_calls");
  if (tier !== undefined && !["auto", "default", "priority"].includes(tier)) dropped.add("service_tier");
  const streamOptions = optionalObject(body["stream_options"], "stream_options");
  return {
    model: optionalText(body["model"], "model") || null,
    effort: effortOf(body),
    stream: optionalBoolean(body["stream"], "stream") ?? false,
    includeUsage: optionalBoolean(streamOptions?.["include_usage"], "stream_options.include_usage") ?? false,
    user: optionalText(body["user"], "user") || undefined,
    instructions: history.instructions,
    input: wantsJson ? withJsonWord(history.input) : history.input,
    rest: {
      ...(withTools && { tools: tools.upstream }),
      ...(withTools && choice !== undefined && { tool_choice: choice }),
      ...(withTools && parallel !== undefined && { parallel_tool_calls: parallel }),
      ...(text !== undefined && { text }),
      ...(cacheKey !== undefined && {
        prompt_cache_key: cacheKey.length <= MAX_CACHE_KEY_LENGTH ? cacheKey : shortHash(cacheKey),
      }),
      ...(tier === "priority" && { service_tier: tier }),
    },
    toolNames,
    legacyCalls,
    dropped: [...dropped].sort(),
  };
}

/** Refuses what would be answered with less than was asked for. */
function refuseImpossible(body: JsonObject): void {
  if (!isAbsent(body["n"]) && body["n"] !== 1) {
    throw refusedField("n", "must be 1: the ChatGPT backend gives one answer to a request.");
  }
  if (!isAbsent(body["audio"])) throw refusedField("audio", "is not available: the ChatGPT backend answers in text.");
  if (optionalList(body["modalities"], "modalities").some((modality) => modality !== "text")) {
    throw refusedField("modalities", 'can only be ["text"]: the ChatGPT backend answers in text.');
  }
  if (optionalBoolean(body["logprobs"], "logprobs") === true) {
    throw refusedField("logprobs", "must be false: the ChatGPT backend does not tell probabilities.");
  }
}

function effortOf(body: JsonObject): string | undefined {
  const effort = optionalText(body["reasoning_effort"], "reasoning_effort");
  const reasoning = optionalObject(body["reasoning"], "reasoning");
  return (effort ?? optionalText(reasoning?.["effort"], "reasoning.effort")) || undefined;
}
